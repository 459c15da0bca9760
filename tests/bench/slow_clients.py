"""Which server stands: throughput, and waits beside 200 slow clients of each habit (S6, F19, S20).

    uv run --with gunicorn python -m tests.bench.slow_clients [--only sqlite] [--clients 200] [--seconds 10]
        [--servers ours,waitress,granian,gunicorn] [--habits idle,half\\ a\\ request] [--folder F]

`ours` is `python app.py` as it is delivered, `waitress` the same with its other server, `granian` Granian's
own WSGI side and `gunicorn` its threads, both with two processes of two threads and nothing of ours before
them. People read and write as in the bench of load, twelve at once with little time to think; p95 is in
seconds, first alone, then beside the clients with the ratio to it. `ended` counts the clients that the server
ended within twice the patience of `ours` in this run. F14 is measured by the bench of load, for waitress with
`GATEHOUSE_SERVER=waitress`. The clients share the processors with the server.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from tests.bench import estate, ground, lists, load, servers
from tests.bench.estate import Size
from tests.factories.slow_clients import HABITS, swarm

PATIENCE = 5  # seconds
PEOPLE, THINK = 12, 0.4
COMMANDS = {
    "granian": ["granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "2", "--factory",
                "--log-level", "error", "--port", "{port}", "tests.bench.servers:ours_application"],
    "gunicorn": ["gunicorn", "--worker-class", "gthread", "--workers", "2", "--threads", "2", "--bind",
                 "127.0.0.1:{port}", "tests.bench.servers:ours_application()"],
}  # fmt: skip


@contextmanager
def open_by(server: str, app: Flask) -> Iterator[int]:
    """The office open by one of the servers; its port."""
    os.environ["GATEHOUSE_SERVER"] = "waitress" if server == "waitress" else ""
    os.environ["GATEHOUSE_CLIENT_SECONDS"] = str(PATIENCE)
    if server in {"ours", "waitress"}:
        with load.open_office(app) as (port, _process):
            yield port
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", *(word.format(port=port) for word in COMMANDS[server])]
    process = subprocess.Popen(command, env=servers.environment(app))
    try:
        servers.wait_for(port)
        yield port
    finally:
        process.kill()
        process.wait()


def day(port: int, visits: list[int], size: Size, seconds: float) -> tuple[float, str]:
    """The 95th percentile of all waits, and which answers were wrong or never came."""
    seats = load.desks(port, PEOPLE, size, visits)
    try:
        book = asyncio.run(asyncio.wait_for(load.a_day(seats, seconds, THINK), seconds + 2 * load.LONGEST))
    except (TimeoutError, OSError, AssertionError):  # nobody could even sign in
        return float("inf"), "nobody could sign in"
    waits = book.all("read") + book.all("write")
    p95 = statistics.quantiles(waits, n=20)[-1] if len(waits) > 1 else float("inf")
    return p95, str(dict(book.errors) or "none")


def measure(server: str, app: Flask, kind: str, options: argparse.Namespace, size: Size) -> None:
    habits = options.habits.split(",") if options.habits else list(HABITS)
    visits = load.staffed(app, (len(habits) + 1) * PEOPLE)["steward"]
    cookie = f"gatehouse={lists.sign_in(app)}"
    with open_by(server, app) as port:
        rate = servers.requests_a_second(
            servers.Served(port, cookie), "/invoices/", lists.CONNECTIONS, lists.SECONDS
        )
        alone, errors = day(port, visits, size, options.seconds)
        print(
            f"{server:9} {kind:10} {rate:6.1f} lists/s; alone: p95 {alone:.3f}, errors: {errors}", flush=True
        )
        for habit in habits:
            long = max(2 * PATIENCE, 1.1 * options.seconds + 2)
            with swarm(port, {habit: options.clients}, long, cookie) as slow:
                beside, errors = day(port, visits, size, options.seconds)
                ended = sum(after is not None for after in slow.ended()[habit])
            told = f"p95 {beside:.3f} ({beside / alone:.2f} ×), errors: {errors}; {ended} ended"
            print(f"{server:9} {kind:10} beside {options.clients} × {habit}: {told}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--servers", default="ours,waitress,granian,gunicorn")
    parser.add_argument("--habits", default="")
    parser.add_argument("--invoices", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="kept between runs; else a temporary one")
    options = parser.parse_args()
    size = Size(units=load.UNITS, invoices=options.invoices, tickets=20_000, contacts=20_000)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        for kind in ("sqlite", "postgresql"):
            if options.only in {None, kind}:
                url = ground.wheel(folder, "slow", is_safe=True)[0] if kind == "postgresql" else ""
                app = estate.estate(folder / kind, url, size)
                for server in options.servers.split(","):
                    measure(server, app, kind, options, size)


if __name__ == "__main__":
    main()
