"""What the office or the database refused, said in the reader's language without SQL or data."""

from __future__ import annotations

import re
from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import UniqueConstraint
from sqlalchemy.exc import IntegrityError

from admin.panel import formats, wording
from admin.panel.column_names import column_name
from models.base import db
from models.text_keys import FOLDED
from office.core import outages
from office.core.errors import Refusals, Refused

# constraint → sentence; of others the name is shown
RULES = {
    "occupancy_one_payer_at_a_time": _l("The unit has another fee payer in that time."),
    "meter_reading_stays_once_billed": _l(
        "A bill counts with this reading: correct the bill by a credit note, then the reading."
    ),
    "meter_reading_stays_once_billed_undeleted": _l(
        "A bill counts with this reading: correct the bill by a credit note, then the reading."
    ),
    "meter_reading_once_a_day": _l("There is a reading of this kind on that day already."),
    "meter_reading_one_value_a_day": _l(
        "There is a reading of this meter on that day already: correct that one."
    ),
    "occupancy_from_before_to": _l("The first day must not be after the last day."),
    "unit_item_payer_one_at_a_time": _l("Somebody else pays this item of the unit in that time."),
    "unit_item_payer_from_before_to": _l("The first day must not be after the last day."),
    "item_rate_from_before_to": _l("The first day must not be after the last day."),
    "item_rate_once_per_start": _l("There is already a row for these units, this item and first day."),
    "item_rate_floors_in_order": _l("Give both floors, the lower one first."),
    "item_rate_is_for_a_unit_or_for_some": _l(
        "Choose one unit, or say of which tag, building, floors or kind the units are."
    ),
    "item_rate_says_one_price_or_none": _l(
        "Give a rate or an amount, each with or without a factor, or a factor alone; or exempt the units."
    ),
    "item_rate_not_negative": _l("Rates, amounts and factors are not below zero."),
    "rent_contract_one_at_a_time": _l("Another contract holds for this unit in that time."),
    "vehicle_one_card_of_a_bay_at_a_time": _l("Another vehicle has a card for this bay in that time."),
    "vehicle_card_from_before_to": _l("The first day must not be after the last day."),
    "vehicle_is_somebodys": _l("Say which unit or which person the vehicle belongs to."),
    "rent_contract_from_before_to": _l("The first day must not be after the last day."),
    "rent_change_once_a_day": _l("There is already a change of rent on that day."),
    "fee_item_season_has_both_ends": _l("Give the first and the last month of the season, or neither."),
    "fee_item_season_in_months": _l("The months of a season are numbers from 1 to 12."),
    "fee_item_days_ahead_in_range": _l("An item is billed at most 366 days ahead."),
    "pool_once_idx": _l("The item has a pool for these units and this month already."),
    "vacancy_from_before_to": _l("The first day must not be after the last day."),
    "vacancy_factor_is_a_part": _l("The factor of an empty unit lies between 0 and 1, such as 0.7"),
    "fee_item_vacancy_factor_is_a_part": _l("The factor of an empty unit lies between 0 and 1, such as 0.7"),
    "tariff_from_before_to": _l("The first day must not be after the last day."),
    "tariff_once_per_start": _l("There is already a tariff for this item, kind and first day."),
    "building_name_once_per_area": _l("This area already has a building of that name."),
    "visit_planned_before_due": _l("A visit can't be due before it is planned."),
    "ticket_resolved_after_registered": _l("It can't be resolved before it was registered."),
    "invoice_never_overpaid": _l("More would be paid than the bill asks for."),
    "unit_area_not_negative": _l("The area can't be negative."),
}


MONEY = {"amount"}  # what a refusal names that is money


def message_for(error: Exception) -> str:  # noqa: C901, PLR0911 -- one sentence a kind
    """One sentence for a Refused or a database error; nothing of its statement or parameters."""
    if isinstance(error, Refused):
        values = {name: _value(name, each) for name, each in error.values.items()}
        return str(_(error.message, **values) if values else _(error.message))
    if outage := outages.sentence(error):
        return str(_(outage))
    if not isinstance(error, IntegrityError):
        return _("The database could not store one of these values.")
    text = str(error.orig)
    name = constraint(error)
    for rule, sentence in RULES.items():
        if name == rule or rule in text:
            return str(sentence)
    if "FOREIGN KEY" in text or "foreign key" in text:
        return _("Other records still refer to this one, so it stays.")
    unique = re.search(r"UNIQUE constraint failed: ([\w., ]+)", text)
    if unique or "duplicate key" in text:
        columns = [part.strip().rpartition(".")[2] for part in unique[1].split(",")] if unique else []
        columns = columns or _columns_of(name)
        named = [str(label) for column in columns if (label := column_name(column.removesuffix(FOLDED)))]
        if named:
            return _("Another record already has this: %(fields)s.", fields=", ".join(named))
        return _("Another record already has these values.")
    if "NOT NULL" in text or "not-null" in text:
        return _("A required value is missing.")
    if name:
        return _("A rule of the database does not allow this: %(rule)s.", rule=name.replace("_", " "))
    return _("A rule of the database does not allow this.")


def _columns_of(constraint_name: str) -> list[str]:
    """The columns of a unique constraint, which PostgreSQL tells by its name alone."""
    for table in db.metadata.tables.values():
        for each in table.constraints:
            if each.name == constraint_name and isinstance(each, UniqueConstraint):
                return [str(column.key) for column in each.columns]
    return []


def _value(name: str, value: object) -> str:
    if name in MONEY and isinstance(value, Decimal):
        return formats.amount(value)
    if isinstance(value, Refusals):
        return _("; ").join(message_for(each) for each in value)
    return wording.value(name, value)


def constraint(error: IntegrityError) -> str:
    """The name of the constraint that refused, empty when the driver doesn't tell."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None and diagnosis.constraint_name:
        return str(diagnosis.constraint_name)
    found = re.search(r"CHECK constraint failed: (\w+)|^(\w+)$", str(error.orig).strip())
    return (found[1] or found[2]) if found else ""
