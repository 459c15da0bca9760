"""Granian's side of the application: a thread is taken only for a request that is here whole (F19, S20).

Granian reads headers, idle connections and slow readers in Rust, where thousands of them cost nothing. Its
own WSGI side gives a thread to a request whose body is still on its way, and takes a body that breaks off
for a whole one; so a few clients that send slowly would stop the office, and half a form could be posted.
Here the body is read first, by a deadline, and what breaks off is dropped. The answer is handed over whole
as well: no thread waits for somebody who doesn't read it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Protocol

SLOWEST = 4096  # bytes a second at which a long body may still come in
IN_MEMORY = 1 << 20  # bytes of a body that are kept in memory; the rest goes to a temporary file
SMALL_PIECE, PAUSE = 2048, 0.25  # after a smaller piece so many seconds pass until the next is looked at
USER_TIMEOUT = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Headers(Protocol):
    def items(self) -> list[tuple[str, str]]: ...
    def get(self, key: str, default: str = "") -> str: ...


class Scope(Protocol):
    """What Granian says of a request (RSGI)."""

    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    headers: Headers


class Connection(Protocol):
    """Where Granian gives the body of a request and takes the answer (RSGI)."""

    def __aiter__(self) -> Connection: ...
    async def __anext__(self) -> bytes: ...
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


class BrokenOffError(Exception):
    """A body broke off before its end."""


class WholeRequests:
    """Runs a WSGI application in `threads` threads, behind Granian's own interface."""

    def __init__(self, application: Application, *, threads: int, seconds: int, largest: int) -> None:
        """Take a client's pace in `seconds`, and the bytes of the longest body that is read at all."""
        self.application = application
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix="office")
        self.seconds = seconds
        self.largest = largest

    def __rsgi_init__(self, loop: AbstractEventLoop) -> None:
        loop.create_task(limit_slow_readers(self.seconds)).add_done_callback(lambda _done: None)

    async def __rsgi__(self, scope: Scope, connection: Connection) -> None:
        """Answer one request."""
        if scope.headers.get("transfer-encoding"):  # browsers and proxies say how much they send
            refuse(connection, 411)
            return
        length = announced(scope)
        if length is None:
            refuse(connection, 400)
            return
        with SpooledTemporaryFile[bytes](IN_MEMORY) as body:
            try:
                if 0 < length <= self.largest:  # the application itself refuses a longer one
                    await self.read(connection, length, body)
            except TimeoutError:
                refuse(connection, 408)
                return
            except BrokenOffError:
                refuse(connection, 400)
                return
            body.seek(0)
            asked = environ_of(scope, body)
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self.threads, answer_of, self.application, asked)
            connection.response_bytes(*answer)

    async def read(self, connection: Connection, length: int, body: IO[bytes]) -> None:
        """Read a body to its end. Raises TimeoutError by its deadline, BrokenOffError when it breaks off.

        The deadline moves by a second for each `SLOWEST` bytes that have come. Pieces of a few bytes are
        looked at from time to time only, so that dripping costs the client more than it costs here.
        """
        loop = asyncio.get_running_loop()
        received, begun = 0, loop.time()
        pieces = aiter(connection)
        async with asyncio.timeout_at(begun + self.seconds) as deadline:
            while received < length:
                piece = await anext(pieces)
                if not piece:
                    raise BrokenOffError
                received += len(piece)
                body.write(piece)
                deadline.reschedule(begun + self.seconds + received / SLOWEST)
                if len(piece) < SMALL_PIECE and received < length:
                    await asyncio.sleep(PAUSE)


def announced(scope: Scope) -> int | None:
    """The length of the body, 0 without one, None for what is no length."""
    given = scope.headers.get("content-length", "0")
    return int(given) if given.isascii() and given.isdecimal() else None


def refuse(connection: Connection, status: int) -> None:
    connection.response_bytes(status, [("content-length", "0"), ("connection", "close")], b"")


def environ_of(scope: Scope, body: IO[bytes]) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333)."""
    host, _, port = scope.server.rpartition(":")
    asked: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string.encode().decode("latin-1"),
        "SERVER_NAME": host.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        if "_" in name:  # would pass for the header with hyphens, which a proxy sets
            continue
        key = name.replace("-", "_").upper()
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        between = ";" if name == "cookie" else ","
        asked[key] = f"{asked[key]}{between}{value}" if key in asked else value
    return asked


def answer_of(application: Application, asked: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body of an answer, in a thread of the application's."""
    begun: list[tuple[int, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
        begun[:] = [(int(status.partition(" ")[0]), headers)]

    parts = application(asked, start_response)
    try:
        body = b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    status, headers = begun[0]
    return status, headers, body


async def limit_slow_readers(seconds: int) -> None:
    """Have the system end connections whose other side takes none of an answer for so many seconds.

    Accepted sockets inherit it from the one that listens, which Granian opens after this begins. Linux only.
    """
    while USER_TIMEOUT is not None:
        for listening in listening_sockets():
            with listening:
                listening.setsockopt(socket.IPPROTO_TCP, USER_TIMEOUT, seconds * 1000)
            return
        await asyncio.sleep(0.02)


def listening_sockets() -> Iterable[socket.socket]:
    """Each socket of this process that listens, as a copy to be closed."""
    for file in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            if stat.S_ISSOCK(file.stat().st_mode):
                copy = socket.socket(fileno=os.dup(int(file.name)))
                if copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    yield copy
                else:
                    copy.close()
