"""Waitress, where there is no wheel of Granian: it reads requests whole as well (F19)."""

from __future__ import annotations

import select
import socket
from contextlib import suppress
from typing import Any, Self

from flask import Flask
from waitress.server import TcpWSGIServer

from runtime.whole_requests import SLOWEST

CONNECTIONS = 900  # below the files that a process may have open
LARGEST_ANSWER = 1 << 30  # bytes, more than any has: above it a thread would wait for who reads
THREADS = 8


class PunctualServer(TcpWSGIServer):
    """Waitress with deadlines for a request and an answer beside its own for idle connections."""

    @classmethod
    def of(cls, app: Flask, host: str, port: int, *, seconds: int) -> Self:
        """The server of an office, which gives each client so many seconds."""
        return cls(
            app,
            host=host,
            port=port,
            threads=THREADS,
            ident=None,
            connection_limit=CONNECTIONS,
            asyncore_use_poll=hasattr(select, "poll"),
            channel_timeout=seconds,
            cleanup_interval=1,
            outbuf_high_watermark=LARGEST_ANSWER,
        )

    def maintenance(self, now: Any) -> None:
        """Once a second; `now` as in `time.time()`."""
        super().maintenance(now)
        channels: Any = self.active_channels
        for channel in channels.values():
            if is_late(channel, now, self.adj.channel_timeout):
                channel.will_close = True
                with suppress(OSError):  # gone already
                    channel.socket.shutdown(socket.SHUT_RDWR)


def is_late(channel: Any, now: float, seconds: float) -> bool:
    """Whether a request has been coming in for too long, or nothing of an answer was taken for so long."""
    request = channel.request
    if request is None:
        return bool(channel.total_outbufs_len) and now - channel.last_activity > seconds
    request.begun_at = getattr(request, "begun_at", now)
    received = request.body_bytes_received if request.headers_finished else 0
    return bool(now - request.begun_at > seconds + received / SLOWEST)
