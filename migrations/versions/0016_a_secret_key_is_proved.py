"""an office proves the secret key it was sealed with, and remembers where it has moved"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('estate', schema=None) as batch_op:
        batch_op.add_column(sa.Column('key_proof', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('moved_to', sa.String(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('moved_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('estate', schema=None) as batch_op:
        for name in ('key_proof', 'moved_to', 'moved_at'):
            batch_op.drop_column(name)
