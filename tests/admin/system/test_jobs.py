"""The screen of jobs: what ran, what comes, and running one by hand (§8)."""

from __future__ import annotations

from sqlalchemy import select

from models.office import JobRun
from office.rooms import TIMETABLE
from tests.admin.conftest import PASSWORD, Web, text_of


def runs(web: Web, job: str) -> list[str]:
    with web.rows() as session:
        return list(session.scalars(select(JobRun.state).where(JobRun.job == job)))


def test_every_job_is_listed(web: Web) -> None:
    page = web.get("/jobs/").text

    assert all(f'value="{job.code}"' in page for job in TIMETABLE)


def test_one_is_run_by_hand_for_a_moment_and_audited(web: Web) -> None:
    answer = web.post("/jobs/run/", {"job": "ladder", "due_for": "2026-01-05T09:00"}, follow_redirects=True)

    assert "within the next minute" in text_of(answer)
    assert runs(web, "ladder") == ["due"]
    assert [audit.action for audit in web.audits("job_run")] == ["run_by_hand"]


def test_what_cannot_be_run_is_refused(web: Web) -> None:
    for fields in (
        {"job": "none", "due_for": "2026-01-05T09:00"},
        {"job": "ladder", "due_for": "9998-01-05T09:00"},
        {"job": "ladder", "due_for": "0001-01-01T00:00"},  # before the calendar in UTC
        {"job": "ladder", "due_for": "soon"},
        {},
    ):
        assert web.post("/jobs/run/", fields).status_code == 302

    assert runs(web, "ladder") == []


def test_a_steward_may_not(visitor: Web) -> None:
    visitor.sign_in("steward", PASSWORD)

    assert visitor.get("/jobs/").status_code == 403
    assert visitor.post("/jobs/run/", {"job": "ladder", "due_for": "2026-01-05T09:00"}).status_code == 403
