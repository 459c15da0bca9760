"""What IT sets by environment variables, and where the office of this machine lies."""

from __future__ import annotations

import errno
import os
import secrets as random
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import click
from sqlalchemy import make_url

ROOT = Path(__file__).parents[1]  # the checkout
KEY_FILE, NEW_KEY_FILE = "secret_key", "secret_key.new"
NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"}


class SettingError(click.ClickException):
    """A setting can't be used; the message says what to type."""


@dataclass(frozen=True)
class Settings:
    """What IT sets by environment variables; everything else is a policy in the office."""

    instance: Path = ROOT / "instance"
    database_url: str = ""
    secret_key: str = ""
    smtp_url: str = ""
    proxies: int = 0  # how many reverse proxies of our own stand before the program
    flask: dict[str, object] = field(default_factory=dict)

    @classmethod
    def from_environment(cls) -> Settings:
        read = os.environ.get
        return cls(
            instance=Path(read("GATEHOUSE_INSTANCE") or ROOT / "instance").absolute(),
            database_url=read("GATEHOUSE_DATABASE_URL", ""),
            secret_key=read("GATEHOUSE_SECRET_KEY", ""),
            smtp_url=read("GATEHOUSE_SMTP_URL", ""),
            proxies=cls.count("GATEHOUSE_PROXIES"),
        )

    def database(self) -> str:
        """SQLite in the instance folder unless a URL is set; `postgresql://` means psycopg 3."""
        if not self.database_url:
            return f"sqlite:///{self.instance / 'gatehouse.db'}"
        for scheme in ("postgresql://", "postgres://"):
            if self.database_url.startswith(scheme):
                return "postgresql+psycopg://" + self.database_url.removeprefix(scheme)
        if not self.database_url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise SettingError("GATEHOUSE_DATABASE_URL is no postgresql://user:password@host/name")
        return self.database_url

    @staticmethod
    def count(name: str) -> int:
        """A whole number from the environment, 0 without one. Raises SettingError for anything else."""
        given = os.environ.get(name) or "0"
        if not given.isdecimal():
            raise SettingError(f"{name} is {given!r}: set it to a number, as docs/it.md says")
        return int(given)

    def key(self) -> str:
        """The secret key from the environment, else from a file made at the first start.

        A new one is called `secret_key.new` until an office is sealed with it (`runtime/readiness.py`).
        """
        if self.secret_key:
            return self.secret_key
        path = self.instance / KEY_FILE
        if not path.exists():
            path = self.instance / NEW_KEY_FILE
            with suppress(FileExistsError):
                write_key(path, random.token_hex(32))
        key = path.read_text().strip()
        if not key:
            raise SettingError(f"{path} is empty: restore it from a backup or set GATEHOUSE_SECRET_KEY")
        return key


def write_key(path: Path, key: str) -> None:
    """Write a key to a new file that its owner alone can read, down to the disk."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())


def open_instance(settings: Settings, url: str) -> str:
    """The instance folder, made for its owner only, and the key in it. Raises SettingError without access."""
    folder = settings.instance
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = settings.key()
        if url.startswith("sqlite") and not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    except OSError as error:
        raise SettingError(
            f"{error.filename}: {error.strerror}. Run as the user whose folder {folder} is, "
            "or set GATEHOUSE_INSTANCE to a folder that this one may write to"
        ) from error
    return key


def refuse_network_share(url: str) -> None:
    """SQLite loses data on network file systems: say so before the first write (decisions: Data)."""
    database = make_url(url).database
    mounts = Path("/proc/mounts")
    if not url.startswith("sqlite") or not database or not mounts.exists():
        return
    folder = Path(database).absolute().parent
    best, kind = "", ""
    for line in mounts.read_text().splitlines():
        _, point, file_system, *_ = line.split()
        if folder.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, file_system
    if kind in NETWORK_FILE_SYSTEMS:
        raise SettingError(
            f"{database} lies on a network share ({kind}), where SQLite loses data: "
            "put the folder on a local disk or set GATEHOUSE_DATABASE_URL to a PostgreSQL"
        )
