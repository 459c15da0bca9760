"""What the database itself refuses, adds up and notes, beyond constraints.

It refuses to rewrite posted money, two payers at once (of a unit, of an item of it), two contracts of a unit
at once, two parking cards for one bay at once, a bill whose sums are not those of its lines, and to free the
place of a bill that is not taken back; it adds up what lines of bills are paid and credited; it notes which
figures a change made stale.

SQLite's batch migrations drop triggers without a word, so they are installed again after each migration
and the program does not start while one is missing (decisions: Data).
"""

# ruff: noqa: S608 -- these statements are made of our own names only
from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

from models.figures import MESSAGES
from rules.taking_back import MARK

# table -> the columns that may still change; every other column is frozen, and no row is ever deleted
POSTED: Mapping[str, frozenset[str]] = {
    "invoice": frozenset({"paid", "credited", "late_fee", "balance", "state", "stage", "part"}),
    "invoice_line": frozenset({"paid", "credited"}),
    "credit_note": frozenset(),
    "credit_note_line": frozenset(),
    "late_fee_waiver": frozenset(),
    "taken_bill": frozenset(),
    "payment": frozenset({"allocated", "credit", "state", "reason", "copies_printed"}),
    "allocation": frozenset(),
    "allocation_line": frozenset(),
    "earmark": frozenset({"ended_at", "ended_by_id", "row_version"}),
    "deposit": frozenset(),
    "voucher": frozenset({"exported_at", "exported_by_id"}),
    "voucher_line": frozenset(),
    "voucher_source": frozenset({"is_live"}),
    "deferred_income": frozenset(),
    "day_close": frozenset(),
    "day_close_line": frozenset(),
    "audit": frozenset(),
    "escalation": frozenset(),
    "erasure": frozenset({"finished_at"}),
}
# table of parts -> what each part belongs to, and the running total of invoice_line that its amount adds to
PARTS_OF_LINES: Mapping[str, tuple[str, str]] = {
    "allocation_line": ("allocation", "paid"),
    "credit_note_line": ("credit_note", "credited"),
}
SUMS_OF_LINES = "invoice_sums_are_those_of_its_lines"
NEVER_OVERDRAWN = "earmark_is_never_overdrawn"
SET_ASIDE = "invoice_part_changes_when_taken_back"
# table -> its texts that may be changed while a person is being erased, and at no other time (F23)
ERASABLE: Mapping[str, frozenset[str]] = {
    "audit": frozenset({"changes"}),
    "credit_note": frozenset({"reason"}),
    "deposit": frozenset({"reason"}),
    "late_fee_waiver": frozenset({"reason"}),
    "payment": frozenset({"note", "reference"}),
}
NOBODY_IS_ERASED = "NOT EXISTS (SELECT 1 FROM erasure WHERE finished_at IS NULL)"
NOT_OPENED_AGAIN = "erasure_is_not_opened_again"
# tables whose rows the retention job alone may remove, with the ticket they belong to (T11)
REMOVED_BY_RETENTION = frozenset({"escalation"})
# a bill counts with a reading, or with a later one of its meter: what of it stays (B18)
READING_STAYS = "meter_reading_stays_once_billed"
SAID_BY_READING = ("meter_id", "read_on", "value", "kind", "factor")
IS_BILLED_READING = (
    "EXISTS (SELECT 1 FROM meter_reading b WHERE b.meter_id = OLD.meter_id "
    "AND b.invoice_id IS NOT NULL AND b.read_on >= OLD.read_on)"
)
ONE_PAYER = "occupancy_one_payer_at_a_time"
ONE_PAYER_OF_AN_ITEM = "unit_item_payer_one_at_a_time"
ONE_CONTRACT = "rent_contract_one_at_a_time"
ONE_CARD_OF_A_BAY = "vehicle_one_card_of_a_bay_at_a_time"
EXCLUSIONS = {  # PostgreSQL: their tables
    ONE_PAYER: "occupancy",
    ONE_PAYER_OF_AN_ITEM: "unit_item_payer",
    ONE_CONTRACT: "rent_contract",
    ONE_CARD_OF_A_BAY: "vehicle",
}
# what makes a building's month of the tables of models/figures stale
COUNTED = ("paid", "credited", "balance")
PLACED = ("building_id", "kind")  # of a unit: where its figures stand
WENT_OUT = "('sent', 'printed', 'done')"  # states of a reminder that reached somebody
LATEST = 31  # the longest a payment may follow a message, in days, and be found in the month before


