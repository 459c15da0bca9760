"""allocation_line and credit_note_line: what lies on which line of a bill; earmark; invoice_line.paid and .credited

What was paid and credited before is laid on the lines: exactly where a bill has one line or was paid in full by one
payment, else in proportion to what is open of each (largest remainder, refundable deposits last), marked estimated.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from alembic import op

from models.base import Instant

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
NEVER_OVERPAID = 'invoice_line_never_overpaid'
FROM_EARMARK = 'allocation_earmark_id_fkey'
ONE_LINE = 'SELECT invoice_id, MIN(id) AS line_id FROM invoice_line GROUP BY invoice_id HAVING COUNT(*) = 1'
AT_ONCE = 50_000  # bills
SEVERAL = 'SELECT invoice_id FROM invoice_line GROUP BY invoice_id HAVING COUNT(*) > 1'


def upgrade() -> None:
    op.create_table(
        'earmark',
        sa.Column('payment_id', ID, nullable=False),
        sa.Column('fee_item_id', ID, nullable=True),
        sa.Column('from_on', sa.Date(), nullable=True),
        sa.Column('to_on', sa.Date(), nullable=True),
        sa.Column('amount', sa.BigInteger(), nullable=False),
        sa.Column('made_at', Instant(), nullable=False),
        sa.Column('made_by_id', ID, nullable=True),
        sa.Column('ended_at', Instant(), nullable=True),
        sa.Column('ended_by_id', ID, nullable=True),
        sa.Column('row_version', sa.Integer(), server_default='1', nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint('amount > 0', name=op.f('earmark_amount_positive')),
        sa.CheckConstraint(
            'fee_item_id IS NOT NULL OR from_on IS NOT NULL OR to_on IS NOT NULL', name=op.f('earmark_is_for_something')
        ),
        sa.CheckConstraint(
            'from_on IS NULL OR to_on IS NULL OR from_on <= to_on', name=op.f('earmark_from_before_to')
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f'{table}.id'], name=op.f(f'earmark_{column}_fkey'), ondelete='RESTRICT'
            )
            for column, table in (
                ('payment_id', 'payment'), ('fee_item_id', 'fee_item'), ('made_by_id', 'staff'), ('ended_by_id', 'staff')
            )
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('earmark_pkey')),
    )
    op.create_index('earmark_payment_id_idx', 'earmark', ['payment_id'])
    for table, of, sign in (('allocation_line', 'allocation', '<>'), ('credit_note_line', 'credit_note', '>')):
        called = 'not_zero' if sign == '<>' else 'positive'
        op.create_table(
            table,
            sa.Column(f'{of}_id', ID, nullable=False),
            sa.Column('invoice_line_id', ID, nullable=False),
            sa.Column('amount', sa.BigInteger(), nullable=False),
            sa.Column('is_estimated', sa.Boolean(), server_default='0', nullable=False),
            sa.Column('id', ID, nullable=False),
            sa.CheckConstraint(f'amount {sign} 0', name=op.f(f'{table}_amount_{called}')),
            sa.ForeignKeyConstraint([f'{of}_id'], [f'{of}.id'], name=op.f(f'{table}_{of}_id_fkey'), ondelete='RESTRICT'),
            sa.ForeignKeyConstraint(
                ['invoice_line_id'],
                ['invoice_line.id'],
                name=op.f(f'{table}_invoice_line_id_fkey'),
                ondelete='RESTRICT',
            ),
            sa.PrimaryKeyConstraint('id', name=op.f(f'{table}_pkey')),
            sa.UniqueConstraint(f'{of}_id', 'invoice_line_id', name=f'{table}_once'),
        )
    with op.batch_alter_table('allocation', schema=None) as batch_op:
        batch_op.add_column(sa.Column('earmark_id', ID, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f(FROM_EARMARK), 'earmark', ['earmark_id'], ['id'], ondelete='RESTRICT'
        )
        batch_op.create_index(
            'allocation_earmark_idx',
            ['earmark_id'],
            sqlite_where=sa.text('earmark_id IS NOT NULL'),
            postgresql_where=sa.text('earmark_id IS NOT NULL'),
        )
    with op.batch_alter_table('invoice_line', schema=None) as batch_op:
        batch_op.add_column(sa.Column('paid', sa.BigInteger(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('credited', sa.BigInteger(), server_default='0', nullable=False))
    _lay_credits()
    _lay_payments()
    with op.batch_alter_table('invoice_line', schema=None) as batch_op:
        batch_op.create_check_constraint(
            batch_op.f(NEVER_OVERPAID), 'paid >= 0 AND credited >= 0 AND paid + credited <= amount'
        )
    op.execute(
        'INSERT INTO figures_stale (building_id, period) SELECT DISTINCT u.building_id, i.period FROM invoice i '
        'JOIN unit u ON u.id = i.unit_id WHERE i.paid + i.credited > 0 AND NOT EXISTS '
        '(SELECT 1 FROM figures_stale s WHERE s.building_id = u.building_id AND s.period = i.period)'
    )


def downgrade() -> None:
    with op.batch_alter_table('invoice_line', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f(NEVER_OVERPAID), type_='check')
        batch_op.drop_column('credited')
        batch_op.drop_column('paid')
    with op.batch_alter_table('allocation', schema=None) as batch_op:
        batch_op.drop_index('allocation_earmark_idx')
        batch_op.drop_constraint(batch_op.f(FROM_EARMARK), type_='foreignkey')
        batch_op.drop_column('earmark_id')
    for table in ('credit_note_line', 'allocation_line', 'earmark'):
        op.drop_table(table)


def _lay_credits() -> None:
    op.execute(
        'INSERT INTO credit_note_line (credit_note_id, invoice_line_id, amount, is_estimated) '
        f'SELECT n.id, o.line_id, n.amount, false FROM credit_note n JOIN ({ONE_LINE}) o ON o.invoice_id = n.invoice_id'
    )
    notes = (
        'SELECT n.invoice_id, n.id, n.fee_item_id, n.amount FROM credit_note n '
        f'WHERE {{window}} AND n.invoice_id IN ({SEVERAL}) ORDER BY n.invoice_id, n.fee_item_id IS NULL, n.id'
    )
    for lines, of_bills in _windows(notes, 'n'):
        laid = []
        for invoice_id, of_bill in of_bills:
            for _, note_id, item_id, amount in of_bill:
                some = [line for line in lines[invoice_id] if item_id in {None, line.item}]
                laid += [(note_id, *part, len(some) > 1) for part in _shares(amount, some)]
        _insert('credit_note_line', 'credit_note_id', laid)
    _add_up('credited', 'credit_note_line')


def _lay_payments() -> None:
    op.execute(
        'INSERT INTO allocation_line (allocation_id, invoice_line_id, amount, is_estimated) '
        'SELECT a.id, o.line_id, a.amount, false FROM allocation a '
        f"JOIN ({ONE_LINE}) o ON o.invoice_id = a.invoice_id WHERE a.part = 'principal' ORDER BY a.id"
    )
    paid_at_once = (  # by one row, all that its lines ask for
        "SELECT a.invoice_id, MIN(a.id) AS id FROM allocation a WHERE a.part = 'principal' "
        f'AND a.invoice_id IN ({SEVERAL}) GROUP BY a.invoice_id HAVING COUNT(*) = 1 AND SUM(a.amount) = '
        '(SELECT SUM(l.amount - l.credited) FROM invoice_line l WHERE l.invoice_id = a.invoice_id)'
    )
    op.execute(
        'INSERT INTO allocation_line (allocation_id, invoice_line_id, amount, is_estimated) '
        f'SELECT p.id, l.id, l.amount - l.credited, false FROM ({paid_at_once}) p '
        'JOIN invoice_line l ON l.invoice_id = p.invoice_id WHERE l.amount <> l.credited ORDER BY p.id, l.id'
    )
    rest = (
        'SELECT a.invoice_id, a.id, a.payment_id, a.amount FROM allocation a '
        f"WHERE {{window}} AND a.part = 'principal' AND a.invoice_id IN ({SEVERAL}) AND NOT EXISTS "
        '(SELECT 1 FROM allocation_line x WHERE x.allocation_id = a.id) ORDER BY a.invoice_id, a.id'
    )
    for lines, of_bills in _windows(rest, 'a'):
        laid = []
        for invoice_id, of_bill in of_bills:
            laid += [(*part, True) for part in _laid(lines[invoice_id], [tuple(row[1:]) for row in of_bill])]
        _insert('allocation_line', 'allocation_id', laid)
    _add_up('paid', 'allocation_line')


class Line:
    """A line of a bill with the fen that nothing credits or pays yet."""

    def __init__(self, line_id: int, item: int, basis: str, amount: int) -> None:
        self.id, self.item, self.is_deposit, self.amount, self.open = line_id, item, basis == 'deposit', amount, amount


def _windows(query: str, table: str) -> Iterator[tuple[dict[int, list[Line]], Iterator[tuple[int, Any]]]]:
    """The rows of a query (invoice id first) by invoice, with the lines of these, not too many at once."""
    bind = op.get_bind()
    last = bind.scalar(sa.text('SELECT MAX(id) FROM invoice')) or 0
    for after in range(0, last, AT_ONCE):
        window = f'{table}.invoice_id > {after} AND {table}.invoice_id <= {after + AT_ONCE}'
        rows = bind.execute(sa.text(query.format(window=window))).all()
        if not rows:
            continue
        lines: dict[int, list[Line]] = defaultdict(list)
        for invoice_id, *line in bind.execute(
            sa.text(
                'SELECT l.invoice_id, l.id, l.fee_item_id, f.basis, l.amount - l.credited FROM invoice_line l '
                f'JOIN fee_item f ON f.id = l.fee_item_id WHERE {window.replace(f"{table}.", "l.")} ORDER BY l.id'
            )
        ):
            lines[invoice_id].append(Line(*line))
        yield lines, groupby(rows, itemgetter(0))


def _shares(amount: int, lines: Sequence[Line]) -> list[tuple[int, int]]:
    """Take fen from what is open of lines, in proportion, deposits last: (line id, fen)."""
    found: list[tuple[int, int]] = []
    left = amount
    for is_deposit in (False, True):
        some = [line for line in lines if line.is_deposit is is_deposit and line.open]
        whole = sum(line.open for line in some)
        taken = min(left, whole)
        if not taken:
            continue
        exact = [Fraction(taken * line.open, whole) for line in some]
        parts = [int(one) for one in exact]
        by_remainder = sorted(range(len(some)), key=lambda place: parts[place] - exact[place])
        for place in by_remainder[: taken - sum(parts)]:
            parts[place] += 1
        for line, part in zip(some, parts, strict=True):
            line.open -= part
            if part:
                found.append((line.id, part))
        left -= taken
    return found


def _laid(
    lines: list[Line], allocations: Sequence[tuple[int, int, int]]
) -> Iterator[tuple[int, int, int]]:
    """(allocation id, line id, fen) of a bill's allocations (id, payment id, fen) to its principal.

    What a payment has given back lay on any lines: only what is left of each payment counts.
    """
    net: dict[int, int] = defaultdict(int)
    back: dict[int, int] = defaultdict(int)
    for _, payment_id, amount in allocations:
        net[payment_id] += amount
        back[payment_id] -= min(amount, 0)
    given: dict[int, dict[int, int]] = {}
    taken: dict[int, dict[int, int]] = {}
    for payment_id, amount in net.items():
        taken[payment_id] = dict(_shares(back[payment_id], [Line(one.id, one.item, '', one.amount) for one in lines]))
        more = back[payment_id] - sum(taken[payment_id].values())  # paid and given back several times
        if more:
            taken[payment_id][lines[0].id] = taken[payment_id].get(lines[0].id, 0) + more
        given[payment_id] = dict(_shares(amount, lines))
        for line_id, fen in taken[payment_id].items():
            given[payment_id][line_id] = given[payment_id].get(line_id, 0) + fen
    for allocation_id, payment_id, amount in allocations:
        among, left = (given if amount > 0 else taken)[payment_id], abs(amount)
        for line_id in list(among):
            part = min(left, among[line_id])
            if part:
                among[line_id] -= part
                left -= part
                yield allocation_id, line_id, part if amount > 0 else -part


def _insert(table: str, of: str, rows: Sequence[tuple[int, int, int, bool]]) -> None:
    names = (of, 'invoice_line_id', 'amount', 'is_estimated')
    if rows:
        op.get_bind().execute(
            sa.text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"),
            [dict(zip(names, row, strict=True)) for row in rows],
        )


def _add_up(total: str, table: str) -> None:
    op.execute(
        f'UPDATE invoice_line SET {total} = s.total FROM (SELECT invoice_line_id, SUM(amount) AS total FROM {table} '
        'GROUP BY invoice_line_id) s WHERE s.invoice_line_id = invoice_line.id'
    )
