"""Every field of every policy of every preset, spoilt in turn, is refused by name at each way in (§9)."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, get_origin

import pytest
from sqlalchemy.orm import Session

import seed
from models.property import PRESETS
from office import rooms
from office.access import two_factor
from office.arrears import holds
from office.complaints.policies_in_force import PolicyTimeline
from office.core.errors import Refused
from office.policies import documents, integrity, store
from office.policies.documents import Place
from office.scheduling import scheduler
from office.whatif import dunning
from rules.ladder import Stage
from rules.policy_values import Range
from rules.reasons import Reason
from rules.sign_in import SignInPolicy

NOW = datetime(2026, 6, 10, 2, tzinfo=UTC)
TODAY, COMING = date(2026, 6, 10), date(2996, 6, 11)
UNHEARD_OF = "unheard_of"
SIMULATED = ("ladder", "gates", "clocks", "calendar", "late_fee")


def documents_of(preset: str) -> dict[str, dict[str, Any]]:
    return {
        name: json.loads(json.dumps(rows, default=str)) for name, rows in seed.preset_policies(preset).items()
    }


def distinct() -> list[tuple[str, str]]:
    """Each policy with the presets that have another document than the presets before."""
    seen: dict[str, list[Any]] = {}
    found = []
    for preset in PRESETS:
        for name, rows in documents_of(preset).items():
            if rows not in seen.setdefault(name, []):
                seen[name].append(rows)
                found.append((preset, name))
    return found


EACH = distinct()


# --- spoilt documents -----------------------------------------------------------------------------------


def with_value(rows: Any, place: Place, value: Any) -> Any:
    changed = copy.deepcopy(rows)
    at = changed
    for step in place[:-1]:
        at = at[step]
    if value is MISSING:
        del at[place[-1]]
    else:
        at[place[-1]] = value
    return changed


def spoilt(policy: str, rows: Any) -> Iterator[tuple[Place, Any]]:
    """Places and what to put there, each of which must be refused with that place; MISSING takes it away."""
    for place, value in walk(rows, ()):
        kind = documents.kind_at(policy, place)
        if isinstance(value, dict):
            yield (*place, UNHEARD_OF), 1
            if place:
                yield place, "text"
            yield from (((*place, name), MISSING) for name in required(kind) & value.keys())
        elif isinstance(value, list):
            yield place, "text"
        elif isinstance(value, bool):
            yield place, "yes"
        else:
            yield from ((place, wrong) for wrong in wrong_values(kind, value, allowed_at(policy, place)))


def walk(rows: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    yield place, rows
    if isinstance(rows, dict | list):
        for step, value in rows.items() if isinstance(rows, dict) else enumerate(rows):
            yield from walk(value, (*place, step))


def required(kind: Any) -> set[str]:
    if not is_dataclass(kind):
        return set()
    return {
        each.name
        for each in fields(kind)
        if each.init and each.default is MISSING and each.default_factory is MISSING
    }


def allowed_at(policy: str, place: Place) -> Range | None:
    """The range of the number at a place, which may be an item of a list."""
    while place and isinstance(place[-1], int):
        place = place[:-1]
    holder = documents.kind_at(policy, place[:-1])
    return (
        next(ranges_in(documents.field_types(holder)[str(place[-1])]), None) if is_dataclass(holder) else None
    )


def ranges_in(kind: Any) -> Iterator[Range]:
    for each in (*getattr(kind, "__metadata__", ()), *getattr(kind, "__args__", ())):
        if isinstance(each, Range):
            yield each
        else:
            yield from ranges_in(each)


def wrong_values(kind: Any, value: Any, allowed: Range | None) -> list[Any]:
    if documents.codes_of(kind):
        return [f"{value}x" if value else "Emial", 7, value.swapcase() if value else "EMAIL"]
    if kind is int:
        assert allowed is not None, "a number without a range"
        return [str(value), 1.5, True, allowed.least - 1, allowed.most + 1]
    if kind is Decimal:
        assert allowed is not None, "a number without a range"
        return ["many", "NaN", "Infinity", str(allowed.least - 1), True]
    if kind in {date, time}:
        return ["soon", 7]
    assert kind is str, kind
    return [7, True, ["text"]]


def named_place(policy: str, place: Place) -> str:
    """The place that the refusal names: the table for an impossible key of a table of days or roles."""
    is_key = place[-1] == UNHEARD_OF and not is_dataclass(documents.kind_at(policy, place[:-1]))
    return documents.dotted(place[:-1] if is_key else place)


# --- the ways in ----------------------------------------------------------------------------------------


def change(session: Session, policy: str, rows: Any) -> None:
    store.change(session, policy, rows, valid_from=COMING, reason="x", now=NOW, staff_id=None)
    session.flush()


def refused_place(reason: Reason) -> str:
    return str(reason.inputs.get("field") or reason.inputs.get("value"))


@pytest.mark.parametrize(("preset", "policy"), EACH)
def test_every_field_is_refused_by_name_on_saving(session: Session, preset: str, policy: str) -> None:
    """`store.change` asks the same question; every tenth time it is asked itself."""
    rows = documents_of(preset)[policy]
    wrong = []

    for number, (place, value) in enumerate(spoilt(policy, rows)):
        changed = with_value(rows, place, value)
        found = store.problems(session, policy, changed, {})
        if [refused_place(reason) for reason in found] != [named_place(policy, place)]:
            wrong.append((place, value, found))
        if number % 10 == 0:
            with pytest.raises(documents.PolicyRefused):
                change(session, policy, changed)

    assert wrong == []


@pytest.mark.parametrize(("preset", "policy"), EACH)
def test_the_untouched_document_is_taken(session: Session, preset: str, policy: str) -> None:
    """The control of all others here."""
    rows = documents_of(preset)
    for name in rows:
        store.store(session, name, rows[name], valid_from=TODAY, now=NOW)
    session.flush()

    change(session, policy, rows[policy])

    assert list(integrity.all_readable(session)) == []


@pytest.mark.parametrize(("preset", "policy"), [each for each in EACH if each[1] in SIMULATED])
def test_every_field_of_a_file_is_refused_by_name(session: Session, preset: str, policy: str) -> None:
    """What `flask simulate --policy FILE` reads; the control is the file as it stands."""
    rows = documents_of(preset)[policy]
    recognised = {"ladder": "stage", "gates": "legal", "clocks": "rule", "calendar": "hours"}
    keys = {recognised.get(policy, policy)}

    for place, value in list(spoilt(policy, rows))[::15]:
        changed = with_value(rows, place, value)
        if keys <= changed.keys():
            with pytest.raises(documents.PolicyRefused) as refused:
                dunning.simulate(session, "2026-05", changed, now=NOW)
            (reason,) = refused.value.reasons
            assert refused_place(reason) == named_place(policy, place), (place, value)


@pytest.mark.parametrize(("preset", "policy"), EACH)
def test_every_field_is_named_by_the_check(session: Session, preset: str, policy: str) -> None:
    rows = documents_of(preset)[policy]
    named = {}
    for number, (place, value) in enumerate(list(spoilt(policy, rows))[::10]):
        day = date.fromordinal(COMING.toordinal() + number)
        bad = with_value(rows, place, value)
        store.store(session, policy, bad, valid_from=day, now=NOW)
        named[f"{policy} {day}"] = named_place(policy, place)
    session.flush()

    found = {finding.name: f"{finding.says} " for finding in integrity.all_readable(session)}

    assert found.keys() == named.keys()
    assert [name for name, place in named.items() if f" {place} " not in found[name]] == []


# --- what is stored already -----------------------------------------------------------------------------


LEGAL = [
    ("ladder", ("stage", 2, "channels"), ["sms", "wecom", "print", "visit"]),
    ("ladder", ("stage", 2, "valid_from"), "2026-01-01"),
    ("ladder", ("stage", 2, "document"), "demand"),
    ("ladder", ("policy", "tolerance"), 5),
    ("late_fee", ("late_fee", "cap_rate"), ""),
    ("late_fee", ("late_fee", "daily_rate"), "0.00021"),
    ("late_fee", ("late_fee", "charged_from"), "2026-07-01"),
    ("gates", ("restriction", "services"), []),
    ("gates", ("restriction", "signing_role"), "director"),
    ("gates", ("law_firm", "lines"), ["1 Main St", ""]),
    ("calendar", ("country",), ""),
    ("calendar", ("overrides",), {"2026-10-08": True}),
    ("calendar", ("hours", 5), [["10:00", "12:00"]]),
    ("billing", ("billing", "unusual_percent"), 25),
    ("billing", ("move_in",), []),
    ("clocks", ("rule", 0, "severities"), ["major", "minor"]),
    ("clocks", ("rule", 0, "warn_percent"), 50),
    ("severities", ("lowered_by",), ["manager"]),
    ("visits", ("stand_ins",), []),
    ("public_form", ("unsure_category",), ""),
    ("reports", ("mail",), []),
    ("sign_in", ("second_step_for",), {"manager": True}),
    ("messages", ("retry_after_minutes",), [1]),
]


@pytest.mark.parametrize(("policy", "place", "value"), LEGAL)
def test_other_legal_values_are_taken(session: Session, policy: str, place: Place, value: Any) -> None:
    changed = with_value(store.document(session, policy, TODAY), place, value)

    change(session, policy, changed)

    assert store.in_force(session, documents.TYPES[policy], COMING) is not None


BAD = [
    ('{"policy": {}, "stage": [{"channels": ["Emial"]}]}', "ladder"),
    ("no JSON at all", "ladder"),
    ("[1, 2]", "ladder"),
]


@pytest.mark.parametrize(("text", "policy"), BAD)
def test_a_version_stored_bad_is_refused_where_it_is_needed(session: Session, text: str, policy: str) -> None:
    store.store(session, policy, {}, valid_from=TODAY, now=NOW).rows = text
    session.flush()

    with pytest.raises(Refused, match="can't be read"):
        holds.stored_ladder(session, TODAY)

    assert {finding.name for finding in integrity.all_readable(session)} == {f"{policy} {TODAY}"}
    assert store.last_readable(session, documents.TYPES[policy], TODAY) is not None


def test_one_bad_policy_hides_no_problem_of_another_and_can_be_corrected(session: Session) -> None:
    gates = store.document(session, "gates", TODAY)
    for name in ("ladder", "gates"):
        store.store(session, name, {"unheard_of": 1}, valid_from=TODAY, now=NOW)
    session.flush()

    found = {finding.name for finding in integrity.all_readable(session)}
    change(session, "gates", gates)

    assert found == {f"gates {TODAY}", f"ladder {TODAY}"}


def test_a_bad_ladder_stops_the_jobs_that_need_it_and_no_other(
    session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler.tick(session, rooms.TIMETABLE, at=NOW)
    store.store(session, "ladder", {"stage": [{"channels": ["Emial"]}]}, valid_from=TODAY, now=NOW)
    session.commit()

    ticked = scheduler.tick_to_the_end(session, rooms.TIMETABLE, at=NOW + timedelta(days=1))

    failed = {run.job: run.error for run in ticked.runs if run.state != "done"}
    assert {run.job for run in ticked.runs if run.state == "done"} >= {"ticket_clocks", "late_fees", "outbox"}
    assert failed
    assert all("The policy ladder can't be read" in error for error in failed.values())
    assert not any(record.exc_info for record in caplog.records)


def test_a_policy_that_locks_no_one_out(session: Session) -> None:
    """Sign-in goes by the last version that can be read."""
    store.store(session, "sign_in", {"wrong_codes": "many"}, valid_from=TODAY, now=NOW)
    session.flush()

    assert two_factor.in_force(session, TODAY) == store.in_force(session, SignInPolicy, store.FIRST_DAY)


def test_a_corrected_version_also_holds_for_the_days_of_the_bad_one(session: Session) -> None:
    """Else tickets of those days could never be judged again (T4)."""
    good = store.document(session, "clocks", TODAY)
    store.store(session, "clocks", {"rule": [{"clock": "sovle"}]}, valid_from=TODAY, now=NOW)
    session.flush()
    with pytest.raises(documents.PolicyUnreadable):
        PolicyTimeline(session).on(TODAY)

    store.store(session, "clocks", good, valid_from=COMING, now=NOW)
    session.flush()

    assert PolicyTimeline(session).on(TODAY).clocks == PolicyTimeline(session).on(COMING).clocks


def test_types_of_stages_say_all_codes() -> None:
    """A field that holds codes as plain text would take a typo."""
    free = {"code", "after"}
    kinds = {name: documents.kind_at("ladder", ("stage", 0, name)) for name in documents.field_types(Stage)}

    assert {name for name, kind in kinds.items() if kind is str} == free
    assert get_origin(kinds["channels"]) is tuple