def _frozen(table: str) -> list[str]:
    """The columns of a posted table that never change."""
    from models.base import db

    free = POSTED[table] | ERASABLE.get(table, frozenset())
    return [column.name for column in db.metadata.tables[table].columns if column.name not in free]


def _sqlite() -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    for table in POSTED:
        frozen = _frozen(table)
        changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in frozen)
        name = f"{table}_is_never_rewritten"
        made[name] = [
            f"CREATE TRIGGER {name} BEFORE UPDATE OF {', '.join(frozen)} ON {table} WHEN {changed} "
            f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
        ]
        if table not in REMOVED_BY_RETENTION:
            name = f"{table}_is_never_deleted"
            made[name] = [
                f"CREATE TRIGGER {name} BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{name}'); END"
            ]
    for table, texts in ERASABLE.items():
        name = f"{table}_text_is_only_erased"
        changed = " OR ".join(f"OLD.{text} IS NOT NEW.{text}" for text in sorted(texts))
        made[name] = [
            f"CREATE TRIGGER {name} BEFORE UPDATE OF {', '.join(sorted(texts))} ON {table} "
            f"WHEN ({changed}) AND {NOBODY_IS_ERASED} BEGIN SELECT RAISE(ABORT, '{name}'); END"
        ]
    made[NOT_OPENED_AGAIN] = [
        f"CREATE TRIGGER {NOT_OPENED_AGAIN} BEFORE UPDATE OF finished_at ON erasure "
        "WHEN OLD.finished_at IS NOT NULL "
        f"BEGIN SELECT RAISE(ABORT, '{NOT_OPENED_AGAIN}'); END"
    ]
    for rule, (table, of, is_one, first, last) in {
        ONE_PAYER: ("occupancy", "unit_id", "{row}.is_payer", "from_on", "to_on"),
        ONE_PAYER_OF_AN_ITEM: (
            "unit_item_payer", "unit_id", "{row}.fee_item_id = NEW.fee_item_id", "valid_from", "valid_to"
        ),
        ONE_CONTRACT: ("rent_contract", "unit_id", "{row}.valid_to IS NOT NULL", "valid_from", "valid_to"),
        ONE_CARD_OF_A_BAY: ("vehicle", "bay_id", "{row}.bay_id IS NOT NULL", "card_from", "card_to"),
    }.items():  # fmt: skip
        overlap = (
            f"WHEN {is_one.format(row='NEW')} AND EXISTS (SELECT 1 FROM {table} o "
            f"WHERE o.{of} = NEW.{of} AND {is_one.format(row='o')} AND o.id IS NOT NEW.id "
            f"AND o.{first} <= COALESCE(NEW.{last}, '9999-12-31') "
            f"AND NEW.{first} <= COALESCE(o.{last}, '9999-12-31'))"
        )
        for event in ("INSERT", "UPDATE"):
            name = rule if event == "INSERT" else f"{rule}_on_change"
            made[name] = [
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} {overlap} "
                f"BEGIN SELECT RAISE(ABORT, '{rule}'); END"
            ]
    changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in SAID_BY_READING)
    refuse = f"BEGIN SELECT RAISE(ABORT, '{READING_STAYS}'); END"
    made[READING_STAYS] = [
        f"CREATE TRIGGER {READING_STAYS} BEFORE UPDATE OF {', '.join(SAID_BY_READING)} ON meter_reading "
        f"WHEN ({changed}) AND {IS_BILLED_READING} {refuse}"
    ]
    made[f"{READING_STAYS}_undeleted"] = [
        f"CREATE TRIGGER {READING_STAYS}_undeleted BEFORE DELETE ON meter_reading "
        f"WHEN {IS_BILLED_READING} {refuse}"
    ]
    return made | _sqlite_lines() | _sqlite_figures()


def _other_invoice(of: str) -> str:
    """True where a new part of a line belongs to a payment or credit note of another invoice."""
    return (
        f"(SELECT invoice_id FROM {of} WHERE id = NEW.{of}_id) "
        "<> (SELECT invoice_id FROM invoice_line WHERE id = NEW.invoice_line_id)"
    )


