"""estate: the company that manages it, its contract with the owners, words in three languages, codes to pay"""

import sqlalchemy as sa
from alembic import op

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
LENGTHS = {
    'name_zh_hant': 120,
    'name_en': 120,
    'address_zh_hant': 300,
    'address_en': 300,
    'company_name': 200,
    'company_name_zh_hant': 200,
    'company_name_en': 200,
    'registration_no': 40,
    'registered_address': 300,
    'registered_address_zh_hant': 300,
    'registered_address_en': 300,
    'legal_representative': 120,
    'licence': 120,
    'contract_name': 200,
    'contract_name_zh_hant': 200,
    'contract_name_en': 200,
    'contract_number': 80,
    'clause_fees': 80,
    'clause_late_fees': 80,
    'clause_restrictions': 80,
    'payment_accounts_zh_hant': None,
    'payment_accounts_en': None,
    'ways_to_pay_zh_hant': None,
    'ways_to_pay_en': None,
    'public_address': 300,
}


def upgrade() -> None:
    with op.batch_alter_table('estate', schema=None) as batch_op:
        for name, length in LENGTHS.items():
            batch_op.add_column(sa.Column(name, sa.String(length), server_default='', nullable=False))
        batch_op.add_column(sa.Column('contract_signed_on', sa.Date(), nullable=True))
        batch_op.create_check_constraint(
            op.f('estate_currency_known'), "currency IN ('CNY', 'HKD', 'TWD', 'MOP')"
        )
    op.create_table(
        'collection_code',
        sa.Column('way', sa.String(20), nullable=False),
        sa.Column('picture', sa.LargeBinary(), nullable=False),
        sa.Column('row_version', sa.Integer(), server_default='1', nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint(
            "way IN ('wechat', 'alipay', 'combined', 'unionpay', 'fps', 'line_pay', 'twqr')",
            name=op.f('collection_code_way_known'),
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('collection_code_pkey')),
        sa.UniqueConstraint('way', name=op.f('collection_code_way_key')),
    )


def downgrade() -> None:
    op.drop_table('collection_code')
    with op.batch_alter_table('estate', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('estate_currency_known'), type_='check')
        batch_op.drop_column('contract_signed_on')
        for name in reversed(LENGTHS):
            batch_op.drop_column(name)
