"""The contract's commands over a Spring Festival: import, tick, export, beside the oracle (T3–T5)."""

import csv
import io
import json
from datetime import datetime

import pytest

from tests.oracles.complaint_deadlines import expected, tickets

FACTS = (
    "household_count,is_media,is_injury,loss_amount,is_legal_letter,is_repeat,is_written,from_authority,"
    "about_staff_conduct,happening_now"
)
HEADER = (
    "number,registered_at,channel,unit_code,complainant,category,statement,severity,resolved_at,"
    f"followed_up_at,satisfaction,{FACTS}"
).split(",")


def write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def old_rows(seed):
    for number, (at, resolved, facts) in enumerate(tickets(seed)):
        row = {
            "number": f"OLD-{number}",
            "registered_at": f"{at:%Y-%m-%d %H:%M}",
            "channel": "phone",
            "category": "equipment",
            "statement": "电梯停了",
            "household_count": facts["household_count"],
            "loss_amount": facts["loss_amount"],
            **{name: "true" for name, value in facts.items() if value is True},
        }
        if number % 3 == 0:
            row["resolved_at"] = f"{resolved:%Y-%m-%d %H:%M}+08:00"
        yield row, (at, resolved, facts)


def exported(office, kind):
    answer = office.run("export", kind, "--format", "json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.output)


def naive(text):
    return datetime.fromisoformat(text).replace(tzinfo=None) if text else None


def run(office, *arguments):
    answer = office.run(*arguments)
    assert answer.exit_code == 0, answer.output


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("preset", ["tower", "residential", "project"])
def test_the_register_through_the_commands(office_of, tmp_path, preset):
    office = office_of(preset)
    made = list(old_rows(f"{preset} commands"))
    end = datetime(2026, 3, 6, 12)  # noqa: DTZ001 -- the oracle's office time
    run(office, "tick", "--at", "2026-02-08T09:00:00+08:00")
    run(office, "import", "tickets", write(tmp_path / "old.csv", [row for row, _ in made]))
    for text in ("2026-02-13T10:01", "2026-02-24T10:00", "2026-02-27T18:00", "2026-03-06T12:00"):
        run(office, "tick", "--at", f"{text}:00+08:00")
    run(office, "import", "tickets", tmp_path / "old.csv")

    clocks = {(row["number"], row["clock"]): row for row in exported(office, "ticket_clocks")}
    told, stands = {}, {row["number"]: row for row in exported(office, "tickets")}
    for row in exported(office, "escalations"):
        told.setdefault((row["number"], row["clock"]), []).append((row["level"], naive(row["at"])))
    visits = {row["ticket"]: row for row in exported(office, "visits")}
    assert len(stands) == 300
    for row, (at, resolved, facts) in made:
        number = row["number"]
        is_solved = "resolved_at" in row
        severity, due, levels = expected(preset, at, resolved, facts)
        wanted = {name: when for name, when in due.items() if is_solved or name != "follow_up"}
        assert stands[number]["severity"] == severity
        assert stands[number]["department"] == "engineering"
        assert {name: naive(clocks[number, name]["due_at"]) for name in wanted} == wanted
        assert {name for ticket, name in clocks if ticket == number} == set(wanted)
        for name, when in wanted.items():
            stop = resolved if is_solved and name != "follow_up" else None
            state = "met" if stop and stop <= when else "breached" if (stop or end) > when else "running"
            assert (clocks[number, name]["state"], naive(clocks[number, name]["stopped_at"])) == (state, stop)
            reached = [] if is_solved else [(level, at) for level, at in levels[name] if at < end]
            assert told.get((number, name), []) == reached
        if is_solved:
            assert stands[number]["state"] == "resolved"
            assert naive(visits[number]["due_at"]) == due["follow_up"]
            assert visits[number]["assignee_role"] == (
                "station_head" if severity == "major" else "front_desk"
            )
    answer = office.run("check")
    assert answer.exit_code == 0, answer.output
    answer = office.run("explain", "ticket", "OLD-1", "--json")
    assert json.loads(answer.output)["state"] == "registered"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_an_export_reads_back_as_csv(office_of, tmp_path):
    office = office_of("residential")
    row = {
        "registered_at": "2026-03-02 10:00",
        "channel": "desk",
        "category": "cleaning",
        "statement": "=cmd()",
        "resolved_at": "2026-03-02 11:00",
        "followed_up_at": "2026-03-03 10:00",
        "satisfaction": "1",
    }
    run(office, "tick", "--at", "2026-03-03T10:00:00+08:00")
    run(office, "import", "tickets", write(tmp_path / "old.csv", [row]))

    (found,) = csv.DictReader(io.StringIO(office.run("export", "tickets").output.lstrip("\ufeff")))

    assert (found["number"], found["state"], found["level"], found["reopen_count"]) == (
        "T2026-000001",
        "reopened",
        "1",
        "1",
    )
    assert found["registered_at"].startswith("2026-03-02T10:00:00+08:00")