# true where an invoice's new sums are not those of its lines, its late fees being paid apart
UNLIKE_ITS_LINES = (
    "NEW.paid <> (SELECT COALESCE(SUM(l.paid), 0) FROM invoice_line l WHERE l.invoice_id = NEW.id) "
    "+ (SELECT COALESCE(SUM(a.amount), 0) FROM allocation a WHERE a.invoice_id = NEW.id "
    "AND a.part = 'late_fee') OR NEW.credited <> "
    "(SELECT COALESCE(SUM(l.credited), 0) FROM invoice_line l WHERE l.invoice_id = NEW.id)"
)
# true where a bill's place is given up without its being taken back in full (B21)
NOT_TAKEN_BACK = (
    f"OLD.part <> NEW.part AND (NEW.part <> '{MARK}' || CAST(NEW.id AS TEXT) OR NEW.credited <> NEW.amount "
    "OR NEW.balance <> 0 OR NOT EXISTS (SELECT 1 FROM taken_bill t WHERE t.invoice_id = NEW.id))"
)
OVERDRAWN = (
    "(SELECT SUM(a.amount) FROM allocation a WHERE a.earmark_id = NEW.earmark_id) NOT BETWEEN 0 AND "
    "COALESCE((SELECT e.amount FROM earmark e WHERE e.id = NEW.earmark_id "
    "AND e.payment_id = NEW.payment_id), -1)"
)


def _sqlite_lines() -> dict[str, list[str]]:
    made = {}
    for table, (of, total) in PARTS_OF_LINES.items():
        other = f"{table}_is_of_its_invoice"
        made[other] = [
            f"CREATE TRIGGER {other} BEFORE INSERT ON {table} WHEN {_other_invoice(of)} "
            f"BEGIN SELECT RAISE(ABORT, '{other}'); END"
        ]
        made[f"{table}_adds_up"] = [
            f"CREATE TRIGGER {table}_adds_up AFTER INSERT ON {table} BEGIN UPDATE invoice_line "
            f"SET {total} = {total} + NEW.amount WHERE id = NEW.invoice_line_id; END"
        ]
    made[SUMS_OF_LINES] = [
        f"CREATE TRIGGER {SUMS_OF_LINES} BEFORE UPDATE OF paid, credited ON invoice "
        "WHEN (OLD.paid <> NEW.paid OR OLD.credited <> NEW.credited) "
        f"AND ({UNLIKE_ITS_LINES}) BEGIN SELECT RAISE(ABORT, '{SUMS_OF_LINES}'); END"
    ]
    made[SET_ASIDE] = [
        f"CREATE TRIGGER {SET_ASIDE} BEFORE UPDATE OF part ON invoice WHEN {NOT_TAKEN_BACK} "
        f"BEGIN SELECT RAISE(ABORT, '{SET_ASIDE}'); END"
    ]
    made[NEVER_OVERDRAWN] = [
        f"CREATE TRIGGER {NEVER_OVERDRAWN} AFTER INSERT ON allocation WHEN NEW.earmark_id IS NOT NULL "
        f"AND ({OVERDRAWN}) BEGIN SELECT RAISE(ABORT, '{NEVER_OVERDRAWN}'); END"
    ]
    return made


