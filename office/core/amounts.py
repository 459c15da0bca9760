"""Amounts of money given by people and files, refused in words that the screens translate (M7)."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.property import Estate
from office.core.errors import N_, Refused
from rules.money import SIGNS, MoneyError, money

MONEY_REFUSALS = {
    "not_a_number": N_("This is no amount: write digits only, such as 120.50"),
    "not_finite": N_("This is no amount: write digits only, such as 120.50"),
    "finer_than_fen": N_("An amount has at most two decimal places"),
    "too_large": N_("This amount is too large"),
    "negative": N_("An amount must be above zero"),
    "zero": N_("An amount must be above zero"),
}


def currency_sign(session: Session) -> str:
    """The sign of the estate's currency, such as `¥` (D1)."""
    return SIGNS[session.execute(select(Estate.currency)).scalar_one()]


def refusal(problem: MoneyError) -> Refused:
    """The refusal that says what is wrong with an amount."""
    return Refused(MONEY_REFUSALS[problem.code])


def amount_of(given: object, *, is_negative_allowed: bool = False, is_zero_allowed: bool = False) -> Decimal:
    """The amount in yuan with two places. Raises Refused."""
    try:
        return money(given, is_negative_allowed=is_negative_allowed, is_zero_allowed=is_zero_allowed)
    except MoneyError as problem:
        raise refusal(problem) from problem
