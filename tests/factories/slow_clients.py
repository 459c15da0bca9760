"""Clients that make a server wait: silent, dripping, breaking off in the middle, not reading (F19, S20).

    python -m tests.factories.slow_clients PORT COUNTS SECONDS COOKIE

opens at once so many connections of each kind as COUNTS says (JSON), prints a line when all are open and
then, by kind, after how many seconds the server ended each, null for one that was still open at the end. Run
as a process of its own, so that it takes no time of who measures.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

OPEN = "open"
PACE, DRIP = 0.25, 5  # seconds, and bytes at a time: 20 bytes a second
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
LARGE = "/static/vendor/chart.umd.min.js"  # some of which the system keeps for who doesn't read
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Habit:
    """What a client sends at once, what it then drips for ever, and whether it reads."""

    at_once: Callable[[str], str]
    dripping: str = ""
    is_reading: bool = True


def post(more: str) -> Callable[[str], str]:
    """The head of a form, and what follows it at once."""
    return lambda cookie: f"POST /areas/new/ HTTP/1.1\r\nHost: slow\r\n{cookie}{FORM}{more}"


HABITS = {
    "idle": Habit(lambda _cookie: ""),
    "silent after an answer": Habit(lambda cookie: f"GET /login HTTP/1.1\r\nHost: slow\r\n{cookie}\r\n"),
    "headers at 20 bytes a second": Habit(
        lambda cookie: f"GET /areas/ HTTP/1.1\r\nHost: slow\r\n{cookie}", dripping="X-Slow: 12345678901\r\n"
    ),
    "half a request": Habit(post("Content-Length: 5000\r\n\r\nname=half")),
    "a body at 20 bytes a second": Habit(post("Content-Length: 5000\r\n\r\n"), dripping="name=slow"),
    "chunks at 20 bytes a second": Habit(
        post("Transfer-Encoding: chunked\r\n\r\n"), dripping="5\r\nname=\r\n"
    ),
    "not reading": Habit(
        lambda cookie: f"GET {LARGE} HTTP/1.1\r\nHost: slow\r\n{cookie}\r\n" * 30, is_reading=False
    ),
}


async def ended_after(
    port: int, habit: Habit, cookie: str, seconds: float, opened: Callable[[], None]
) -> float | None:
    """After how many seconds the server ended one such connection; None if it had not by the end."""
    loop = asyncio.get_running_loop()
    client = socket.socket()
    client.setblocking(False)
    if not habit.is_reading:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    begun, sent = loop.time(), 0
    dripping = habit.dripping.encode() * 400 or (b"" if habit.is_reading else b"G" * 4000)
    with client:
        try:
            await loop.sock_connect(client, ("127.0.0.1", port))
            await loop.sock_sendall(client, habit.at_once(cookie).encode())
            opened()
            while loop.time() - begun < seconds:
                await asyncio.sleep(PACE)
                if habit.is_reading and _is_ended(client):
                    return loop.time() - begun
                if sent < len(dripping):
                    client.send(dripping[sent : sent + DRIP])
                    sent += DRIP
        except BlockingIOError:
            return None
        except OSError:
            return loop.time() - begun
    return None


def _is_ended(client: socket.socket) -> bool:
    """Read what there is; whether that was the end."""
    try:
        while read := client.recv(65536):
            assert read
    except BlockingIOError:
        return False
    return True


async def all_ended_after(
    port: int, counts: dict[str, int], seconds: float, cookie: str
) -> dict[str, list[float | None]]:
    kinds = [kind for kind, count in counts.items() for _each in range(count)]
    left = iter(range(len(kinds) - 1, -1, -1))

    def opened() -> None:
        if next(left) == 0:
            print(OPEN, flush=True)

    clients = (ended_after(port, HABITS[kind], cookie, seconds, opened) for kind in kinds)
    ended = zip(kinds, await asyncio.gather(*clients), strict=True)
    found: dict[str, list[float | None]] = {kind: [] for kind in counts}
    for kind, after in ended:
        found[kind].append(after)
    return found


@dataclass(frozen=True)
class Swarm:
    """Slow clients at work in a process of their own."""

    process: subprocess.Popen[bytes]

    def ended(self) -> dict[str, list[float | None]]:
        """Wait for the end; by kind, after how many seconds each was ended."""
        found: dict[str, list[float | None]] = json.loads(self.process.communicate()[0])
        return found


@contextmanager
def swarm(port: int, counts: dict[str, int], seconds: float, cookie: str = "") -> Iterator[Swarm]:
    """So many slow clients of each kind, for so many seconds from when all are open."""
    command = [sys.executable, "-m", __name__, str(port), json.dumps(counts), str(seconds), cookie]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().decode().strip() == OPEN
        yield Swarm(process)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def main() -> None:
    port, counts, seconds, cookie = sys.argv[1:]
    head = f"Cookie: {cookie}\r\n" if cookie else ""
    found = all_ended_after(int(port), json.loads(counts), float(seconds), head)
    print(json.dumps(asyncio.run(found)))


if __name__ == "__main__":
    main()