def _sqlite_figures() -> dict[str, list[str]]:
    note = (
        "INSERT INTO figures_stale (building_id, period) SELECT u.building_id, NEW.period FROM unit u "
        "WHERE u.id = NEW.unit_id AND NOT EXISTS (SELECT 1 FROM figures_stale s "
        "WHERE s.building_id = u.building_id AND s.period = NEW.period)"
    )
    changed = " OR ".join(f"OLD.{name} <> NEW.{name}" for name in COUNTED)
    replaced = " OR ".join(f"OLD.{name} <> NEW.{name}" for name in PLACED)
    moved = (
        "INSERT INTO figures_stale (building_id, period) SELECT DISTINCT b.id, i.period FROM invoice i, "
        "(SELECT OLD.building_id AS id UNION SELECT NEW.building_id) b WHERE i.unit_id = NEW.id"
    )
    new = (
        "NOT EXISTS (SELECT 1 FROM figures_stale s "
        "WHERE s.building_id = n.building_id AND s.period = n.period)"
    )
    messages = "INSERT INTO figures_stale (building_id, period) SELECT n.building_id, n.period FROM "
    its_days = (
        "SELECT a.allocated_on AS day FROM allocation a "
        "WHERE a.payment_id = NEW.payment_id AND a.invoice_id = NEW.invoice_id"
    )
    paid = (
        f"{messages} (SELECT {MESSAGES} AS building_id, substr(day, 1, 7) AS period FROM ({its_days}) UNION "
        f"SELECT {MESSAGES}, substr(date(day, '-{LATEST} days'), 1, 7) FROM ({its_days})) n WHERE {new}"
    )
    months = " UNION ".join(
        f"SELECT {MESSAGES} AS building_id, substr({day}, 1, 7) AS period"
        for day in ("NEW.planned_on", "NEW.sent_at", "date(NEW.sent_at, '+1 day')")
    )
    reminded = (
        f"{messages} ({months}) n WHERE n.period IS NOT NULL AND {new}; "
        f"{messages} (SELECT DISTINCT u.building_id, i.period FROM unit u, invoice i "
        "WHERE u.id = NEW.unit_id AND i.unit_id = NEW.unit_id AND i.payer_id = NEW.payer_id "
        f"AND i.due_on >= NEW.due_on AND i.due_on < NEW.planned_on) n WHERE {new}"
    )
    return {
        "figures_note_what_is_paid": [
            f"CREATE TRIGGER figures_note_what_is_paid AFTER INSERT ON allocation BEGIN {paid}; END"
        ],
        "figures_note_a_reminder": [
            "CREATE TRIGGER figures_note_a_reminder AFTER INSERT ON reminder "
            f"WHEN NEW.state IN {WENT_OUT} BEGIN {reminded}; END"
        ],
        "figures_note_a_reminders_fate": [
            "CREATE TRIGGER figures_note_a_reminders_fate AFTER UPDATE OF state, sent_at ON reminder "
            f"WHEN (OLD.state IN {WENT_OUT}) <> (NEW.state IN {WENT_OUT}) "
            f"OR NEW.state IN {WENT_OUT} AND OLD.sent_at IS NOT NEW.sent_at BEGIN {reminded}; END"
        ],
        "figures_note_an_invoice": [
            f"CREATE TRIGGER figures_note_an_invoice AFTER INSERT ON invoice BEGIN {note}; END"
        ],
        "figures_note_a_change": [
            f"CREATE TRIGGER figures_note_a_change AFTER UPDATE OF {', '.join(COUNTED)} ON invoice "
            f"WHEN {changed} BEGIN {note}; END"
        ],
        "figures_note_a_move": [
            f"CREATE TRIGGER figures_note_a_move AFTER UPDATE OF {', '.join(PLACED)} ON unit "
            f"WHEN {replaced} BEGIN {moved}; END"
        ],
    }


def _postgresql() -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    refuse = (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_NAME, ERRCODE = 'check_violation'; END $$"
    )
    for table in POSTED:
        frozen = _frozen(table)
        changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in frozen)
        name = f"{table}_is_never_rewritten"
        made[name] = [
            refuse,
            f"CREATE TRIGGER {name} BEFORE UPDATE OF {', '.join(frozen)} ON {table} FOR EACH ROW "
            f"WHEN ({changed}) EXECUTE FUNCTION refuse_change()",
        ]
        if table not in REMOVED_BY_RETENTION:
            name = f"{table}_is_never_deleted"
            made[name] = [
                refuse,
                f"CREATE TRIGGER {name} BEFORE DELETE ON {table} FOR EACH ROW "
                "EXECUTE FUNCTION refuse_change()",
            ]
    only_erased = (
        "CREATE OR REPLACE FUNCTION refuse_unless_erased() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {NOBODY_IS_ERASED} THEN "
        "RAISE EXCEPTION USING MESSAGE = TG_NAME, ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$"
    )
    for table, texts in ERASABLE.items():
        name = f"{table}_text_is_only_erased"
        changed = " OR ".join(f"OLD.{text} IS DISTINCT FROM NEW.{text}" for text in sorted(texts))
        made[name] = [
            only_erased,
            f"CREATE TRIGGER {name} BEFORE UPDATE OF {', '.join(sorted(texts))} ON {table} FOR EACH ROW "
            f"WHEN ({changed}) EXECUTE FUNCTION refuse_unless_erased()",
        ]
    made[NOT_OPENED_AGAIN] = [
        refuse,
        f"CREATE TRIGGER {NOT_OPENED_AGAIN} BEFORE UPDATE OF finished_at ON erasure FOR EACH ROW "
        "WHEN (OLD.finished_at IS NOT NULL) EXECUTE FUNCTION refuse_change()",
    ]
    made[ONE_PAYER] = [
        f"ALTER TABLE occupancy ADD CONSTRAINT {ONE_PAYER} EXCLUDE USING gist "
        "(int8range(unit_id, unit_id, '[]') WITH &&, daterange(from_on, to_on, '[]') WITH &&) "
        "WHERE (is_payer)"
    ]
    made[ONE_PAYER_OF_AN_ITEM] = [
        f"ALTER TABLE unit_item_payer ADD CONSTRAINT {ONE_PAYER_OF_AN_ITEM} EXCLUDE USING gist "
        "(int8range(unit_id, unit_id, '[]') WITH &&, int8range(fee_item_id, fee_item_id, '[]') WITH &&, "
        "daterange(valid_from, valid_to, '[]') WITH &&)"
    ]
    made[ONE_CONTRACT] = [
        f"ALTER TABLE rent_contract ADD CONSTRAINT {ONE_CONTRACT} EXCLUDE USING gist "
        "(int8range(unit_id, unit_id, '[]') WITH &&, daterange(valid_from, valid_to, '[]') WITH &&)"
    ]
    made[ONE_CARD_OF_A_BAY] = [
        f"ALTER TABLE vehicle ADD CONSTRAINT {ONE_CARD_OF_A_BAY} EXCLUDE USING gist "
        "(int8range(bay_id, bay_id, '[]') WITH &&, daterange(card_from, card_to, '[]') WITH &&) "
        "WHERE (bay_id IS NOT NULL)"
    ]
    return made | _postgresql_lines() | _postgresql_figures()


