"""Commands as an office's IT calls them: exit codes and one line of reason (contract "Commands")."""

import pytest
from sqlalchemy.engine import make_url

from app import create_app
from models import db
from runtime.settings import Settings
from tests.conftest import SECRET_KEY, Templates, on_server

COMMANDS = (
    ("tick",),
    ("jobs",),
    ("bill", "2026-07"),
    ("check",),
    ("export", "units"),
    ("explain", "invoice", "I202607-000001"),
    ("import", "roster", "{roster}"),
)


@pytest.fixture
def never_set_up(dialect, templates: Templates, tmp_path):
    """An installation in whose database no table was ever made."""
    url = ""
    if dialect == "postgresql":
        on_server(templates.server(), 'DROP DATABASE IF EXISTS "never_set_up"')
        on_server(templates.server(), 'CREATE DATABASE "never_set_up"')
        url = make_url(templates.server()).set(database="never_set_up").render_as_string(hide_password=False)
    app = create_app(Settings(instance=tmp_path, database_url=url, secret_key=SECRET_KEY))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_an_office_never_set_up_says_so_in_one_line(never_set_up, tmp_path):
    roster = tmp_path / "roster.csv"
    roster.write_text("unit_code,building,unit_kind,area_m2\n1-101,1,residence,80\n")
    for command in COMMANDS:
        arguments = [word.format(roster=roster) for word in command]

        told = never_set_up.test_cli_runner().invoke(args=arguments)

        assert told.exit_code == 1, command
        assert told.stderr == "The office is not set up: run flask init\n", command


@pytest.mark.parametrize("kind", ["units", "collection_rate", "areas"])
def test_tables_and_screens_leave_by_the_same_command(office, kind):
    told = office.run("export", kind, "--format", "json")

    assert (told.exit_code, told.stderr) == (0, "")
