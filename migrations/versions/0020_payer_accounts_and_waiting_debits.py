"""accounts confirmed for a unit are remembered; a debit may wait; a decision on a statement row can be undone"""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

STATES = "'sent', 'collected', 'failed'"
ENTRIES = "'taken', 'returned', 'set_off'"
ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'payer_account',
        sa.Column('unit_id', ID, nullable=False),
        sa.Column('owner_id', ID, nullable=False),
        sa.Column('account', sa.Text(), nullable=False),
        sa.Column('account_mac', sa.String(64), nullable=False),
        sa.Column('account_name', sa.String(200), server_default='', nullable=False),
        sa.Column('confirmed_by_id', ID, nullable=True),
        sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('payer_account_unit_id_fkey'), ondelete='RESTRICT'),
        sa.ForeignKeyConstraint(['owner_id'], ['owner.id'], name=op.f('payer_account_owner_id_fkey'), ondelete='RESTRICT'),
        sa.ForeignKeyConstraint(
            ['confirmed_by_id'], ['staff.id'], name=op.f('payer_account_confirmed_by_id_fkey'), ondelete='RESTRICT'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('payer_account_pkey')),
        sa.UniqueConstraint('unit_id', 'account_mac', name='payer_account_once_per_unit'),
    )
    op.create_index('payer_account_mac_idx', 'payer_account', ['account_mac'])
    op.create_index('payer_account_owner_id_idx', 'payer_account', ['owner_id'])
    with op.batch_alter_table('statement_row', schema=None) as batch_op:
        batch_op.add_column(sa.Column('reason_before', sa.String(), server_default='', nullable=False))
    _known('direct_debit', 'state', f"{STATES}, 'waiting'")
    _known('deposit', 'entry', f"{ENTRIES}, 'void'")


def downgrade() -> None:
    op.execute("UPDATE direct_debit SET state = 'collected' WHERE state = 'waiting'")
    op.execute("UPDATE deposit SET entry = 'returned' WHERE entry = 'void'")
    _known('direct_debit', 'state', STATES)
    _known('deposit', 'entry', ENTRIES)
    with op.batch_alter_table('statement_row', schema=None) as batch_op:
        batch_op.drop_column('reason_before')
    op.drop_table('payer_account')


def _known(table: str, column: str, words: str) -> None:
    name = op.f(f'{table}_{column}_known')
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.drop_constraint(name, type_='check')
        batch_op.create_check_constraint(name, f"{column} IN ({words})")
