"""figures kept beside the ledger, all of them to be counted"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('figures_collected',
    sa.Column('id', ID, nullable=False),
    sa.Column('period', sa.String(length=7), nullable=False),
    sa.Column('building_id', ID, nullable=False),
    sa.Column('billed', sa.BigInteger(), nullable=False),
    sa.Column('paid', sa.BigInteger(), nullable=False),
    sa.Column('households', sa.Integer(), nullable=False),
    sa.Column('households_paid', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('figures_collected_pkey')),
    sa.UniqueConstraint('period', 'building_id', name='figures_collected_once_per_period_and_building'),
    )
    op.create_table('figures_item',
    sa.Column('id', ID, nullable=False),
    sa.Column('period', sa.String(length=7), nullable=False),
    sa.Column('building_id', ID, nullable=False),
    sa.Column('fee_item_id', ID, nullable=False),
    sa.Column('billed', sa.BigInteger(), nullable=False),
    sa.Column('paid', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('figures_item_pkey')),
    sa.UniqueConstraint('period', 'building_id', 'fee_item_id', name='figures_item_once_per_cell'),
    )
    op.create_table('figures_owed',
    sa.Column('id', ID, nullable=False),
    sa.Column('building_id', ID, nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('period', sa.String(length=7), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('invoices', sa.BigInteger(), nullable=False),
    sa.Column('households', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('figures_owed_pkey')),
    sa.UniqueConstraint('building_id', 'due_on', 'period', name='figures_owed_once_per_cell'),
    )
    op.create_table('figures_stale',
    sa.Column('id', ID, nullable=False),
    sa.Column('building_id', ID, nullable=False),
    sa.Column('period', sa.String(length=7), nullable=False),
    sa.Column('is_counting', sa.Boolean(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('figures_stale_pkey')),
    )
    op.create_index('figures_stale_cell_idx', 'figures_stale', ['building_id', 'period'])
    op.execute(
        "INSERT INTO figures_stale (building_id, period) "
        "SELECT DISTINCT u.building_id, i.period FROM invoice i JOIN unit u ON u.id = i.unit_id"
    )


def downgrade() -> None:
    for table in ('figures_stale', 'figures_owed', 'figures_item', 'figures_collected'):
        op.drop_table(table)
