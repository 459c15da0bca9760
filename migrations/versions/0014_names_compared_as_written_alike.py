"""names are compared without regard to width, kind of dash and case: a folded column beside each

Rows of an office that bore equal names before stay as they are. One of them has the folded form; that of each
other one gets its id behind it, by which `flask check` finds it.
"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from rules.text_keys import compared_key, text_key

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

# table, column, its length, within which columns it is unique (None: not at all), and that constraint's name
NAMES = (
    ('area', 'name', 80, (), 'area_name_folded_key'),
    ('building', 'name', 80, ('area_id',), 'building_name_folded_once_per_area'),
    ('unit', 'code', 40, (), 'unit_code_folded_key'),
    ('owner', 'name', 120, None, ''),
    ('department', 'code', 40, (), 'department_code_folded_key'),
    ('staff', 'login', 60, (), 'staff_login_folded_key'),
    ('fee_item', 'code', 40, (), 'fee_item_code_folded_key'),
    ('meter', 'code', 60, ('unit_id',), 'meter_code_folded_once_per_unit'),
    ('service_slip', 'slip_no', 40, (), 'service_slip_slip_no_folded_key'),
    ('category', 'code', 40, (), 'category_code_folded_key'),
    ('ticket', 'number', 40, (), 'ticket_number_folded_key'),
    ('statement_layout', 'name', 80, (), 'statement_layout_name_folded_key'),
    ('saved_view', 'name', 80, ('staff_id', 'screen'), 'saved_view_name_folded_once'),
)
SEARCHED = (('unit', 'code'), ('owner', 'name'), ('ticket', 'number'))
CHUNK = 2000


def upgrade() -> None:
    for table, column, length, scope, name in NAMES:
        folded = f'{column}_folded'
        op.add_column(table, sa.Column(folded, sa.String(3 * length), nullable=True))
        _fill(table, column, folded)
        if scope is not None:
            _set_doubles_apart(table, column, folded, scope)
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.alter_column(folded, existing_type=sa.String(3 * length), nullable=False)
            if scope is not None:
                batch_op.create_unique_constraint(op.f(name), [*scope, folded])
    op.create_index('owner_name_folded_idx', 'owner', ['name_folded'])
    _prefix_indexes(new=True)


def downgrade() -> None:
    _prefix_indexes(new=False)
    op.drop_index('owner_name_folded_idx', 'owner')
    for table, column, _length, scope, name in reversed(NAMES):
        with op.batch_alter_table(table, schema=None) as batch_op:
            if scope is not None:
                batch_op.drop_constraint(op.f(name), type_='unique')
            batch_op.drop_column(f'{column}_folded')


def _prefix_indexes(*, new: bool) -> None:
    if op.get_bind().dialect.name != 'postgresql':
        return
    for table, column in SEARCHED:
        before, after = (column, f'{column}_folded') if new else (f'{column}_folded', column)
        op.drop_index(f'{table}_{before}_prefix_idx', table)
        ops = {after: 'varchar_pattern_ops'}
        op.create_index(f'{table}_{after}_prefix_idx', table, [after], postgresql_ops=ops)


def _chunks(table: sa.TableClause, column: str) -> Iterator[list[tuple[int, str]]]:
    last = 0
    while True:
        asked = sa.select(table.c.id, table.c[column]).where(table.c.id > last)
        rows = op.get_bind().execute(asked.order_by(table.c.id).limit(CHUNK)).all()
        if not rows:
            return
        yield [(row[0], row[1]) for row in rows]
        last = rows[-1][0]


def _table(table: str, *columns: str) -> sa.TableClause:
    return sa.table(table, sa.column('id'), *(sa.column(name) for name in columns))


def _fill(name: str, column: str, folded: str) -> None:
    table = _table(name, column, folded)
    change = sa.update(table).where(table.c.id == sa.bindparam('of')).values({folded: sa.bindparam('new')})
    for rows in _chunks(table, column):
        op.get_bind().execute(change, [{'of': key, 'new': compared_key(text)} for key, text in rows])


def _set_doubles_apart(name: str, column: str, folded: str, scope: tuple[str, ...]) -> None:
    table = _table(name, column, folded, *scope)
    place = [table.c[each] for each in (*scope, folded)]
    doubles = sa.select(*place).group_by(*place).having(sa.func.count() > 1)
    for found in op.get_bind().execute(doubles).all():
        alike = [each == value for each, value in zip(place, found, strict=True)]
        rows = op.get_bind().execute(sa.select(table.c.id, table.c[column]).where(*alike)).all()
        rows = sorted(rows, key=lambda row: (row[1] != text_key(row[1]), row[0]))
        for key, _text in rows[1:]:
            apart = sa.update(table).where(table.c.id == key)
            op.get_bind().execute(apart.values({folded: f'{found[-1]}\n{key}'}))
