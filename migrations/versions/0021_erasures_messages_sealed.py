"""erasure; message.address and message.body are sealed, message.cleared_at; task.is_cleared"""

import sqlalchemy as sa
from alembic import op

from models.base import Instant
from models.secrets import seal, unseal

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
OLD = sa.text("cleared_at IS NULL AND state IN ('sent', 'dropped', 'unknown', 'dead')")
MESSAGE = sa.table('message', sa.column('id', ID), sa.column('address', sa.Text), sa.column('body', sa.Text))
CHUNK = 1000


def upgrade() -> None:
    op.create_table(
        'erasure',
        sa.Column('owner_id', ID, nullable=False),
        sa.Column('staff_id', ID, nullable=True),
        sa.Column('started_at', Instant(), nullable=False),
        sa.Column('finished_at', Instant(), nullable=True),
        sa.Column('id', ID, nullable=False),
        sa.ForeignKeyConstraint(['owner_id'], ['owner.id'], name=op.f('erasure_owner_id_fkey'), ondelete='RESTRICT'),
        sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('erasure_staff_id_fkey'), ondelete='RESTRICT'),
        sa.PrimaryKeyConstraint('id', name=op.f('erasure_pkey')),
        sa.UniqueConstraint('owner_id', name='erasure_owner_id_key'),
    )
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.alter_column('address', type_=sa.Text(), existing_nullable=False)
        batch_op.alter_column('body', type_=sa.Text(), existing_nullable=False)
        batch_op.add_column(sa.Column('cleared_at', Instant(), nullable=True))
    op.create_index(
        'message_old_idx', 'message', ['made_at', 'id'], sqlite_where=OLD, postgresql_where=OLD
    )
    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_cleared', sa.Boolean(), server_default='0', nullable=False))
    unclear = sa.text('is_cleared IS FALSE')
    op.create_index('task_old_idx', 'task', ['made_at'], sqlite_where=unclear, postgresql_where=unclear)
    _rewrite(seal)


def downgrade() -> None:
    _rewrite(unseal)
    op.drop_index('task_old_idx', 'task')
    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.drop_column('is_cleared')
    op.drop_index('message_old_idx', 'message')
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.drop_column('cleared_at')
        batch_op.alter_column('address', type_=sa.String(300), existing_nullable=False)
        batch_op.alter_column('body', type_=sa.String(), existing_nullable=False)
    op.drop_table('erasure')


def _rewrite(change) -> None:
    bind, last = op.get_bind(), 0
    change_of = (
        sa.update(MESSAGE)
        .where(MESSAGE.c.id == sa.bindparam('row'))
        .values(address=sa.bindparam('to'), body=sa.bindparam('said'))
    )
    while rows := bind.execute(
        sa.select(MESSAGE).where(MESSAGE.c.id > last).order_by(MESSAGE.c.id).limit(CHUNK)
    ).all():
        bind.execute(
            change_of,
            [
                {'row': row.id, 'to': row.address and change(row.address), 'said': row.body and change(row.body)}
                for row in rows
            ],
        )
        last = rows[-1].id
