"""cheques: how a payment by cheque stands with the bank; cheque as a way to pay"""

import sqlalchemy as sa
from alembic import op

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
METHODS = "'cash', 'card', 'bank_transfer', 'direct_debit', 'wechat', 'alipay'"


def upgrade() -> None:
    _methods(f"{METHODS}, 'cheque'")
    op.create_table(
        'cheque',
        sa.Column('payment_id', ID, nullable=False),
        sa.Column('number', sa.String(40), nullable=False),
        sa.Column('bank', sa.String(120), nullable=False),
        sa.Column('due_on', sa.Date(), nullable=False),
        sa.Column('state', sa.String(12), server_default='to_present', nullable=False),
        sa.Column('presented_on', sa.Date(), nullable=True),
        sa.Column('cleared_on', sa.Date(), nullable=True),
        sa.Column('bounced_on', sa.Date(), nullable=True),
        sa.Column('fee_invoice_id', ID, nullable=True),
        sa.Column('row_version', sa.Integer(), server_default='1', nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint(
            "state IN ('to_present', 'presented', 'cleared', 'bounced', 'void')",
            name=op.f('cheque_state_known'),
        ),
        sa.CheckConstraint("number <> '' AND bank <> ''", name=op.f('cheque_has_number_and_bank')),
        sa.ForeignKeyConstraint(
            ['payment_id'], ['payment.id'], name=op.f('cheque_payment_id_fkey'), ondelete='RESTRICT'
        ),
        sa.ForeignKeyConstraint(
            ['fee_invoice_id'], ['invoice.id'], name=op.f('cheque_fee_invoice_id_fkey'), ondelete='RESTRICT'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('cheque_pkey')),
        sa.UniqueConstraint('payment_id', name=op.f('cheque_payment_id_key')),
    )
    op.create_index('cheque_state_idx', 'cheque', ['state', 'due_on'])


def downgrade() -> None:
    op.drop_table('cheque')
    # the older program knows no cheques: their payments stay, as bank transfers
    op.execute("UPDATE payment SET method = 'bank_transfer' WHERE method = 'cheque'")
    op.execute("DELETE FROM ledger_account WHERE method = 'cheque'")
    _methods(METHODS)


def _methods(words: str) -> None:
    with op.batch_alter_table('payment', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('payment_method_known'), type_='check')
        batch_op.create_check_constraint(op.f('payment_method_known'), f'method IN ({words})')
    with op.batch_alter_table('ledger_account', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ledger_account_method_known'), type_='check')
        batch_op.create_check_constraint(op.f('ledger_account_method_known'), f"method IN ('', {words})")
