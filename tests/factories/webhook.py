"""A real web server on this machine that takes posts as a chat service does, and what it was given."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class Webhook(BaseHTTPRequestHandler):
    """Keeps headers and body of each post, and its path; answers all alike."""

    received: list[tuple[dict[str, str], bytes]] = []
    paths: list[str] = []
    status = 200
    answer = b'{"errcode": 0, "errmsg": "ok"}'

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((dict(self.headers), body))
        self.paths.append(self.path)
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def webhook_server() -> Iterator[tuple[str, type[Webhook]]]:
    """Serve on a free port; gives the server's address and its handler."""
    handler = type("Handler", (Webhook,), {"received": [], "paths": []})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", handler
        finally:
            server.shutdown()
            thread.join()
