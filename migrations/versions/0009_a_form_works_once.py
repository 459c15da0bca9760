"""a form works once"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('sent_form',
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('sent_form_pkey')),
    )
    op.create_index('sent_form_at_idx', 'sent_form', ['at'], unique=False)


def downgrade() -> None:
    op.drop_index('sent_form_at_idx', 'sent_form')
    op.drop_table('sent_form')
