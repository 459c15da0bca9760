"""The commands (contract "Commands"): each parses its arguments, calls one office verb, commits and prints.

Exit 0 when done; 1 with one line on stderr when the office refuses; 2 for wrong usage (click's own).
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo
from flask_babel import gettext
from sqlalchemy.orm import Session

from models import db
from models.engine import writing
from models.property import PRESETS
from runtime.command_output import as_text
from runtime.terminal import anywhere, reads, say, works, writes

if TYPE_CHECKING:
    from office.exchange.imports import Report


def init_app(app: Flask) -> None:
    for command in COMMANDS:
        app.cli.add_command(command)


def running() -> Flask:
    """The application itself."""
    return current_app._get_current_object()  # type: ignore[attr-defined,no-any-return] # noqa: SLF001 -- Flask's own advice


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.command()
@click.argument("message")
def revise(message: str) -> None:
    """Write the migration for changed models (for developers)."""
    from office.core import schema

    schema.revise(db.engine, message)


def assigned(pairs: Iterable[str]) -> Mapping[str, str]:
    """The fields of `--set NAME=VALUE`. Raises BadParameter where there is no `=`."""
    split = [pair.partition("=") for pair in pairs]
    for name, sign, _value in split:
        if not sign:
            raise click.BadParameter(f"{name!r} is no NAME=VALUE")
    return {name.strip(): value for name, _sign, value in split}


@click.command()
@click.option("--preset", type=click.Choice(PRESETS), required=True, help="The policies to start with.")
@click.option("--demo", is_flag=True, help="Add the demo estate.")
@click.option("--sandbox", is_flag=True, help="Make an office in which time may be chosen (tick --at).")
@click.option("--admin-password", help="The password of admin; without it a one-time password is printed.")
@click.option(
    "--set",
    "given",
    multiple=True,
    callback=lambda _context, _option, pairs: assigned(pairs),
    help="A field of the estate, such as company_name=…; may be given several times.",
)
@anywhere
def init(
    preset: str, *, demo: bool, sandbox: bool, admin_password: str | None, given: Mapping[str, str]
) -> None:
    """Set up the office without questions."""
    from office.core import clock, schema
    from office.estate import identity
    from office.operations import demo as demo_estate
    from office.operations import opening, setup
    from office.operations.demo_year import MONTHS
    from runtime import readiness

    opening.refuse_unusable(db.engine)
    schema.migrate(db.engine)
    with writing():
        office = setup.set_up(
            db.session(),
            preset,
            now=clock.machine_now(),
            is_sandbox=sandbox,
            admin_password=admin_password,
            identity={} if demo else given,
        )
        if demo:
            demo_estate.build(db.session(), password=office.password, now=clock.machine_now(), months=MONTHS)
            identity.fill(db.session(), given)
        db.session.commit()
    readiness.prove_key(running(), db.engine)
    click.echo(gettext("The office is ready. Sign in as %(login)s.", login=office.login))
    if admin_password is None:
        click.echo(gettext("One-time password: %(password)s", password=office.password))


def chosen_instant(_context: click.Context, _option: click.Parameter, value: str | None) -> datetime | None:
    """An ISO 8601 instant; without an offset it is office time."""
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no ISO 8601 instant") from error


@click.command()
@click.option("--at", callback=chosen_instant, help="Do what is due up to this instant (only in a sandbox).")
@json_option
@works
def tick(at: datetime | None, *, as_json: bool) -> None:
    """Run every job that is due since the last tick."""
    from office.core import clock
    from office.rooms import TIMETABLE
    from office.scheduling import job_status, scheduler

    session = db.session()
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=job_status.office_zone(session))
    ticked = scheduler.tick_to_the_end(session, TIMETABLE, at=at)
    zone = clock.zone(session)
    runs = [
        {
            "job": run.job,
            "due_for": run.due_for.astimezone(zone).isoformat(),
            "state": run.state,
            "done": run.done,
            "failed": run.failed,
        }
        for run in ticked.runs
    ]
    present_at = ticked.present_at.astimezone(zone).isoformat()
    lines = [f"{run['due_for']}  {run['job']}  {run['state']}  {run['done']}" for run in runs]
    say({"at": present_at, "runs": runs}, as_json=as_json, text="\n".join([present_at, *lines]))
    for run in ticked.runs:
        if run.error:
            click.echo(f"{run.job} {run.due_for.isoformat()}: {run.error}", err=True)


@click.command("clock")
@click.option("--parent", type=int, hidden=True, help="End when this process, which started it, is gone.")
@works
def clock_command(*, parent: int | None) -> None:
    """Run the scheduler: tick every minute until stopped."""
    from office.rooms import TIMETABLE
    from office.scheduling import clock_process
    from runtime import log_files

    app = running()
    log_files.log_to_files(Path(app.instance_path))

    @contextmanager
    def open_session() -> Iterator[Session]:
        with app.app_context(), Session(db.engine) as session:
            yield session

    db.session.remove()
    clock_process.run_clock(clock_process.Clock(open_session, TIMETABLE), parent=parent)


@click.command()
@json_option
@reads
def jobs(*, as_json: bool) -> None:
    """List the jobs with their last run, result and next run."""
    from office.core import clock
    from office.rooms import TIMETABLE
    from office.scheduling import job_status

    session = db.session()
    zone = job_status.office_zone(session)
    rows = [
        {
            name: value.astimezone(zone).isoformat() if isinstance(value, datetime) else value
            for name, value in vars(status).items()
        }
        for status in job_status.statuses(session, TIMETABLE, clock.now(session))
    ]
    lines = [
        f"{row['job']}  {row['last_run'] or '-'}  {row['state'] or '-'}  {row['next_run']}" for row in rows
    ]
    say(rows, as_json=as_json, text="\n".join(lines))


def known_kind(
    kinds: Callable[[], Iterable[str]],
) -> Callable[[click.Context, click.Parameter, str], str]:
    """A check of KIND that loads what it can be only when it is asked."""

    def check(context: click.Context, _argument: click.Parameter, value: str) -> str:
        if not current_app:  # called in a process of its own the application is open already
            context.with_resource(context.ensure_object(ScriptInfo).load_app().app_context())
        if value not in (known := list(kinds())):
            raise click.BadParameter(f"{value!r} is not one of {', '.join(known)}")
        return value

    return check


STATEMENT = "statement_of_account"  # the export that is of one account


def importable() -> Iterable[str]:
    from office.rooms import IMPORTS

    return IMPORTS


def explainable() -> Iterable[str]:
    from office.rooms import EXPLAINS

    return EXPLAINS


def exportable() -> Iterable[str]:
    from admin.panel import list_exports as lists
    from office.rooms import EXPORTS

    return [*EXPORTS, STATEMENT, *lists.screens()]


day_option = click.DateTime(("%Y-%m-%d",))


@click.command("import")
@click.argument("kind", callback=known_kind(importable))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", "is_check", is_flag=True, help="Report what would be imported; write nothing.")
@click.option("--sheet", default="", help="The workbook's sheet; else the first with a known header.")
@click.option(
    "--map",
    "map_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A TOML file: [columns] header = code, [values.CODE] word = code, [join] code = pattern, [set].",
)
@click.option("--update", "is_update", is_flag=True, help="Also write what differs from what is there.")
@click.option("--history", "is_history", is_flag=True, help="Tickets: close what has ended; nothing follows.")
@click.option("--yes", "is_confirmed", is_flag=True, help="Unusually large sums are right (policy).")
@click.option("--set", "constants", multiple=True, metavar="COLUMN=VALUE", help="A value for every row.")
@json_option
@works
def import_file(
    kind: str,
    file: Path,
    *,
    is_check: bool,
    sheet: str,
    map_file: Path | None,
    constants: tuple[str, ...],
    is_update: bool,
    is_history: bool,
    is_confirmed: bool,
    as_json: bool,
) -> None:
    """Import FILE (CSV or XLSX), whole or not at all.

    KIND is roster, payments, tickets …; a wrong one lists them all. A file with errors writes nothing; its
    errors are listed in FILE.errors.csv. Rows that are there with other values are left alone and listed in
    FILE.differs.csv.
    """
    from admin.exchange.code_words import words_of
    from office.core import clock
    from office.exchange import imports
    from office.policies import large_sums

    what = _imported(kind, is_history=is_history)
    mapping = _mapping(map_file, constants, [column.code for column in what.COLUMNS])
    has_header = imports.header_test(db.session(), what, mapping)
    db.session.rollback()
    table = imports.read(file, sheet, has_header=has_header)  # outside any transaction: nobody waits for it
    if sys.stderr.isatty():
        table = replace(
            table, tell=lambda done: click.echo(f"\r{done}/{len(table.lines)} ", nl=False, err=True)
        )
    with writing():
        session = db.session()
        try:
            now = clock.now(session)
            wanted = imports.EVERY_DIFFERENCE if is_update else ()
            with large_sums.confirmed(session, large_sums.ANY if is_confirmed else None):
                report = imports.take_in(session, kind, what, table, now=now, mapping=mapping, wanted=wanted)
        except imports.RowsRefused as refusal:
            wrong = refusal.told(gettext, words_of(session))
            with suppress(OSError):  # a folder that can't be written to: the line on stderr must do
                imports.write_problems(file.with_name(f"{file.name}.errors.csv"), wrong)
            refusal.values["problem"] = refusal.first(gettext)
            if as_json:
                counts = {"new": 0, "equal": 0, "differs": 0, "refused": refusal.rows}
                listed = {"kind": kind, **counts, "count": refusal.count, "errors": wrong}
                click.echo(json.dumps(listed, ensure_ascii=False))
            raise
        db.session.rollback() if is_check else db.session.commit()
    beside = file.with_name(f"{file.name}.differs.csv")
    if report.differences:
        with suppress(OSError):
            imports.write_differences(beside, report)
    text = "\n".join(_told(report, beside.name))
    differences = [{**vars(one), "never": one.never and gettext(one.never)} for one in report.differences]
    said = {**vars(report), **report.counts(), "differences": differences}
    preview = said.pop("preview")
    if is_check:
        said.update(preview)
    say({**said, "is_check": is_check, "errors": []}, as_json=as_json, text=text)


def _imported(kind: str, *, is_history: bool) -> Any:
    """What brings a kind of file in, as it is or as history."""
    from office.rooms import HISTORIES, IMPORTS

    if is_history and kind not in HISTORIES:
        raise click.UsageError(f"--history is for {', '.join(HISTORIES)}")
    return (HISTORIES if is_history else IMPORTS)[kind]


def _history_told(counts: Mapping[str, int]) -> Iterator[str]:
    """What became of the new rows of an old register, in the operator's language."""
    from admin.panel import labels

    for code, name in labels.HISTORY_COUNTS.items():
        if code in counts:
            yield f"{name}: {counts[code]}"


