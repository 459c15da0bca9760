"""estate: basis of fees, service level, where to complain; fee items: kind of price"""

import sqlalchemy as sa
from alembic import op

revision = '0039'
down_revision = '0038'
branch_labels = None
depends_on = None

LENGTHS = {
    'fee_scheme': 12,
    'service_level': 120,
    'service_level_zh_hant': 120,
    'service_level_en': 120,
    'complaint_numbers': None,
    'complaint_numbers_zh_hant': None,
    'complaint_numbers_en': None,
}


def upgrade() -> None:
    with op.batch_alter_table('estate', schema=None) as batch_op:
        for name, length in LENGTHS.items():
            batch_op.add_column(sa.Column(name, sa.String(length), server_default='', nullable=False))
        batch_op.create_check_constraint(
            op.f('estate_fee_scheme_known'), "fee_scheme IN ('', 'lump_sum', 'commission')"
        )
    with op.batch_alter_table('fee_item', schema=None) as batch_op:
        batch_op.add_column(sa.Column('price_kind', sa.String(12), server_default='', nullable=False))
        batch_op.create_check_constraint(
            op.f('fee_item_price_kind_known'), "price_kind IN ('', 'market', 'guided', 'regulated')"
        )


def downgrade() -> None:
    with op.batch_alter_table('fee_item', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('fee_item_price_kind_known'), type_='check')
        batch_op.drop_column('price_kind')
    with op.batch_alter_table('estate', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('estate_fee_scheme_known'), type_='check')
        for name in reversed(LENGTHS):
            batch_op.drop_column(name)
