"""The whole office from one command: set up on the first run, then web workers and the scheduler together.

`python app.py [--host HOST] [--port PORT]`. Web and clock are processes of their own; both end with this
one, however it ends. Granian serves the pages, waitress where there is no wheel of it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.exc import DatabaseError

from models import db
from models.engine import writing
from models.property import PRESETS
from office.core import clock, outage_log, schema
from office.core.errors import Refused
from office.core.leases import is_orphaned
from office.operations import damage, demo, demo_year, opening, secret_key, setup
from office.scheduling import job_status
from rules.identity import registration_number
from runtime import log_files, readiness, terminal
from runtime.application import create_app
from runtime.settings import ROOT, Settings
from runtime.version import version, versions
from runtime.whole_requests import WholeRequests

SECONDS_TO_STOP = 10
CLIENT_SECONDS = 30  # how long a client may be silent or slow; GATEHOUSE_CLIENT_SECONDS
MOST_FILES = 16_384
CONNECTIONS = 4096  # of each web worker; idle ones cost next to nothing
PARENT = "GATEHOUSE_PARENT"  # tells web workers who started them


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.version_option(version(), message=versions())
@click.option("--port", default=8000, show_default=True, help="The port to listen at; 0 takes a free one.")
def main(host: str, port: int) -> None:
    """Serve the office: web and clock together."""
    os.umask(terminal.OWNER_ONLY)
    app = create_app(Settings.from_environment())
    with app.app_context(), force_locale(terminal.reader_language()):
        port = free_port(host, port)
        try:
            with schema.alone(db.engine):
                prepare(app)
                db.session.remove()
        except Refused as refusal:
            raise click.ClickException(terminal.worded(refusal)) from refusal
        except DatabaseError as error:
            outage = terminal.outage_of(error)
            raise (click.ClickException(outage) if outage else error) from error
        db.engine.dispose()
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        click.echo(_("Gatehouse is open at %(address)s (Ctrl+C closes it)", address=address))
    sys.stdout.flush()
    serve(host, port)


def free_port(host: str, port: int) -> int:
    """The port, or the free one the system chose. Raises ClickException when somebody listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            reason = _(
                "Port %(port)s of %(host)s can't be used (%(reason)s): choose another with --port",
                port=port,
                host=host,
                reason=error.strerror,
            )
            raise click.ClickException(reason) from error
        return int(probe.getsockname()[1])


def prepare(app: Flask) -> None:
    """Bring the database up to date, and set the office up on the first run.

    Refuses a database that is no office, damaged or moved, and a wrong key; where there was an office, no new
    one is made in its place (F20).
    """
    bind = db.engine
    is_office = bool(opening.revision(bind))
    if is_office:
        readiness.prove_key(app, bind)
        damage.refuse_damaged_at_start(bind)
    elif refusal := opening.lost(bind):
        raise refusal
    session = db.session()
    if is_office and schema.is_up_to_date(session):
        refuse_damaged(schema.missing_protections(session))
    else:
        session.rollback()
        schema.migrate(bind)
    with writing():
        session.rollback()
        opening.refuse_moved(session.connection())
        if setup.estate(session) is None:
            set_up(sys.stdin.isatty() and sys.stdout.isatty())
        setup.complete(session, now=clock.machine_now())
        secret_key.seal_proof(session.connection())
        session.commit()
        job_status.heartbeat(session)
    readiness.prove_key(app, bind)


def refuse_damaged(missing: list[str]) -> None:
    """Nobody works in a database that no longer protects posted money (M7)."""
    if missing:
        listed = ", ".join(missing)
        reason = _("The database has lost protections: %(missing)s. Restore a backup.", missing=listed)
        raise click.ClickException(reason)


def ask_identity() -> dict[str, str]:
    """Who manages the estate, as papers name it (D1); each answer may be left for later."""
    click.echo(_("Who manages the estate? Papers name it as creditor. Enter leaves a question for later."))
    name = click.prompt(_("Name of the estate"), default="", show_default=False)
    company = click.prompt(_("Company's full legal name"), default="", show_default=False)
    number = click.prompt(
        _("Registration number"), default="", show_default=False, value_proc=known_registration
    )
    said = {"name": name.strip(), "company_name": company.strip(), "registration_no": number}
    return {field: text for field, text in said.items() if text}


def known_registration(given: str) -> str:
    """The number in its plain form; click asks again where it can't be one."""
    try:
        return registration_number(given)
    except ValueError:
        raise click.UsageError(
            _("Its check digit does not fit: please compare it with the licence.")
        ) from None