def _told(report: Report, listed_in: str) -> Iterator[str]:
    """What an import did, in lines; `listed_in` is the file that lists the differences."""
    yield gettext("%(rows)s rows: %(new)s new, %(skipped)s there already.", **vars(report))
    yield from _history_told(report.details)
    if report.updated:
        yield gettext("Rows of which differences were written: %(count)s", count=report.updated)
    if report.differences:
        yield gettext(
            "There with other values: %(count)s rows, listed in %(file)s",
            count=report.differs,
            file=listed_in,
        )
        if any(not one.never for one in report.differences):
            yield gettext("--update writes these differences.")
        for never in dict.fromkeys(one.never for one in report.differences if one.never):
            yield gettext(never)
    elif report.differs:
        yield gettext("There with other values: %(count)s rows", count=report.differs)
    if report.skipped_lines:
        yield gettext("Lines under the table that are no rows: %(count)s", count=report.skipped_lines)
    if report.unused:
        yield gettext("Columns that are not used: %(columns)s", columns=", ".join(report.unused))


def _mapping(map_file: Path | None, constants: Iterable[str], codes: Iterable[str]) -> Any:
    """What `--map` and `--set` say about a file's columns. Raises Refused."""
    from office.core.errors import N_, Refused
    from office.exchange.imports import mapping

    said, codes = mapping.FileMapping(), list(codes)
    if map_file is not None:
        try:
            said = mapping.from_toml(map_file.read_text(encoding="utf-8-sig"), map_file.name, codes)
        except UnicodeDecodeError:
            raise Refused(N_("%(file)s is not UTF-8 text"), file=map_file.name) from None
    return mapping.with_constants(said, constants, codes)


