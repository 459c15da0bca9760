"""what a sender of the public form says waits for a clerk; one form, one complaint"""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None

HAS_KEY = sa.text('form_key IS NOT NULL')


def upgrade() -> None:
    op.add_column('ticket', sa.Column('claimed_facts', sa.String(), nullable=True))
    op.add_column('ticket', sa.Column('form_key', sa.String(64), nullable=True))
    op.create_index(
        'ticket_form_key_once', 'ticket', ['form_key'], unique=True, sqlite_where=HAS_KEY, postgresql_where=HAS_KEY
    )


def downgrade() -> None:
    op.drop_index('ticket_form_key_once', table_name='ticket')
    op.drop_column('ticket', 'form_key')
    op.drop_column('ticket', 'claimed_facts')
