"""the day on which an undertaking was signed"""

import sqlalchemy as sa
from alembic import op

revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('restriction', schema=None) as batch_op:
        batch_op.add_column(sa.Column('undertaken_on', sa.Date(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('restriction', schema=None) as batch_op:
        batch_op.drop_column('undertaken_on')