@click.command()
@click.argument("kind", callback=known_kind(exportable))
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "file_format",
    type=click.Choice(("csv", "xlsx", "json")),
    help="Else the ending of FILE decides, or CSV.",
)
@click.option("--unit", default="", help="statement_of_account: of this unit.")
@click.option("--payer", default="", help="statement_of_account: of this payer; with --unit only there.")
@click.option(
    "--from", "from_on", type=day_option, help="statement_of_account: first day; else the beginning."
)
@click.option("--to", "to_on", type=day_option, help="statement_of_account: last day; else today.")
@reads
def export(
    kind: str,
    file: Path | None,
    *,
    file_format: str | None,
    unit: str,
    payer: str,
    from_on: datetime | None,
    to_on: datetime | None,
) -> None:
    """Export a table to FILE, or to the terminal.

    KIND is a table (units, invoices, payments, tickets …) or a screen's list; a wrong one lists them all.
    """
    from admin.panel import list_exports as lists
    from office.exchange import exports
    from office.receivables import account_export
    from office.rooms import EXPORTS

    if file_format == "xlsx" and file is None:
        raise click.UsageError("XLSX needs a FILE")
    if kind != STATEMENT and (unit or payer or from_on or to_on):
        raise click.UsageError(f"--unit, --payer, --from and --to are for {STATEMENT}")
    if kind == STATEMENT and not (unit.strip() or payer.strip()):
        raise click.UsageError(f"{STATEMENT} is of one account: say --unit CODE or --payer NAME")
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")  # whatever the terminal's
    if kind == STATEMENT:
        header, found = account_export.statement_of_account(
            db.session(),
            unit=unit,
            payer=payer,
            from_on=from_on.date() if from_on else None,
            to_on=to_on.date() if to_on else None,
        )
    else:
        header, found = EXPORTS[kind](db.session()) if kind in EXPORTS else lists.whole_list(kind)
    exports.write(header, found, file=file, out=out, file_format=file_format or "")
    out.detach()


