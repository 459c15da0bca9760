"""a direct debit keeps unit code, bank, account and account name as they were exported"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

LENGTHS = {'unit_code': 40, 'bank': 80, 'account': None, 'account_name': 120}  # account: sealed, of any length


def upgrade() -> None:
    with op.batch_alter_table('direct_debit', schema=None) as batch_op:
        for name, length in LENGTHS.items():
            kind = sa.String(length) if length else sa.Text()
            batch_op.add_column(sa.Column(name, kind, server_default='', nullable=False))
    unit = 'SELECT {} FROM invoice JOIN unit ON unit.id = invoice.unit_id WHERE invoice.id = direct_debit.invoice_id'
    mandate = (
        'SELECT {} FROM invoice JOIN debit_mandate ON debit_mandate.unit_id = invoice.unit_id '
        'AND debit_mandate.owner_id = invoice.payer_id WHERE invoice.id = direct_debit.invoice_id'
    )
    found = {'unit_code': unit.format('unit.code')} | {
        name: mandate.format(f'debit_mandate.{name}') for name in ('bank', 'account', 'account_name')
    }
    for name, query in found.items():
        op.execute(f"UPDATE direct_debit SET {name} = COALESCE(({query}), '')")


def downgrade() -> None:
    with op.batch_alter_table('direct_debit', schema=None) as batch_op:
        for name in LENGTHS:
            batch_op.drop_column(name)
