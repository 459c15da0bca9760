"""A new office: its estate, preset policies, departments, fee items and administrator."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

import seed
from models.billing import FeeItem, Tariff
from models.complaints import Category
from models.office import Audit
from models.people import Department, Staff, StaffRole
from models.policies import PaperTemplate, PolicyVersion
from models.property import KEY_PROOF, PRESETS, Estate
from office.core import audit
from office.core.errors import N_, Refused
from office.estate import identity as estate_identity
from office.policies import documents, store
from rules.billing import MONTHLY


@dataclass(frozen=True)
class NewOffice:
    """What IT must know after the set-up: the administrator's password, shown once."""

    login: str
    password: str


NOTHING = "{}"  # a stored policy without values, which a newer program completes
# what the first account is called in the estate's language, until somebody gives it a person's name
ADMINISTRATOR = {"en": "Administrator", "zh_Hans": "系统管理员", "zh_Hant": "系統管理員"}


def estate(session: Session) -> Estate | None:
    """The estate, or nothing before the set-up."""
    return session.execute(select(Estate)).scalar_one_or_none()


def set_up(
    session: Session,
    preset: str,
    *,
    now: datetime,
    is_sandbox: bool = False,
    admin_password: str | None = None,
    name: str = "",
    identity: Mapping[str, str] | None = None,
) -> NewOffice:
    """Make the office of a preset (P1, §9), with what is known of its estate and company (D1).

    Raises Refused when there is one, for an unknown preset, and for what can't be right in the identity.
    """
    if preset not in PRESETS:
        raise Refused(
            N_("There is no preset %(preset)s: choose tower, residential or project"), preset=preset
        )
    if estate(session) is not None:
        raise Refused(N_("This office is already set up"))
    made = Estate(
        id=1, name=name or "Gatehouse 门房", preset=preset, is_sandbox=is_sandbox, key_proof=KEY_PROOF
    )
    session.add(made)
    session.flush()  # its language
    estate_identity.fill(session, identity or {})
    for policy, rows in seed.preset_policies(preset).items():
        store.store(session, policy, rows, valid_from=store.FIRST_DAY, now=now, reason="preset")
    _add_office_rows(session, seed.office())
    _add_missing_paper_texts(session)
    password = admin_password or secrets.token_urlsafe(12)
    administrator = Staff(
        login="admin", name=ADMINISTRATOR[made.language], password_hash=generate_password_hash(password)
    )
    administrator.role_rows = [StaffRole(role="it_admin")]
    session.add(administrator)
    session.flush()
    return NewOffice("admin", password)


def _add_office_rows(session: Session, rows: Mapping[str, Any]) -> None:
    departments: dict[str, Department] = {}
    for position, row in enumerate(rows["department"]):
        departments[row["code"]] = Department(**row, position=position)
    session.add_all(departments.values())
    for position, row in enumerate(rows["category"]):
        plain = {name: value for name, value in row.items() if name != "department"}
        session.add(Category(**plain, department=departments[row["department"]], position=position))
    for position, row in enumerate(rows["fee_item"]):
        _add_fee_item(session, row, position)


def _add_fee_item(session: Session, row: Mapping[str, Any], position: int, *, is_active: bool = True) -> None:
    plain = {name: value for name, value in row.items() if name != "tariff"}
    item = FeeItem(**plain, position=position, is_active=is_active)
    session.add(item)
    for unit_kind, rate in row.get("tariff", {}).items():
        session.add(
            Tariff(fee_item=item, unit_kind=unit_kind, rate=Decimal(rate), valid_from=store.FIRST_DAY)
        )


def complete(session: Session, *, now: datetime) -> list[str]:
    """Give an office set up by an older program what its preset has since got: policies, fee items (§9, B1).

    What the office has stays as it is: a version that lacks something is followed by one that has it, valid
    from the same day. Answers the policies and the fee items' codes; none when run again, or before the
    set-up.
    """
    made = estate(session)
    if made is None:
        return []
    newest = {
        (version.policy, version.valid_from): version
        for version in session.scalars(select(PolicyVersion).order_by(PolicyVersion.revision))
    }
    _add_missing_paper_texts(session)
    completed = []
    for policy, rows in seed.preset_policies(made.preset).items():
        preset = json.loads(json.dumps(rows, default=str))
        held = {day: version.rows for (name, day), version in newest.items() if name == policy}
        for day, text in (held or {store.FIRST_DAY: NOTHING}).items():
            had = documents.loaded(text)
            whole = _with_missing(had, preset) if had or text == NOTHING else had
            if whole != had:
                store.store(session, policy, whole, valid_from=day, now=now, reason="preset")
                completed.append(policy)
    return completed + _add_missing_fee_items(session, now)


def _add_missing_paper_texts(session: Session) -> None:
    """A row for each paper and language, to which the office adds the blocks that it rewords."""
    had = {
        (paper, language)
        for paper, language in session.execute(select(PaperTemplate.paper, PaperTemplate.language))
    }
    wanted = [(paper, language) for paper, texts in seed.paper_templates().items() for language in texts]
    session.add_all(
        PaperTemplate(paper=paper, language=language, blocks=NOTHING)
        for paper, language in wanted
        if (paper, language) not in had
    )


def _add_missing_fee_items(session: Session, now: datetime) -> list[str]:
    """Fee items that came with a newer program; one that would bill by itself waits to be switched on."""
    items = session.scalars(select(FeeItem)).all()
    had = {item.code for item in items} | _codes_given_up(session)
    missing = [row for row in seed.office()["fee_item"] if row["code"] not in had]
    first = max((item.position for item in items), default=-1) + 1
    for position, row in enumerate(missing, first):
        _add_fee_item(session, row, position, is_active=row["basis"] not in MONTHLY)
    session.flush()
    codes = [row["code"] for row in missing]
    for item in session.scalars(select(FeeItem).where(FeeItem.code.in_(codes))):
        audit.record(session, now, None, "create", item, {"code": item.code})
    return codes


def _codes_given_up(session: Session) -> set[str]:
    """Codes of fee items that the office deleted or renamed: it does not want them back."""
    changes = session.scalars(
        select(Audit.changes).where(Audit.table_name == "fee_item", Audit.action.in_(("delete", "edit")))
    )
    pairs = [json.loads(one).get("code") for one in changes]
    return {str(pair[0]) for pair in pairs if isinstance(pair, list) and pair[0]}


def _with_missing(had: Mapping[str, Any], preset: Mapping[str, Any]) -> dict[str, Any]:
    """A document with the values that only its preset has, table by table; lists are the office's own."""
    whole = dict(preset) | dict(had)
    for name, value in had.items():
        if isinstance(value, dict) and isinstance(preset.get(name), dict):
            whole[name] = _with_missing(value, preset[name])
    return whole
