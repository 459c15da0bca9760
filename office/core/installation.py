"""What the machine, not the database, says of this office: its folder, IT's settings, its translations.

The runtime attaches an `Installation` to the database engine it opens; a verb asks for it by its session.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

OPTION = "installation"


@dataclass(frozen=True)
class ListFile:
    """A saved view as a file; without content where it can't be made, `problem` says why to its person."""

    address: str
    name: str = ""
    content: bytes = b""
    problem: str = ""


def _no_list(_view_id: int, _staff_id: int, /) -> ListFile | None:
    return None


def _untranslated(_language: str, sentence: str, /, **values: object) -> str:
    return sentence % values if values else sentence


@dataclass(frozen=True)
class Installation:
    """One installation of the program.

    `translate(language, sentence, **values)` gives the sentence in a person's language (`zh_Hans`, `zh_Hant`
    or `en`) with its values filled in. `list_file(view id, staff id)` makes the file of a saved view with the
    rights that its person has now; None when the person may not have it.
    """

    folder: Path | None = None  # the instance folder
    settings: Mapping[str, object] = field(default_factory=dict)
    translate: Callable[..., str] = _untranslated
    list_file: Callable[[int, int], ListFile | None] = _no_list

    def setting(self, name: str) -> str:
        """A setting of IT's: from the application, else `GATEHOUSE_<name>` of the environment; else empty."""
        return str(self.settings.get(name) or os.environ.get(f"GATEHOUSE_{name}", ""))


def attach(engine: Engine, installation: Installation) -> None:
    """Let every session on this engine know its installation."""
    engine.update_execution_options(**{OPTION: installation})


def of(session: Session) -> Installation:
    """The installation of a session's engine; without one only the environment is known."""
    return of_engine(session.get_bind())


def of_engine(bind: Engine | Connection) -> Installation:
    """The same of an engine or a connection."""
    found = bind.get_execution_options().get(OPTION)
    return found if isinstance(found, Installation) else Installation()


def backup_folder(bind: Engine) -> Path:
    """Where the nightly backups lie: GATEHOUSE_BACKUP_FOLDER, else `backups` in the instance folder."""
    here = of_engine(bind)
    if chosen := here.setting("BACKUP_FOLDER"):
        return Path(chosen)
    if here.folder is not None:
        return here.folder / "backups"
    return Path(str(bind.url.database)).parent / "backups"


def nightly_backups(bind: Engine) -> list[Path]:
    """The nightly backups that are there, the oldest first."""
    return sorted(backup_folder(bind).glob("gatehouse-????-??-??.zip"))
