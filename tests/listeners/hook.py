"""A web server that is told things, and may fail, stall, or not be there."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class Hook:
    """`posts` is what came, also when it was refused: path and JSON body.

    `answers` are (status, body) of the next answers; then it is 200.  `hold`: answer nothing.
    """

    url: str = ""
    posts: list[tuple[str, Any]] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)
    hold: bool = False
    release: threading.Event = field(default_factory=threading.Event)

    def told(self) -> list[str]:
        """The titles, in order."""
        return [body["title"].partition("] ")[2] for _, body in self.posts]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    hook: Hook

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gives up is part of the play."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """Whatever comes next."""
        hook = self.server.hook
        body = self.rfile.read(int(self.headers["Content-Length"]))
        hook.posts.append((self.path, json.loads(body)))
        if hook.hold:
            hook.release.wait(60)
        status, text = hook.answers.pop(0) if hook.answers else (200, "{}")
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Be quiet."""


@contextlib.contextmanager
def serving(port: int = 0) -> Iterator[Hook]:
    """Serves on loopback meanwhile."""
    server = _Server(("127.0.0.1", port), _Handler)
    server.hook = Hook(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.hook
    finally:
        server.hook.release.set()
        server.shutdown()
        thread.join()
        server.server_close()