def set_up(is_asking: bool) -> None:  # noqa: FBT001 -- one flag, one meaning
    """Make the office; ask when there is a terminal, else take the defaults (contract: first run)."""
    preset, has_demo, given = "residential", False, {}
    if is_asking:
        click.echo(_("This is a new office. Which rules shall it start with?"))
        click.echo(_("  tower: an office building\n  residential: a housing estate"))
        click.echo(_("  project: a housing estate with three levels of complaints"))
        preset = click.prompt(_("Preset"), type=click.Choice(PRESETS), default=preset)
        has_demo = click.confirm(_("Add a demo estate to try things out?"), default=False)
        if not has_demo:
            given = ask_identity()
    session = db.session()
    office = setup.set_up(session, preset, now=clock.machine_now(), identity=given)
    if has_demo:
        demo.build(session, password=office.password, now=clock.machine_now(), months=demo_year.MONTHS)
    session.commit()
    click.echo(_("The office is ready. Sign in as %(login)s.", login=office.login))
    click.echo(_("One-time password: %(password)s", password=office.password))
    click.echo(_("It is shown only now. Choose your own under your name after signing in."))


# --- the two halves -----------------------------------------------------------------------------------


def serve(host: str, port: int) -> None:
    """Run the scheduler beside the web server until the server ends."""
    os.environ[PARENT] = str(os.getpid())
    allow_connections()
    clock_process = ClockSupervisor()
    clock_process.start()
    try:
        web_server(host, port)()
    finally:
        clock_process.stop()


def allow_connections() -> None:
    """Let each process open as many files, of which a connection is one, as the system permits."""
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limit
        import resource

        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        wanted = MOST_FILES if most == resource.RLIM_INFINITY else min(most, MOST_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


class ClockSupervisor:
    """Runs `flask clock` as a process of its own and starts it again should it end by itself."""

    def __init__(self) -> None:
        self.is_stopping = threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self.thread = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        self.process = self._open()
        self.thread.start()

    def _open(self) -> subprocess.Popen[bytes]:
        flask = [sys.executable, "-m", "flask", "--app", str(ROOT / "app.py")]
        command = [*flask, "clock", "--parent", str(os.getpid())]
        return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)  # noqa: S603 -- our own command

    def _keep(self) -> None:
        while not self.is_stopping.wait(1):
            if self.process is not None and self.process.poll() is not None:
                self.process = self._open()

    def stop(self) -> None:
        self.is_stopping.set()
        self.thread.join()
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:  # in the middle of a long job: another clock takes it over
            self.process.kill()
            self.process.wait()


def web_server(host: str, port: int) -> Callable[[], None]:
    """Granian with a worker for each processor, or waitress where it can't be had."""
    if os.environ.get("GATEHOUSE_SERVER") == "waitress":
        return lambda: serve_by_waitress(host, port)
    try:
        from granian import Granian
        from granian.constants import HTTPModes, Interfaces
        from granian.http import HTTP1Settings
        from granian.log import LogLevels
    except ImportError:
        return lambda: serve_by_waitress(host, port)
    workers = Settings.count("GATEHOUSE_WORKERS") or min(os.cpu_count() or 1, 8)
    server = Granian(
        "app",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,  # the other mode waits for a first byte without a deadline
        http1_settings=HTTP1Settings(header_read_timeout=client_seconds() * 1000),  # idle ones too
        workers=workers,
        backpressure=CONNECTIONS,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=SECONDS_TO_STOP,
    )
    return lambda: server.serve(target_loader=web_application, wrap_loader=False)


def client_seconds() -> int:
    """How long a client may take for the headers, say nothing, or take nothing of an answer."""
    return min(Settings.count("GATEHOUSE_CLIENT_SECONDS"), 600) or CLIENT_SECONDS


def web_application() -> Any:
    """The application of one web worker, which ends when the process that started it is gone."""
    threading.Thread(target=end_with, args=(int(os.environ[PARENT]),), daemon=True).start()
    app = logged_app()
    threads = Settings.count("GATEHOUSE_THREADS") or 2
    largest = app.config["MAX_CONTENT_LENGTH"]
    return WholeRequests(app, threads=threads, seconds=client_seconds(), largest=largest)


def logged_app() -> Flask:
    app = create_app()
    log_files.log_to_files(Path(app.instance_path))
    outage_log.ends(outage_log.DAMAGE)  # the start has looked
    return app


def end_with(parent: int) -> None:
    while not is_orphaned(parent):
        time.sleep(1)
    os._exit(0)


def serve_by_waitress(host: str, port: int) -> None:
    from runtime.waitress_server import PunctualServer

    def stop(*_arguments: object) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    PunctualServer.of(logged_app(), host, port, seconds=client_seconds()).run()
