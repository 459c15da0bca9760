"""Who manages the estate: what may be entered, and what its papers still lack (D1, D9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import String, select
from sqlalchemy.orm import Session

from models.property import CURRENCIES, FEE_SCHEMES, WORD_SETS, Estate
from office.core.errors import N_, Refused
from rules import identity


@dataclass(frozen=True)
class Gap:
    """A field of the estate that is empty, and for which papers that matters."""

    field: str
    what: str


GAPS = (
    Gap(
        "company_name",
        N_(
            "The company's full legal name is missing: bills, letters, receipts and undertakings name the "
            "estate as creditor, which cannot be one."
        ),
    ),
    Gap(
        "registration_no",
        N_("The company's registration number is missing: letters to debtors and lawyers must carry it."),
    ),
    Gap(
        "registered_address",
        N_("The company's registered address is missing: letters to debtors and lawyers must carry it."),
    ),
    Gap(
        "legal_representative",
        N_("The company's legal representative is missing: final letters and lawyer's letters name them."),
    ),
    Gap(
        "contract_name",
        N_(
            "The contract with the owners is missing: demands, final letters and restrictions do not say "
            "what they rest on."
        ),
    ),
    Gap(
        "clause_late_fees",
        N_("The contract's clause on late fees is missing: demands and final letters cite it."),
    ),
    Gap(
        "public_address",
        N_(
            "The public address is missing: posters and messages do not say where residents reach the office."
        ),
    ),
)
# what may be given at the set-up, as in `flask init --set company_name=…`
SETTABLE = frozenset(
    column.name
    for column in Estate.__table__.columns
    if isinstance(column.type, String) and column.name not in {"preset", "time_zone", "moved_to"}
)
# long ones, which a form shows in several lines and papers in one
ONE_LINE = tuple(
    f"{field}{code}"
    for field in ("address", "registered_address", "contract_name", "company_name")
    for code in ("", "_zh_hant", "_en")
)
LANGUAGES = ("zh_Hans", "zh_Hant", "en")


def gaps(session: Session) -> list[Gap]:
    """What the papers of this estate lack, the most important first; empty when nothing does."""
    estate = session.execute(select(Estate)).scalar_one()
    return [gap for gap in GAPS if not _is_filled(estate, gap.field)]


def _is_filled(estate: Estate, field: str) -> bool:
    if hasattr(estate, f"{field}_en"):
        return bool(estate.in_language(field, estate.language).strip())
    return bool(getattr(estate, field).strip())


def check(estate: Estate) -> None:
    """Put what identifies the company into its plain form. Raises Refused for what can't be right."""
    for field in ONE_LINE:
        setattr(estate, field, " ".join((getattr(estate, field) or "").split()))
    try:
        estate.registration_no = identity.registration_number(estate.registration_no or "")
    except ValueError:
        raise Refused(
            N_(
                "The registration number has 18 characters, but it is no unified social credit code: its "
                "check digit does not fit. Please compare it with the business licence."
            )
        ) from None
    try:
        estate.public_address = identity.base_address(estate.public_address or "")
    except ValueError:
        raise Refused(
            N_("The public address is no address: write it as in https://office.example.com")
        ) from None


def fill(session: Session, given: Mapping[str, str]) -> None:
    """Set fields of the estate by their names, as at the first run. Raises Refused for bad values."""
    estate = session.execute(select(Estate)).scalar_one()
    for name, value in given.items():
        if name not in SETTABLE:
            raise Refused(N_("The estate has no field %(name)s"), name=name)
        column = Estate.__table__.columns[name]
        length = getattr(column.type, "length", None)
        if length and len(value) > length:
            raise Refused(N_("%(name)s is longer than %(count)s characters"), name=name, count=length)
        setattr(estate, name, value.strip())
    _check_codes(estate)
    check(estate)


def _check_codes(estate: Estate) -> None:
    for name, known in (
        ("currency", CURRENCIES),
        ("language", LANGUAGES),
        ("word_set", ("", *WORD_SETS)),
        ("fee_scheme", ("", *FEE_SCHEMES)),
    ):
        value = getattr(estate, name) or ""
        if value not in known:
            listed = ", ".join(one for one in known if one)
            raise Refused(N_("%(name)s must be one of %(known)s"), name=name, known=listed)
