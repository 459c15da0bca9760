"""what lists of units, meters, buildings and people are ordered by: a column beside each code and name"""

import sqlalchemy as sa
from alembic import op

from models.pinyin import name_key
from rules.text_order import code_key

revision = '0046'
down_revision = '0045'
branch_labels = None
depends_on = None

KEYS = (
    ('building', 'name', code_key),
    ('unit', 'code', code_key),
    ('meter', 'code', code_key),
    ('owner', 'name', name_key),
)
INDEXED = (('unit', 'code'), ('owner', 'name'))
CHUNK = 2000
VACANT = sa.text("state = 'vacant'")


def upgrade() -> None:
    collation = 'C' if op.get_bind().dialect.name == 'postgresql' else None
    for table, column, key in KEYS:
        kind = sa.String(400, collation=collation)
        op.add_column(table, sa.Column(f'{column}_sort', kind, server_default='', nullable=False))
        _fill(table, column, key)
    for table, column in INDEXED:
        op.create_index(f'{table}_{column}_sort_idx', table, [f'{column}_sort', 'id'])
    _vacant_by('code_sort')


def downgrade() -> None:
    _vacant_by('code')
    for table, column in INDEXED:
        op.drop_index(f'{table}_{column}_sort_idx', table)
    for table, column, _key in reversed(KEYS):
        op.drop_column(table, f'{column}_sort')


def _vacant_by(column: str) -> None:
    op.drop_index('unit_vacant_idx', 'unit')
    op.create_index(
        'unit_vacant_idx', 'unit', [column, 'id'], sqlite_where=VACANT, postgresql_where=VACANT
    )


def _fill(name: str, column: str, key) -> None:
    table = sa.table(name, sa.column('id'), sa.column(column), sa.column(f'{column}_sort'))
    change = sa.update(table).where(table.c.id == sa.bindparam('of'))
    change = change.values({f'{column}_sort': sa.bindparam('new')})
    last = 0
    while True:
        asked = sa.select(table.c.id, table.c[column]).where(table.c.id > last)
        rows = op.get_bind().execute(asked.order_by(table.c.id).limit(CHUNK)).all()
        if not rows:
            return
        op.get_bind().execute(change, [{'of': row[0], 'new': key(row[1])} for row in rows])
        last = rows[-1][0]