def _postgresql_lines() -> dict[str, list[str]]:
    def trigger(name: str, body: str, event: str, *, answer: str = "NEW") -> list[str]:
        return [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {body} RETURN {answer}; END $$",
            f"CREATE TRIGGER {name} {event} FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]

    def refuse_if(condition: str) -> str:
        return (
            f"IF {condition} THEN RAISE EXCEPTION USING MESSAGE = TG_NAME, ERRCODE = 'check_violation'; "
            "END IF;"
        )

    made = {}
    for table, (of, total) in PARTS_OF_LINES.items():
        other, adds_up = f"{table}_is_of_its_invoice", f"{table}_adds_up"
        made[other] = trigger(other, refuse_if(_other_invoice(of)), f"BEFORE INSERT ON {table}")
        adding = f"UPDATE invoice_line SET {total} = {total} + NEW.amount WHERE id = NEW.invoice_line_id;"
        made[adds_up] = trigger(adds_up, adding, f"AFTER INSERT ON {table}")
    changed = "OLD.paid <> NEW.paid OR OLD.credited <> NEW.credited"
    columns = ", ".join(SAID_BY_READING)
    differs = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in SAID_BY_READING)
    made[READING_STAYS] = trigger(
        READING_STAYS,
        refuse_if(f"({differs}) AND {IS_BILLED_READING}"),
        f"BEFORE UPDATE OF {columns} ON meter_reading",
    )
    undeleted = f"{READING_STAYS}_undeleted"
    made[undeleted] = trigger(
        undeleted, refuse_if(IS_BILLED_READING), "BEFORE DELETE ON meter_reading", answer="OLD"
    )
    made[SUMS_OF_LINES] = trigger(
        SUMS_OF_LINES,
        refuse_if(f"({changed}) AND ({UNLIKE_ITS_LINES})"),
        "BEFORE UPDATE OF paid, credited ON invoice",
    )
    made[SET_ASIDE] = trigger(SET_ASIDE, refuse_if(NOT_TAKEN_BACK), "BEFORE UPDATE OF part ON invoice")
    made[NEVER_OVERDRAWN] = trigger(
        NEVER_OVERDRAWN,
        refuse_if(f"NEW.earmark_id IS NOT NULL AND ({OVERDRAWN})"),
        "AFTER INSERT ON allocation",
    )
    return made


