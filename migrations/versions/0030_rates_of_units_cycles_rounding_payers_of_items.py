"""rates of single units, cycles, rounding and payers of items; a line says its months, factor, raw amount, days"""

import sqlalchemy as sa
from alembic import op

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
KINDS = "'residence', 'office', 'shop', 'parking', 'storage'"
ITEM_CHECKS = {
    'fee_item_anchor_known': "anchor IN ('calendar', 'unit')",
    'fee_item_rounding_known': "rounding IN ('fen', 'jiao', 'yuan')",
    'fee_item_rounding_mode_known': "rounding_mode IN ('half_up', 'up', 'down')",
    'fee_item_payer_known': "payer IN ('default', 'owner', 'tenant', 'developer')",
    'fee_item_cycle_is_1_3_6_or_12_months': "cycle_months IN (1, 3, 6, 12)",
    'fee_item_days_ahead_in_range': "days_ahead BETWEEN 0 AND 366",
    'fee_item_season_has_both_ends': "(season_from IS NULL) = (season_to IS NULL)",
    'fee_item_season_in_months': "season_from BETWEEN 1 AND 12 AND season_to BETWEEN 1 AND 12",
}
ITEM_COLUMNS = (
    sa.Column('cycle_months', sa.Integer(), server_default='1', nullable=False),
    sa.Column('anchor', sa.String(10), server_default='calendar', nullable=False),
    sa.Column('days_ahead', sa.Integer(), server_default='0', nullable=False),
    sa.Column('season_from', sa.Integer(), nullable=True),
    sa.Column('season_to', sa.Integer(), nullable=True),
    sa.Column('rounding', sa.String(10), server_default='fen', nullable=False),
    sa.Column('rounding_mode', sa.String(10), server_default='half_up', nullable=False),
    sa.Column('payer', sa.String(10), server_default='default', nullable=False),
    sa.Column('is_refundable', sa.Boolean(), server_default='0', nullable=False),
    sa.Column('bears_late_fee', sa.Boolean(), server_default='1', nullable=False),
)
LINE_COLUMNS = (
    sa.Column('months', sa.Integer(), server_default='1', nullable=False),
    sa.Column('factor', sa.BigInteger(), server_default='10000', nullable=False),
    sa.Column('raw_amount', sa.BigInteger(), nullable=True),
    sa.Column('service_from', sa.Date(), nullable=True),
    sa.Column('service_to', sa.Date(), nullable=True),
)
LONG = 'invoice_line_long_idx'
DEVELOPER = 'estate_developer_id_fkey'


