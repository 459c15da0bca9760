"""whether an owner's chat ID works, as with an e-mail address"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('owner', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_chat_bad', sa.Boolean(), server_default='0', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('owner', schema=None) as batch_op:
        batch_op.drop_column('is_chat_bad')