def _postgresql_figures() -> dict[str, list[str]]:
    """One note per statement, not per row: a billing run changes a hundred thousand at once."""
    cells = "INSERT INTO figures_stale (building_id, period) SELECT DISTINCT"
    differ = " OR ".join(f"c.{name} <> b.{name}" for name in COUNTED)
    functions = {
        "note_an_invoice": f"{cells} u.building_id, c.period FROM changed c JOIN unit u ON u.id = c.unit_id;",
        "note_a_change": f"{cells} u.building_id, c.period FROM changed c JOIN before b ON b.id = c.id "
        f"JOIN unit u ON u.id = c.unit_id WHERE {differ};",
        "note_a_move": f"{cells} x.id, i.period FROM invoice i CROSS JOIN "
        "(VALUES (OLD.building_id), (NEW.building_id)) AS x (id) WHERE i.unit_id = NEW.id;",
        # OFFSET 0: through the index of the payment, whatever the planner thinks of many rows
        "note_what_is_paid": f"{cells} {MESSAGES}, to_char(d.day, 'YYYY-MM') FROM changed c "
        "CROSS JOIN LATERAL (SELECT a.allocated_on FROM allocation a WHERE a.payment_id = c.payment_id "
        "AND a.invoice_id = c.invoice_id OFFSET 0) a CROSS JOIN LATERAL "
        f"(VALUES (a.allocated_on), (a.allocated_on - {LATEST})) AS d (day);",
        "note_a_reminder": f"{cells} {MESSAGES}, to_char(d.day, 'YYYY-MM') FROM (VALUES (NEW.planned_on), "
        "(CAST(NEW.sent_at AT TIME ZONE 'UTC' AS date)), "
        "(CAST(NEW.sent_at AT TIME ZONE 'UTC' AS date) + 1)) AS d (day) WHERE d.day IS NOT NULL; "
        f"{cells} u.building_id, i.period FROM unit u JOIN invoice i ON i.unit_id = u.id "
        "WHERE u.id = NEW.unit_id AND i.payer_id = NEW.payer_id AND i.due_on >= NEW.due_on "
        "AND i.due_on < NEW.planned_on;",
    }
    functions["note_a_reminders_fate"] = functions["note_a_reminder"]
    replaced = " OR ".join(f"OLD.{name} <> NEW.{name}" for name in PLACED)
    events = {
        "note_an_invoice": "AFTER INSERT ON invoice REFERENCING NEW TABLE AS changed FOR EACH STATEMENT",
        "note_a_change": "AFTER UPDATE ON invoice REFERENCING OLD TABLE AS before NEW TABLE AS changed "
        "FOR EACH STATEMENT",
        "note_a_move": f"AFTER UPDATE OF {', '.join(PLACED)} ON unit FOR EACH ROW WHEN ({replaced})",
        "note_what_is_paid": "AFTER INSERT ON allocation REFERENCING NEW TABLE AS changed FOR EACH STATEMENT",
        "note_a_reminder": f"AFTER INSERT ON reminder FOR EACH ROW WHEN (NEW.state IN {WENT_OUT})",
        "note_a_reminders_fate": "AFTER UPDATE OF state, sent_at ON reminder FOR EACH ROW "
        f"WHEN ((OLD.state IN {WENT_OUT}) <> (NEW.state IN {WENT_OUT}) "
        f"OR NEW.state IN {WENT_OUT} AND OLD.sent_at IS DISTINCT FROM NEW.sent_at)",
    }
    return {
        f"figures_{name}": [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {body} RETURN NULL; END $$",
            f"CREATE TRIGGER figures_{name} {events[name]} EXECUTE FUNCTION {name}()",
        ]
        for name, body in functions.items()
    }


def expected(dialect: str) -> dict[str, list[str]]:
    """The name of each protection with the statements that make it."""
    return _sqlite() if dialect == "sqlite" else _postgresql()


def present(connection: Connection) -> set[str]:
    """Names of the triggers (and the exclusion constraints) the database has."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    else:
        rows = connection.exec_driver_sql(
            "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = current_schema() AND NOT t.tgisinternal AND t.tgenabled <> 'D' "
            "UNION SELECT conname FROM pg_constraint WHERE contype = 'x'"
        )
    return {row[0] for row in rows}


def missing(connection: Connection) -> list[str]:
    """The protections that should be there and are not, by name."""
    return sorted(set(expected(connection.dialect.name)) - present(connection))


def install(connection: Connection) -> None:
    """Make every missing protection; safe to run twice."""
    wanted = expected(connection.dialect.name)
    for name in missing(connection):
        for statement in wanted[name]:
            connection.exec_driver_sql(statement)


def drop(connection: Connection) -> None:
    """Take all of them off before a migration rebuilds tables."""
    for name in sorted(present(connection) & set(expected(connection.dialect.name))):
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        elif name in EXCLUSIONS:
            connection.exec_driver_sql(f"ALTER TABLE {EXCLUSIONS[name]} DROP CONSTRAINT {name}")
        else:
            table = connection.scalar(
                text("SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = :name"), {"name": name}
            )
            connection.exec_driver_sql(f"DROP TRIGGER {name} ON {table}")
