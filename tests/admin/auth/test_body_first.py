"""No request holds a transaction or a lock while its body is read, under whatever server (F19)."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from admin.auth import guard
from models import db
from tests.admin.conftest import Web
from tests.conftest import Office

FORM = "application/x-www-form-urlencoded"


class Body(io.BytesIO):
    """A body that looks, whenever a piece of it is read, how many connections the request has in hand."""

    def __init__(self, content: bytes, in_hand: Callable[[], int]) -> None:
        super().__init__(content)
        self.in_hand = in_hand
        self.found: set[int] = set()

    def _look(self) -> None:
        self.found.add(self.in_hand())

    def read(self, size: int | None = -1) -> bytes:
        self._look()
        return super().read(size)

    def readline(self, size: int | None = -1) -> bytes:
        self._look()
        return super().readline(size)

    def readinto(self, buffer: Any) -> int:
        self._look()
        return super().readinto(buffer)


def in_hand(office: Office) -> Callable[[], int]:
    with office.app.app_context():
        pool: Any = db.engine.pool
    return lambda: int(pool.checkedout()) if hasattr(pool, "checkedout") else 0


def send(web: Web, path: str, content: bytes, kind: str) -> tuple[Body, int]:
    body = Body(content, in_hand(web.office))
    answer = web.client.post(
        path, input_stream=body, headers={"Content-Type": kind, "Content-Length": str(len(content))}
    )
    return body, answer.status_code


def form(web: Web, name: str) -> bytes:
    return f"csrf_token={web.own_token()}&name={name}&position=1".encode()


def files(web: Web) -> tuple[bytes, str]:
    """A file of two megabytes with the import's form, as a browser sends it."""
    lines = [
        f'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{web.own_token()}\r\n'.encode()
    ]
    head = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    lines += [head.encode(), b"unit_code\r\n" * 200_000, b"\r\n--x--\r\n"]
    return b"".join(lines), "multipart/form-data; boundary=x"


def test_a_form_is_read_before_the_database_is_asked(web: Web) -> None:
    body, status = send(web, "/areas/new/", form(web, "North"), FORM)

    assert status == 302
    assert body.found == {0}


@pytest.mark.parametrize("path", ["/imports/", "/login", "/areas/new/", "/nowhere/"])
def test_files_are_read_before_the_database_is_asked_wherever_they_are_sent(web: Web, path: str) -> None:
    body, _status = send(web, path, *files(web))

    assert body.found == {0}


def test_the_control_without_reading_first_the_lock_is_in_hand(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = form(web, "North")
    monkeypatch.setattr(guard, "read_body", lambda: None)

    body, status = send(web, "/areas/new/", content, FORM)

    assert status == 302
    assert max(body.found) >= 1