@click.command()
@click.argument("period")
@click.option("--check", "is_check", is_flag=True, help="Preview; issue nothing.")
@click.option(
    "--on",
    type=click.DateTime(("%Y-%m-%d",)),
    help="The day of issue, YYYY-MM-DD; else the 1st of the period.",
)
@click.option(
    "--differences",
    "is_again",
    is_flag=True,
    help="Of a period billed already: bill and credit what was entered late.",
)
@json_option
@writes
def bill(period: str, *, is_check: bool, on: datetime | None, is_again: bool, as_json: bool) -> None:
    """Issue the invoices of PERIOD (YYYY-MM)."""
    from office.billing import meter_usage
    from office.billing import runs as billing_runs
    from office.core import clock

    session = db.session()
    if is_again:
        _bill_differences(period, is_check=is_check, as_json=as_json)
        return
    verb = billing_runs.preview if is_check else billing_runs.issue_invoices
    made = verb(session, period, now=clock.now(session), on=on.date() if on else None)
    if not is_check:
        session.commit()
    lines = [
        gettext(
            "%(period)s: %(count)s invoices, %(amount)s; %(unbilled)s not billed",
            period=made.period,
            count=made.invoices,
            amount=made.amount,
            unbilled=len(made.unbilled),
        ),
        *(f"  {one.unit_code}: {one.reason}" for one in made.unbilled),
    ]
    said = made.to_dict()
    if is_check:
        odd = meter_usage.odd(session, billing_runs.parse_period(period))
        said["odd_usage"] = [one.to_dict() for one in odd]
    say(said, as_json=as_json, text="\n".join(lines))


