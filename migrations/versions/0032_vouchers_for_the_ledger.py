"""vouchers for the ledger: accounts of items and methods, vouchers with lines and documents, income billed ahead"""

import sqlalchemy as sa
from alembic import op

revision = '0032'
down_revision = '0031'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
USES = "('item', 'method', 'receivable', 'advances', 'deferred', 'late_fee', 'output_tax')"


def key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = op.f(f'{table}_{column}_fkey')
    return sa.ForeignKeyConstraint([column], [f'{target}.id'], name=name, ondelete='RESTRICT')


def upgrade() -> None:
    op.create_table(
        'ledger_account',
        sa.Column('use', sa.String(20), nullable=False),
        sa.Column('fee_item_id', ID, nullable=True),
        sa.Column('method', sa.String(20), server_default='', nullable=False),
        sa.Column('target', sa.String(60), nullable=False),
        sa.Column('account', sa.String(40), nullable=False),
        sa.Column('account_name', sa.String(120), server_default='', nullable=False),
        sa.Column('tax_rate', sa.BigInteger(), server_default='0', nullable=False),
        sa.Column('auxiliary', sa.String(20), server_default='none', nullable=False),
        sa.Column('valid_from', sa.Date(), nullable=False),
        sa.Column('row_version', sa.Integer(), server_default='1', nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint(f'use IN {USES}', name=op.f('ledger_account_use_known')),
        sa.CheckConstraint(
            "auxiliary IN ('none', 'unit', 'payer', 'unit_payer', 'building')",
            name=op.f('ledger_account_auxiliary_known'),
        ),
        sa.CheckConstraint(
            "method IN ('', 'cash', 'card', 'bank_transfer', 'direct_debit', 'wechat', 'alipay')",
            name=op.f('ledger_account_method_known'),
        ),
        sa.CheckConstraint(
            "(use = 'item') = (fee_item_id IS NOT NULL)", name=op.f('ledger_account_item_has_its_item')
        ),
        sa.CheckConstraint("(use = 'method') = (method <> '')", name=op.f('ledger_account_method_has_its_method')),
        sa.CheckConstraint('tax_rate BETWEEN 0 AND 10000', name=op.f('ledger_account_tax_rate_in_range')),
        sa.CheckConstraint("account <> ''", name=op.f('ledger_account_is_named')),
        key('ledger_account', 'fee_item_id', 'fee_item'),
        sa.PrimaryKeyConstraint('id', name=op.f('ledger_account_pkey')),
        sa.UniqueConstraint('target', 'valid_from', name=op.f('ledger_account_once_per_start')),
    )
    op.create_table(
        'voucher',
        sa.Column('number', sa.String(30), nullable=False),
        sa.Column('period', sa.String(7), nullable=False),
        sa.Column('running_no', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(12), nullable=False),
        sa.Column('dated_on', sa.Date(), nullable=False),
        sa.Column('amount', sa.BigInteger(), nullable=False),
        sa.Column('reverses_id', ID, nullable=True),
        sa.Column('reason', sa.String(), server_default='', nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('made_by_id', ID, nullable=True),
        sa.Column('exported_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('exported_by_id', ID, nullable=True),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint(
            "kind IN ('bills', 'credits', 'receipts', 'offsets', 'given_back', 'income', 'reversal')",
            name=op.f('voucher_kind_known'),
        ),
        sa.CheckConstraint(
            "(kind = 'reversal') = (reverses_id IS NOT NULL)", name=op.f('voucher_reversal_says_of_what')
        ),
        key('voucher', 'reverses_id', 'voucher'),
        key('voucher', 'made_by_id', 'staff'),
        key('voucher', 'exported_by_id', 'staff'),
        sa.PrimaryKeyConstraint('id', name=op.f('voucher_pkey')),
        sa.UniqueConstraint('number', name=op.f('voucher_number_key')),
        sa.UniqueConstraint('period', 'running_no', name=op.f('voucher_number_once_a_month')),
        sa.UniqueConstraint('reverses_id', name=op.f('voucher_reversed_once')),
    )
    not_exported = sa.text('exported_at IS NULL')
    op.create_index(
        'voucher_not_exported_idx',
        'voucher',
        ['period'],
        sqlite_where=not_exported,
        postgresql_where=not_exported,
    )
    op.create_table(
        'voucher_line',
        sa.Column('voucher_id', ID, nullable=False),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('use', sa.String(20), nullable=False),
        sa.Column('account', sa.String(40), nullable=False),
        sa.Column('account_name', sa.String(120), nullable=False),
        sa.Column('debit', sa.BigInteger(), nullable=False),
        sa.Column('credit', sa.BigInteger(), nullable=False),
        sa.Column('unit_id', ID, nullable=True),
        sa.Column('payer_id', ID, nullable=True),
        sa.Column('building_id', ID, nullable=True),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint(f'use IN {USES}', name=op.f('voucher_line_use_known')),
        sa.CheckConstraint('(debit = 0) <> (credit = 0)', name=op.f('voucher_line_debit_or_credit')),
        key('voucher_line', 'voucher_id', 'voucher'),
        key('voucher_line', 'unit_id', 'unit'),
        key('voucher_line', 'payer_id', 'owner'),
        key('voucher_line', 'building_id', 'building'),
        sa.PrimaryKeyConstraint('id', name=op.f('voucher_line_pkey')),
        sa.UniqueConstraint('voucher_id', 'position', name=op.f('voucher_line_position_once')),
    )
    op.create_table(
        'voucher_source',
        sa.Column('voucher_id', ID, nullable=False),
        sa.Column('source', sa.String(12), nullable=False),
        sa.Column('source_id', ID, nullable=False),
        sa.Column('is_live', sa.Boolean(), server_default='1', nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint(
            "source IN ('invoice', 'credit_note', 'payment', 'allocation')", name=op.f('voucher_source_known')
        ),
        key('voucher_source', 'voucher_id', 'voucher'),
        sa.PrimaryKeyConstraint('id', name=op.f('voucher_source_pkey')),
    )
    op.create_index('voucher_source_voucher_idx', 'voucher_source', ['voucher_id'])
    op.create_index(
        'voucher_source_in_one_voucher',
        'voucher_source',
        ['source', 'source_id'],
        unique=True,
        sqlite_where=sa.text('is_live'),
        postgresql_where=sa.text('is_live'),
    )
    op.create_table(
        'deferred_income',
        sa.Column('voucher_id', ID, nullable=False),
        sa.Column('invoice_line_id', ID, nullable=False),
        sa.Column('month', sa.String(7), nullable=False),
        sa.Column('amount', sa.BigInteger(), nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint('amount <> 0', name=op.f('deferred_income_not_zero')),
        key('deferred_income', 'voucher_id', 'voucher'),
        key('deferred_income', 'invoice_line_id', 'invoice_line'),
        sa.PrimaryKeyConstraint('id', name=op.f('deferred_income_pkey')),
    )
    op.create_index('deferred_income_month_idx', 'deferred_income', ['month', 'invoice_line_id'])
    op.create_index('deferred_income_voucher_idx', 'deferred_income', ['voucher_id'])
    op.create_index('deferred_income_line_idx', 'deferred_income', ['invoice_line_id'])


def downgrade() -> None:
    for table in ('deferred_income', 'voucher_source', 'voucher_line', 'voucher', 'ledger_account'):
        op.drop_table(table)
