"""figures by kind of unit, late fees and deposits apart, by two years; a nightly count may be stale

Everything in these tables is derived: they are made anew and counted again at the next tick.
"""

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def _money(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _cells(*names: str) -> list[sa.Column]:
    return [sa.Column('id', ID, nullable=False), *(sa.Column(name, sa.String(7), nullable=False) for name in names)]


def upgrade() -> None:
    op.drop_table('figures_collected')
    op.create_table(
        'figures_collected',
        *_cells('period'),
        sa.Column('building_id', ID, nullable=False),
        sa.Column('unit_kind', sa.String(20), nullable=False),
        *_money('billed', 'paid', 'late_fees', 'deposits_billed', 'deposits_paid'),
        sa.Column('households', sa.Integer(), nullable=False),
        sa.Column('households_paid', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('figures_collected_pkey')),
        sa.UniqueConstraint('period', 'building_id', 'unit_kind', name='figures_collected_once_per_cell'),
    )
    op.drop_table('figures_owed')
    op.create_table(
        'figures_owed',
        sa.Column('id', ID, nullable=False),
        sa.Column('building_id', ID, nullable=False),
        sa.Column('unit_kind', sa.String(20), nullable=False),
        sa.Column('due_on', sa.Date(), nullable=False),
        sa.Column('period', sa.String(7), nullable=False),
        *_money('amount', 'invoices'),
        sa.Column('households', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('figures_owed_pkey')),
        sa.UniqueConstraint('building_id', 'due_on', 'period', 'unit_kind', name='figures_owed_once_per_cell'),
    )
    op.create_table(
        'figures_year',
        sa.Column('id', ID, nullable=False),
        sa.Column('building_id', ID, nullable=False),
        sa.Column('bills_year', sa.String(4), nullable=False),
        sa.Column('year', sa.String(4), nullable=False),
        *_money('billed', 'credited', 'paid'),
        sa.PrimaryKeyConstraint('id', name=op.f('figures_year_pkey')),
        sa.UniqueConstraint('building_id', 'bills_year', 'year', name='figures_year_once_per_cell'),
    )
    with op.batch_alter_table('report_count', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_stale', sa.Boolean(), server_default='0', nullable=False))
    op.execute("UPDATE report_count SET is_stale = true")
    _count_all()


def downgrade() -> None:
    with op.batch_alter_table('report_count', schema=None) as batch_op:
        batch_op.drop_column('is_stale')
    op.drop_table('figures_year')
    op.drop_table('figures_owed')
    op.create_table(
        'figures_owed',
        sa.Column('id', ID, nullable=False),
        sa.Column('building_id', ID, nullable=False),
        sa.Column('due_on', sa.Date(), nullable=False),
        sa.Column('period', sa.String(7), nullable=False),
        *_money('amount', 'invoices'),
        sa.Column('households', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('figures_owed_pkey')),
        sa.UniqueConstraint('building_id', 'due_on', 'period', name='figures_owed_once_per_cell'),
    )
    op.drop_table('figures_collected')
    op.create_table(
        'figures_collected',
        *_cells('period'),
        sa.Column('building_id', ID, nullable=False),
        *_money('billed', 'paid'),
        sa.Column('households', sa.Integer(), nullable=False),
        sa.Column('households_paid', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('figures_collected_pkey')),
        sa.UniqueConstraint('period', 'building_id', name='figures_collected_once_per_period_and_building'),
    )
    _count_all()


def _count_all() -> None:
    op.execute('DELETE FROM figures_item')
    op.execute(
        'INSERT INTO figures_stale (building_id, period) '
        'SELECT DISTINCT u.building_id, i.period FROM invoice i JOIN unit u ON u.id = i.unit_id '
        'WHERE NOT EXISTS (SELECT 1 FROM figures_stale s '
        'WHERE s.building_id = u.building_id AND s.period = i.period)'
    )
