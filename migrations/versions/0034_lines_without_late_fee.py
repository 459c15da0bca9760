"""lines that bear no late fee"""

import sqlalchemy as sa
from alembic import op

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None

INDEX = 'invoice_line_without_late_fee_idx'


def upgrade() -> None:
    op.add_column(
        'invoice_line', sa.Column('bears_late_fee', sa.Boolean(), server_default='1', nullable=False)
    )
    op.create_index(
        INDEX,
        'invoice_line',
        ['invoice_id'],
        sqlite_where=sa.text('bears_late_fee = 0'),
        postgresql_where=sa.text('NOT bears_late_fee'),
    )


def downgrade() -> None:
    op.drop_index(INDEX, 'invoice_line')
    with op.batch_alter_table('invoice_line', schema=None) as batch_op:
        batch_op.drop_column('bears_late_fee')