def _bill_differences(period: str, *, is_check: bool, as_json: bool) -> None:
    from office.billing import difference_runs
    from office.core import clock

    session = db.session()
    found = difference_runs.preview(session, period)
    said = found.to_dict()
    if not is_check and found.rows:
        made = difference_runs.issue(session, period, now=clock.now(session))
        session.commit()
        found, said = made.found, made.to_dict()
    lines = [
        gettext(
            "%(period)s: %(more)s to bill besides, %(less)s to credit; %(unbilled)s not priced",
            period=found.period,
            more=found.more,
            less=found.less,
            unbilled=len(found.unbilled),
        ),
        *(
            f"  {one.unit_code} {one.fee_item}: {one.difference.billed} → {one.difference.should}"
            for one in found.rows
        ),
        *(f"  {one.unit_code}: {one.reason}" for one in found.unbilled),
    ]
    say(said, as_json=as_json, text="\n".join(lines))


@click.command()
@json_option
@reads
def check(*, as_json: bool) -> None:
    """Check every invariant and name the rows that break one."""
    from office import rooms
    from office.operations import damage

    damage.refuse_damaged(db.session())
    found = rooms.findings(db.session())
    text = "\n".join(map(str, found)) or gettext("Every invariant holds.")
    say({"ok": not found, "findings": [one.to_dict() for one in found]}, as_json=as_json, text=text)
    if found:
        click.echo(gettext("%(count)s rows break an invariant", count=len(found)), err=True)
        sys.exit(1)


@click.command()
@json_option
@anywhere
def doctor(*, as_json: bool) -> None:
    """Say what is wrong with this installation and what to do."""
    from office.core import clock
    from office.operations import doctor as examiner

    found = examiner.examine(db.session(), clock.machine_now())
    listed = [
        {
            "code": one.code,
            "is_grave": one.is_grave,
            "what": gettext(one.what, **in_words(one.values)),
            "advice": gettext(one.advice, **in_words(one.values)),
        }
        for one in found
    ]
    lines = [f"{'!!' if one['is_grave'] else ' !'} {one['what']}\n   {one['advice']}" for one in listed]
    text = "\n".join(lines) or gettext("Nothing is wrong.")
    say({"ok": not found, "findings": listed}, as_json=as_json, text=text)
    if any(one.is_grave for one in found):
        sys.exit(1)


