"""payment.credit is 0 where the payment was undone; day_reopening, and day_close.round for its second count"""

import sqlalchemy as sa
from alembic import op

from models.base import Instant

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
ADDS_UP = 'payment_allocated_and_credit_add_up'
UNDONE = "state <> 'posted' OR kind = 'reversal'"


def upgrade() -> None:
    with op.batch_alter_table('payment', schema=None) as batch_op:
        batch_op.drop_constraint(op.f(ADDS_UP), type_='check')
    op.execute(f"UPDATE payment SET credit = 0 WHERE {UNDONE}")
    with op.batch_alter_table('payment', schema=None) as batch_op:
        batch_op.create_check_constraint(
            op.f(ADDS_UP),
            f"CASE WHEN {UNDONE} THEN allocated = 0 AND credit = 0 ELSE allocated + credit = amount END",
        )
    with op.batch_alter_table('day_close', schema=None) as batch_op:
        batch_op.add_column(sa.Column('round', sa.Integer(), server_default='1', nullable=False))
        batch_op.drop_constraint('day_close_once_per_cashier', type_='unique')
        batch_op.create_unique_constraint(
            'day_close_once_per_cashier_and_round', ['day', 'cashier_id', 'round']
        )
    op.create_table('day_reopening',
    sa.Column('day_close_id', ID, nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('state', sa.String(length=10), server_default='requested', nullable=False),
    sa.Column('asked_by_id', ID, nullable=False),
    sa.Column('asked_at', Instant(), nullable=False),
    sa.Column('decided_by_id', ID, nullable=True),
    sa.Column('decided_at', Instant(), nullable=True),
    sa.Column('id', ID, nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("state IN ('requested', 'approved', 'refused')", name=op.f('day_reopening_state_known')),
    sa.CheckConstraint('asked_by_id <> decided_by_id', name=op.f('day_reopening_takes_two_people')),
    sa.ForeignKeyConstraint(['asked_by_id'], ['staff.id'], name=op.f('day_reopening_asked_by_id_fkey'), ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['day_close_id'], ['day_close.id'], name=op.f('day_reopening_day_close_id_fkey'), ondelete='RESTRICT'),
    sa.ForeignKeyConstraint(['decided_by_id'], ['staff.id'], name=op.f('day_reopening_decided_by_id_fkey'), ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id', name=op.f('day_reopening_pkey'))
    )
    op.create_index(
        'day_reopening_asked_once',
        'day_reopening',
        ['day_close_id'],
        unique=True,
        sqlite_where=sa.text("state <> 'refused'"),
        postgresql_where=sa.text("state <> 'refused'"),
    )


def downgrade() -> None:
    op.drop_index('day_reopening_asked_once', 'day_reopening')
    op.drop_table('day_reopening')
    # only the last count of a day that was opened again can stay
    op.execute(
        "DELETE FROM day_close_line WHERE day_close_id IN (SELECT a.id FROM day_close a JOIN day_close b "
        "ON b.day = a.day AND b.cashier_id = a.cashier_id AND b.round > a.round)"
    )
    op.execute(
        "DELETE FROM day_close WHERE EXISTS (SELECT 1 FROM day_close b WHERE b.day = day_close.day "
        "AND b.cashier_id = day_close.cashier_id AND b.round > day_close.round)"
    )
    with op.batch_alter_table('day_close', schema=None) as batch_op:
        batch_op.drop_constraint('day_close_once_per_cashier_and_round', type_='unique')
        batch_op.drop_column('round')
        batch_op.create_unique_constraint('day_close_once_per_cashier', ['day', 'cashier_id'])
    with op.batch_alter_table('payment', schema=None) as batch_op:
        batch_op.drop_constraint(op.f(ADDS_UP), type_='check')
    op.execute(f"UPDATE payment SET credit = amount WHERE {UNDONE}")
    with op.batch_alter_table('payment', schema=None) as batch_op:
        batch_op.create_check_constraint(op.f(ADDS_UP), 'allocated + credit = amount')
