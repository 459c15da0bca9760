"""E-mail by SMTP, over one connection for as many letters as there are (C5).

`smtp://[user:password@]host[:port]`, `smtps://…` for TLS from the start; `?from=office@example.org` sets
the sender, `?starttls=1` asks for STARTTLS (a sign-in always does).
"""

from __future__ import annotations

import hashlib
import mimetypes
import platform
import smtplib
import ssl
from contextlib import suppress
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from office.messaging.channels.base import Declined, Letter, Undelivered, Unreachable, Unsure
from office.messaging.mail_page import page

SECONDS_TO_WAIT = 30
TABLES = "report:"  # letters whose columns stand under each other only in a face of one width


class Mail:
    """One SMTP server; connects at the first letter, and again when the connection was lost."""

    def __init__(self, url: str, *, seconds: int = SECONDS_TO_WAIT) -> None:
        self.url: SplitResult = urlsplit(url)
        self.seconds = seconds
        self.options = {name: values[-1] for name, values in parse_qs(self.url.query).items()}
        self.sender = self.options.get("from") or f"gatehouse@{self.url.hostname}"
        self.server: smtplib.SMTP | None = None

    def send(self, letter: Letter) -> None:
        """Hand one letter to the server. Raises the errors of channels/base.py."""
        message = written(letter, self.sender)
        server = self._connected()
        try:
            self._address(server, letter)
            code, reply = self._hand_over(server, message)
        except Undelivered:
            with suppress(smtplib.SMTPException, OSError):
                server.rset()
            raise
        if code != 250:
            raise _error(code, reply)

    def try_out(self) -> None:
        """Connect and sign in, and send nothing. Raises Unreachable with the server's own words."""
        self._connected()
        self.close()

    def close(self) -> None:
        if self.server is not None:
            with suppress(smtplib.SMTPException, OSError):
                self.server.quit()
            self.server = None

    def _connected(self) -> smtplib.SMTP:
        if self.server is not None:
            try:
                if self.server.noop()[0] == 250:
                    return self.server
            except (smtplib.SMTPException, OSError):
                pass
            self.server = None
        try:
            self.server = self._connect()
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise Unreachable(f"{self.url.hostname}: {error}") from error
        return self.server

    def _connect(self) -> smtplib.SMTP:
        host = self.url.hostname or ""
        name = platform.node() or "localhost"  # else smtplib asks the DNS who we are, which may take long
        if self.url.scheme == "smtps":
            tls = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, self.url.port or 465, name, timeout=self.seconds, context=tls
            )
        else:
            server = smtplib.SMTP(host, self.url.port or 25, name, timeout=self.seconds)
            if self.url.username or self.options.get("starttls") == "1":
                server.starttls(context=ssl.create_default_context())
        if self.url.username:
            server.login(unquote(self.url.username), unquote(self.url.password or ""))
        server.ehlo_or_helo_if_needed()
        return server

    def _address(self, server: smtplib.SMTP, letter: Letter) -> None:
        options = ["SMTPUTF8"] if not letter.address.isascii() and server.has_extn("smtputf8") else []
        try:
            code, reply = server.mail(self.sender, options)
            if code != 250:
                raise _error(code, reply)
            code, reply = server.rcpt(letter.address)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self.server = None
            raise Unreachable(str(error)) from error
        except UnicodeError as error:
            raise Declined(str(error), is_address_bad=True) from error
        if code not in {250, 251}:
            raise _error(code, reply, is_address_bad=True)

    def _hand_over(self, server: smtplib.SMTP, message: bytes) -> tuple[int, bytes]:
        try:
            return server.data(message)
        except smtplib.SMTPDataError as error:
            raise _error(error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self.server = None
            raise Unsure(f"the connection ended before the server's answer: {error}") from error


def written(letter: Letter, sender: str) -> bytes:
    """The letter as it goes over the wire; its Message-ID is the same on every try."""
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = Address(" ".join(letter.sender.split()), addr_spec=sender)
        message["To"] = letter.address
        message["Subject"] = " ".join(letter.subject.split())
        message["Date"] = format_datetime(letter.at)
        name = hashlib.sha256(letter.key.encode()).hexdigest()[:32]
        message["Message-ID"] = f"<{name}@{sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
    except (ValueError, MessageError) as error:
        raise Declined(f"{letter.address!r}: {error}", is_address_bad=True) from error
    transfer = "base64" if not letter.body.isascii() else None
    message.set_content(letter.body, cte=transfer)
    html = page(
        message["Subject"],
        letter.body,
        sender=letter.sender or sender,
        language=letter.language,
        is_fixed=letter.key.startswith(TABLES),
    )
    message.add_alternative(html, subtype="html", cte="base64")
    for file_name, content in letter.files:
        kind, encoding = mimetypes.guess_type(file_name)
        main, _slash, sub = (kind if kind and not encoding else "application/octet-stream").partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=file_name)
    message.set_boundary(f"=_{name}")
    return message.as_bytes()


def _error(code: int, reply: bytes | str, *, is_address_bad: bool = False) -> Undelivered:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    if code == 421:
        return Unreachable(f"{code} {text}")
    if code >= 500:
        return Declined(f"{code} {text}", is_address_bad=is_address_bad)
    return Undelivered(f"{code} {text}")
