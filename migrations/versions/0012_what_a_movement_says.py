"""what a statement row says of its movement of money, by which it is known again"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

TEXTS = {'number': 120, 'account': 64, 'counter_account': 64, 'status': 80}


def upgrade() -> None:
    with op.batch_alter_table('statement_row', schema=None) as batch_op:
        for name, length in TEXTS.items():
            batch_op.add_column(sa.Column(name, sa.String(length), server_default='', nullable=False))
        batch_op.add_column(sa.Column('is_time_known', sa.Boolean(), server_default='1', nullable=False))
        batch_op.add_column(sa.Column('balance', sa.BigInteger(), nullable=True))
        batch_op.create_index('statement_row_paid_idx', ['paid_at'])
        batch_op.create_index('statement_row_number_idx', ['number'])
        batch_op.create_index('statement_row_counter_idx', ['counter_account'])
    # a row without a number of the bank's was stored under a digest and its occurrence
    op.execute(
        "UPDATE statement_row SET number = transaction_id "
        "WHERE NOT (length(transaction_id) > 33 AND substr(transaction_id, 33, 1) = '-')"
    )
    op.execute(
        "UPDATE statement_row SET state = 'waiting', payment_id = NULL, "
        "reason = '{\"code\": \"receipt_voided\", \"inputs\": {}}', row_version = row_version + 1 "
        "WHERE payment_id IN (SELECT id FROM payment WHERE state <> 'posted')"
    )
    op.execute(
        "UPDATE direct_debit SET state = 'failed', bank_reason = COALESCE((SELECT substr(reason, 1, 200) "
        "FROM payment WHERE payment.id = payment_id), ''), payment_id = NULL "
        "WHERE payment_id IN (SELECT id FROM payment WHERE state = 'reversed')"
    )
    op.execute(
        "UPDATE direct_debit SET state = 'sent', bank_reason = (SELECT receipt_no FROM payment "
        "WHERE payment.id = payment_id), payment_id = NULL "
        "WHERE payment_id IN (SELECT id FROM payment WHERE state = 'void')"
    )


def downgrade() -> None:
    with op.batch_alter_table('statement_row', schema=None) as batch_op:
        batch_op.drop_index('statement_row_counter_idx')
        batch_op.drop_index('statement_row_number_idx')
        batch_op.drop_index('statement_row_paid_idx')
        batch_op.drop_column('balance')
        batch_op.drop_column('is_time_known')
        for name in reversed(list(TEXTS)):
            batch_op.drop_column(name)
