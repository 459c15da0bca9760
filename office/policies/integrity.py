"""For `flask check`: stored policies can be read, those in force or to come are without problems (§9)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.policies import PolicyVersion
from office.core import clock
from office.core.integrity import Finding
from office.policies import documents, store
from rules.reasons import Reason


def all_readable(session: Session) -> Iterable[Finding]:
    """Each version that the rules can't take, once for each problem; one replaced on its own day is past."""
    today = clock.office_day(session, clock.now(session))
    held = {version.id for version in store.current(session, today).values()}
    newest = {
        (version.policy, version.valid_from): version
        for version in session.scalars(select(PolicyVersion).order_by(PolicyVersion.revision))
    }
    for version in newest.values():
        is_held = version.id in held or version.valid_from > today
        for reason in _problems(session, version, is_held=is_held):
            yield _finding(version, reason)


def _problems(session: Session, version: PolicyVersion, *, is_held: bool) -> list[Reason]:
    """What is wrong; a version of the past need only be readable, what it names may be gone."""
    if version.policy not in documents.TYPES:
        return [documents.code_unknown(("policy",), version.policy, list(documents.TYPES))]
    rows = documents.loaded(version.rows)
    if is_held:
        return store.problems(
            session, version.policy, rows, store.current_documents(session, version.valid_from)
        )
    try:
        documents.typed(documents.TYPES[version.policy], rows)
    except documents.PolicyRefused as refusal:
        return refusal.reasons
    return []


def _finding(version: PolicyVersion, reason: Reason) -> Finding:
    values = dict(reason.inputs)
    says = [reason.code] + [str(values.pop(name)) for name in ("field", "value") if values.get(name)]
    should = ", ".join(f"{name} {value}" for name, value in values.items())
    return Finding("policy_is_readable", "policy_version", version.id, str(version), " ".join(says), should)