def upgrade() -> None:
    with op.batch_alter_table('fee_item', schema=None) as batch_op:
        for column in ITEM_COLUMNS:
            batch_op.add_column(column._copy())
        for name, rule in ITEM_CHECKS.items():
            batch_op.create_check_constraint(batch_op.f(name), rule)
    op.execute("UPDATE fee_item SET is_refundable = true WHERE basis = 'deposit'")
    for column in LINE_COLUMNS:
        op.add_column('invoice_line', column._copy())
    op.create_index(
        LONG,
        'invoice_line',
        ['fee_item_id', 'service_to'],
        sqlite_where=sa.text('months > 1'),
        postgresql_where=sa.text('months > 1'),
    )
    op.add_column('unit', sa.Column('anchor_on', sa.Date(), nullable=True))
    op.add_column('unit', sa.Column('tags', sa.String(300), server_default='', nullable=False))
    with op.batch_alter_table('estate', schema=None) as batch_op:
        batch_op.add_column(sa.Column('developer_id', ID, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f(DEVELOPER), 'owner', ['developer_id'], ['id'], ondelete='RESTRICT'
        )
    op.create_table(
        'item_rate',
        sa.Column('fee_item_id', ID, nullable=False),
        sa.Column('scope', sa.String(300), nullable=False),
        sa.Column('unit_id', ID, nullable=True),
        sa.Column('building_id', ID, nullable=True),
        sa.Column('floor_from', sa.Integer(), nullable=True),
        sa.Column('floor_to', sa.Integer(), nullable=True),
        sa.Column('tag', sa.String(60), server_default='', nullable=False),
        sa.Column('unit_kind', sa.String(20), server_default='', nullable=False),
        sa.Column('rate', sa.BigInteger(), nullable=True),
        sa.Column('amount', sa.BigInteger(), nullable=True),
        sa.Column('factor', sa.BigInteger(), nullable=True),
        sa.Column('is_exempt', sa.Boolean(), server_default='0', nullable=False),
        sa.Column('valid_from', sa.Date(), nullable=False),
        sa.Column('valid_to', sa.Date(), nullable=True),
        sa.Column('reason', sa.String(), server_default='', nullable=False),
        sa.Column('row_version', sa.Integer(), server_default='1', nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint(f"unit_kind IN ('', {KINDS})", name=op.f('item_rate_unit_kind_known')),
        sa.CheckConstraint(
            'valid_to IS NULL OR valid_from <= valid_to', name=op.f('item_rate_from_before_to')
        ),
        sa.CheckConstraint(
            '(floor_from IS NULL) = (floor_to IS NULL) AND (floor_from IS NULL OR floor_from <= floor_to)',
            name=op.f('item_rate_floors_in_order'),
        ),
        sa.CheckConstraint(
            "unit_id IS NULL AND (tag <> '' OR building_id IS NOT NULL OR floor_from IS NOT NULL "
            "OR unit_kind <> '') OR unit_id IS NOT NULL AND tag = '' AND building_id IS NULL "
            "AND floor_from IS NULL AND unit_kind = ''",
            name=op.f('item_rate_is_for_a_unit_or_for_some'),
        ),
        sa.CheckConstraint(
            "is_exempt AND rate IS NULL AND amount IS NULL AND factor IS NULL OR NOT is_exempt "
            "AND (rate IS NULL OR amount IS NULL) "
            "AND (rate IS NOT NULL OR amount IS NOT NULL OR factor IS NOT NULL)",
            name=op.f('item_rate_says_one_price_or_none'),
        ),
        sa.CheckConstraint('rate >= 0 AND amount >= 0 AND factor >= 0', name=op.f('item_rate_not_negative')),
        sa.ForeignKeyConstraint(
            ['fee_item_id'], ['fee_item.id'], name=op.f('item_rate_fee_item_id_fkey'), ondelete='RESTRICT'
        ),
        sa.ForeignKeyConstraint(
            ['unit_id'], ['unit.id'], name=op.f('item_rate_unit_id_fkey'), ondelete='RESTRICT'
        ),
        sa.ForeignKeyConstraint(
            ['building_id'], ['building.id'], name=op.f('item_rate_building_id_fkey'), ondelete='RESTRICT'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('item_rate_pkey')),
        sa.UniqueConstraint('fee_item_id', 'scope', 'valid_from', name=op.f('item_rate_once_per_start')),
    )
    op.create_index('item_rate_unit_idx', 'item_rate', ['unit_id', 'fee_item_id'])
    op.create_table(
        'unit_item_payer',
        sa.Column('unit_id', ID, nullable=False),
        sa.Column('fee_item_id', ID, nullable=False),
        sa.Column('owner_id', ID, nullable=False),
        sa.Column('valid_from', sa.Date(), nullable=False),
        sa.Column('valid_to', sa.Date(), nullable=True),
        sa.Column('row_version', sa.Integer(), server_default='1', nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint(
            'valid_to IS NULL OR valid_from <= valid_to', name=op.f('unit_item_payer_from_before_to')
        ),
        *(
            sa.ForeignKeyConstraint(
                [f'{table}_id'],
                [f'{table}.id'],
                name=op.f(f'unit_item_payer_{table}_id_fkey'),
                ondelete='RESTRICT',
            )
            for table in ('unit', 'fee_item', 'owner')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('unit_item_payer_pkey')),
    )
    op.create_index('unit_item_payer_unit_idx', 'unit_item_payer', ['unit_id', 'fee_item_id', 'valid_from'])
    op.create_index('unit_item_payer_owner_idx', 'unit_item_payer', ['owner_id'])


def downgrade() -> None:
    op.drop_table('unit_item_payer')
    op.drop_table('item_rate')
    with op.batch_alter_table('estate', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f(DEVELOPER), type_='foreignkey')
        batch_op.drop_column('developer_id')
    with op.batch_alter_table('unit', schema=None) as batch_op:
        batch_op.drop_column('tags')
        batch_op.drop_column('anchor_on')
    op.drop_index(LONG, 'invoice_line')
    with op.batch_alter_table('invoice_line', schema=None) as batch_op:
        for column in reversed(LINE_COLUMNS):
            batch_op.drop_column(column.name)
    with op.batch_alter_table('fee_item', schema=None) as batch_op:
        for name in ITEM_CHECKS:
            batch_op.drop_constraint(batch_op.f(name), type_='check')
        for column in reversed(ITEM_COLUMNS):
            batch_op.drop_column(column.name)
