"""indexes of what is asked by its payment or by its invoice line"""

from alembic import op

revision = '0047'
down_revision = '0046'
branch_labels = None
depends_on = None

ASKED = (
    ('statement_row', 'payment_id'),
    ('direct_debit', 'payment_id'),
    ('deposit', 'payment_id'),
    ('allocation_line', 'invoice_line_id'),
    ('credit_note_line', 'invoice_line_id'),
)


def upgrade() -> None:
    for table, column in ASKED:
        op.create_index(op.f(f'{table}_{column}_idx'), table, [column])


def downgrade() -> None:
    for table, column in ASKED:
        op.drop_index(op.f(f'{table}_{column}_idx'), table)
