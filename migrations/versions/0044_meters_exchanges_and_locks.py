"""meters: factor, direction, where they wrap, out of use; kinds of readings, their bills; yearly tiers"""

import json
from datetime import date

import sqlalchemy as sa
from alembic import op

revision = '0044'
down_revision = '0043'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
ONCE = 'meter_reading_once_a_day'
NOT_A_START = sa.text("kind <> 'exchange_start'")
SPECIAL = sa.text("kind <> 'read' OR factor IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table('meter', schema=None) as batch_op:
        batch_op.add_column(sa.Column('factor', sa.BigInteger(), server_default='10000', nullable=False))
        batch_op.add_column(sa.Column('counts_down', sa.Boolean(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('wraps_at', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('out_of_use_from', sa.Date(), nullable=True))
        batch_op.create_check_constraint(op.f('meter_factor_positive'), 'factor > 0')
        batch_op.create_check_constraint(op.f('meter_wraps_above_zero'), 'wraps_at > 0')
    with op.batch_alter_table('meter_reading', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(20), server_default='read', nullable=False))
        batch_op.add_column(sa.Column('factor', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('invoice_id', ID, nullable=True))
        batch_op.create_check_constraint(
            op.f('meter_reading_kind_known'), "kind IN ('read', 'estimated', 'exchange_end', 'exchange_start')"
        )
        batch_op.create_check_constraint(op.f('meter_reading_factor_positive'), 'factor > 0')
        batch_op.create_foreign_key(
            op.f('meter_reading_invoice_id_fkey'), 'invoice', ['invoice_id'], ['id'], ondelete='RESTRICT'
        )
        batch_op.drop_constraint(ONCE, type_='unique')
        batch_op.create_unique_constraint(ONCE, ['meter_id', 'read_on', 'kind'])
    op.create_index(op.f('meter_reading_invoice_id_idx'), 'meter_reading', ['invoice_id'])
    op.create_index(
        'meter_reading_one_value_a_day',
        'meter_reading',
        ['meter_id', 'read_on'],
        unique=True,
        sqlite_where=NOT_A_START,
        postgresql_where=NOT_A_START,
    )
    op.create_index(
        'meter_reading_special_idx',
        'meter_reading',
        ['meter_id'],
        sqlite_where=SPECIAL,
        postgresql_where=SPECIAL,
    )
    with op.batch_alter_table('tariff', schema=None) as batch_op:
        batch_op.add_column(sa.Column('tier_span', sa.String(10), server_default='month', nullable=False))
        batch_op.add_column(sa.Column('tier_people', sa.Integer(), nullable=True))
        batch_op.create_check_constraint(op.f('tariff_tier_span_known'), "tier_span IN ('month', 'year')")
        batch_op.create_check_constraint(op.f('tariff_tier_people_positive'), 'tier_people > 0')
    _note_bills()


def _note_bills() -> None:
    """Each meter's last reading that a bill counts up to gets that bill, as its line tells it."""
    connection = op.get_bind()
    meters = {
        (unit_id, code): id_
        for unit_id, code, id_ in connection.execute(sa.text('SELECT unit_id, code, id FROM meter'))
    }
    if not meters:
        return
    lines = connection.execute(
        sa.text(
            'SELECT i.unit_id, i.id, l.explanation FROM invoice_line l JOIN invoice i ON i.id = l.invoice_id '
            "JOIN fee_item f ON f.id = l.fee_item_id WHERE f.basis = 'metered' AND i.kind = 'regular' "
            "AND i.state <> 'credited' ORDER BY i.id"
        )
    )
    last: dict[int, tuple[str, int]] = {}
    for unit_id, invoice_id, explanation in lines:
        try:
            inputs = json.loads(explanation)['inputs']
            meter_id = meters[unit_id, inputs['meter']]
            read_on = inputs['to'].rsplit('(', 1)[1].rstrip(')')
        except (ValueError, KeyError, IndexError, TypeError):
            continue
        if meter_id not in last or read_on > last[meter_id][0]:
            last[meter_id] = (read_on, invoice_id)
    noted = sa.text(
        'UPDATE meter_reading SET invoice_id = :bill WHERE meter_id = :meter AND read_on = :day'
    ).bindparams(sa.bindparam('day', type_=sa.Date()))
    rows = [
        {'meter': meter_id, 'day': date.fromisoformat(day), 'bill': bill}
        for meter_id, (day, bill) in last.items()
    ]
    if rows:
        connection.execute(noted, rows)


def downgrade() -> None:
    with op.batch_alter_table('tariff', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('tariff_tier_people_positive'), type_='check')
        batch_op.drop_constraint(op.f('tariff_tier_span_known'), type_='check')
        batch_op.drop_column('tier_people')
        batch_op.drop_column('tier_span')
    # an older program knows one value a day: the old meter's last stays
    op.execute(
        "DELETE FROM meter_reading WHERE kind = 'exchange_start' AND EXISTS (SELECT 1 FROM meter_reading o "
        'WHERE o.meter_id = meter_reading.meter_id AND o.read_on = meter_reading.read_on '
        'AND o.id <> meter_reading.id)'
    )
    op.drop_index('meter_reading_special_idx', 'meter_reading')
    op.drop_index('meter_reading_one_value_a_day', 'meter_reading')
    op.drop_index(op.f('meter_reading_invoice_id_idx'), 'meter_reading')
    with op.batch_alter_table('meter_reading', schema=None) as batch_op:
        batch_op.drop_constraint(ONCE, type_='unique')
        batch_op.create_unique_constraint(ONCE, ['meter_id', 'read_on'])
        batch_op.drop_constraint(op.f('meter_reading_invoice_id_fkey'), type_='foreignkey')
        batch_op.drop_constraint(op.f('meter_reading_factor_positive'), type_='check')
        batch_op.drop_constraint(op.f('meter_reading_kind_known'), type_='check')
        batch_op.drop_column('invoice_id')
        batch_op.drop_column('factor')
        batch_op.drop_column('kind')
    with op.batch_alter_table('meter', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('meter_wraps_above_zero'), type_='check')
        batch_op.drop_constraint(op.f('meter_factor_positive'), type_='check')
        batch_op.drop_column('out_of_use_from')
        batch_op.drop_column('wraps_at')
        batch_op.drop_column('counts_down')
        batch_op.drop_column('factor')
