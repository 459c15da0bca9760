"""`GET /healthz` for IT's monitoring: whether the scheduler ticks, and how long ago it last did (§8)."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from models import db
from office.scheduling import job_status

SILENCE_ALLOWED = timedelta(seconds=90)  # nine heartbeats of the scheduler


def init_app(app: Flask) -> None:
    app.add_url_rule("/healthz", "healthz", healthz)


def healthz() -> Response:
    """200 with the seconds since the last tick, 503 when the scheduler stopped or the database is away."""
    try:
        age = job_status.age_of_last_tick(db.session())
    except SQLAlchemyError:
        return _answer("the database does not answer", None)
    if age is None:
        return _answer("the clock has never ticked", None)
    is_silent = age > SILENCE_ALLOWED
    return _answer("the clock stopped" if is_silent else "ok", age)


def _answer(status: str, age: timedelta | None) -> Response:
    seconds = None if age is None else round(max(age.total_seconds(), 0.0), 1)
    response = jsonify(status=status, last_tick_age_seconds=seconds)
    response.status_code = 200 if status == "ok" else 503
    response.headers["Cache-Control"] = "no-store"
    return response