def in_words(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a sentence, with roles, jobs and kinds of unit as the screens call them."""
    from admin.panel import labels

    names = {"role": labels.ROLES, "job": labels.JOBS, "kind": labels.UNIT_KINDS}
    return {name: names.get(name, {}).get(value, value) for name, value in values.items()}


@click.command()
@click.argument("login")
@writes
def password(login: str) -> None:
    """Make a one-time password for LOGIN.

    For a member of staff who lost the password or the device of the two-factor sign-in.
    """
    from office.access import passwords
    from office.core import clock

    given = passwords.give_password(db.session(), login, now=clock.now(db.session()))
    db.session.commit()
    click.echo(gettext("One-time password: %(password)s", password=given))


@click.command()
@click.argument("url")
@click.option("--stay", "is_staying", is_flag=True, help="Make a copy: this office goes on here as well.")
@works
def move(url: str, *, is_staying: bool) -> None:
    """Move the whole office into the empty database at URL.

    The copy is counted table by table and every invariant is checked; then the old database says where the
    office is now, and only reads. Run it again if it was interrupted.
    """
    from office.operations import transfer
    from office.rooms import CHECKS
    from runtime.application import create_app, engine_of
    from runtime.settings import Settings

    instance, key = Path(current_app.instance_path), current_app.config["SECRET_KEY"]
    target = create_app(Settings(instance=instance, database_url=url, secret_key=key))
    counts = transfer.move(db.engine, engine_of(target), CHECKS, is_staying=is_staying)
    click.echo(
        gettext(
            "%(rows)s rows of %(tables)s tables are there, and every invariant holds.",
            rows=sum(counts.values()),
            tables=len(counts),
        )
    )
    if is_staying:
        click.echo(gettext("This office goes on here; what is written from now on is not in the copy."))
    else:
        click.echo(gettext("Set GATEHOUSE_DATABASE_URL to it and open the office. Here it can only be read."))


@click.command("rotate-key")
@works
def rotate_key() -> None:
    """Seal everything with a new secret key, while the office is closed.

    The key is made, or taken from GATEHOUSE_NEW_SECRET_KEY. The file of the old one stays as
    secret_key.DATE: backups of before need it.
    """
    from runtime import readiness

    changed = readiness.change_key(running(), db.engine)
    click.echo(gettext("%(count)s values are sealed with the new key.", count=changed.sealed.values))
    if changed.sealed.unreadable:
        click.echo(
            gettext(
                "Values that the old key did not open, left as they were: %(count)s",
                count=changed.sealed.unreadable,
            )
        )
    if changed.old_key is not None:
        click.echo(gettext("The old key is in %(file)s: old backups need it.", file=changed.old_key))
    if changed.must_set:
        click.echo(gettext("Now set GATEHOUSE_SECRET_KEY to the new key, on every machine."))
    elif changed.must_unset:
        click.echo(gettext("The new key is in %(file)s: unset GATEHOUSE_SECRET_KEY.", file=changed.file))
    click.echo(gettext("Everybody signs in again; recovery codes and complaint codes must be given anew."))


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@anywhere
def backup(file: Path) -> None:
    """Back up the whole office to FILE, also while it is in use."""
    from office.core import clock
    from office.operations import backup as backups
    from office.operations import opening
    from runtime import readiness

    if opening.revision(db.engine):
        readiness.prove_key(running(), db.engine)
    counts = backups.make(db.engine, file, now=clock.machine_now())
    click.echo(gettext("%(file)s holds %(rows)s rows", file=file, rows=sum(counts.values())))


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--other-key", is_flag=True, help="Restore even if this key can't read the personal data in FILE."
)
@anywhere
def restore(file: Path, *, other_key: bool) -> None:
    """Replace this office by the one in the backup FILE."""
    from office.operations import backup as backups
    from office.operations import erasure_list
    from runtime import readiness

    counts = backups.restore(db.engine, file, is_key_ignored=other_key)
    readiness.prove_key(running(), db.engine)
    click.echo(gettext("Restored %(rows)s rows from %(file)s", file=file, rows=sum(counts.values())))
    erasure_list.note(db.engine, beside=[file.absolute().parent])
    if returned := [finding.name for finding in erasure_list.none_returned(db.session())]:
        click.echo(
            gettext(
                "Erased before, and back with this backup: persons %(ids)s. "
                "Settle what ties them, and erase them again.",
                ids=", ".join(returned),
            )
        )


@click.command()
@click.argument("kind", callback=known_kind(explainable))
@click.argument("number")
@json_option
@reads
def explain(kind: str, number: str, *, as_json: bool) -> None:
    """Explain the state of an invoice or a ticket.

    KIND is invoice or ticket, NUMBER as exports give it: which rule put it where it is, and what comes next,
    when.
    """
    from office.core import clock
    from office.rooms import EXPLAINS

    session = db.session()
    story = {"kind": kind, "id": number, **EXPLAINS[kind](session, number, now=clock.now(session))}
    say(story, as_json=as_json, text=as_text(story))


@click.command()
@click.argument("period")
@click.option(
    "--policy",
    "file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The changed policy, a TOML or JSON file as in seed/presets.",
)
@json_option
@reads
def simulate(period: str, file: Path, *, as_json: bool) -> None:
    """Try a changed policy on PERIOD (YYYY-MM); write nothing."""
    from office.core import clock
    from office.whatif import dunning as trials

    session = db.session()
    compared = trials.simulate(session, period, trials.read_policy(file), now=clock.now(session))
    say(compared, as_json=as_json, text=as_text(compared))


@click.command()
def version() -> None:
    """Print the versions of Gatehouse, Python and Flask."""
    from runtime.version import versions

    click.echo(versions())


COMMANDS = (
    init,
    revise,
    import_file,
    export,
    bill,
    check,
    doctor,
    move,
    password,
    explain,
    simulate,
    tick,
    clock_command,
    jobs,
    backup,
    restore,
    rotate_key,
    version,
)
