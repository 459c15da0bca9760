"""reminders that go out together: one notice per payer"""

import sqlalchemy as sa
from alembic import op

revision = '0037'
down_revision = '0036'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
JOINED = sa.text('joined_id IS NOT NULL')


def upgrade() -> None:
    with op.batch_alter_table('reminder', schema=None) as batch_op:
        batch_op.add_column(sa.Column('joined_id', ID, nullable=True))
        batch_op.create_foreign_key(
            op.f('reminder_joined_id_fkey'), 'reminder', ['joined_id'], ['id'], ondelete='RESTRICT'
        )
        batch_op.create_index(
            'reminder_joined_idx', ['joined_id'], sqlite_where=JOINED, postgresql_where=JOINED
        )


def downgrade() -> None:
    with op.batch_alter_table('reminder', schema=None) as batch_op:
        batch_op.drop_index('reminder_joined_idx')
        batch_op.drop_constraint(op.f('reminder_joined_id_fkey'), type_='foreignkey')
        batch_op.drop_column('joined_id')
