"""searched by beginning"""

from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

COLUMNS = (
    ('unit', 'code'),
    ('owner', 'name'),
    ('owner', 'pinyin_initials'),
    ('invoice', 'number'),
    ('payment', 'receipt_no'),
    ('ticket', 'number'),
)


def upgrade() -> None:
    if op.get_bind().dialect.name != 'postgresql':
        return
    for table, column in COLUMNS:
        ops = {column: 'varchar_pattern_ops'}
        op.create_index(f'{table}_{column}_prefix_idx', table, [column], postgresql_ops=ops)


def downgrade() -> None:
    if op.get_bind().dialect.name != 'postgresql':
        return
    for table, column in COLUMNS:
        op.drop_index(f'{table}_{column}_prefix_idx', table)
