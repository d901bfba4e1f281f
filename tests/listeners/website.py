"""A web server that answers well, badly, late, drop by drop, or in another encoding."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY = "hello wörld"


@dataclass(slots=True)
class Website:
    """`url` without a slash at the end; `seen` is every request: path, agent."""

    url: str
    seen: list[tuple[str, str]] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    site: Website

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the play."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """Whatever the path says."""
        path = self.path.partition("?")[0]
        self.server.site.seen.append((self.path, self.headers["User-Agent"]))
        if path == "/late":
            self.server.site.hold.wait(60)
        self.send_response({"/500": 500, "/away": 302}.get(path, 200))
        if path == "/away":
            self.send_header("Location", "/500")
        body = BODY.encode()
        if path == "/latin":
            body = BODY.encode("latin-1")
            self.send_header("Content-Type", "text/html; charset=iso-8859-1")
        self.send_header("Content-Length", str(10**6 if path in ("/drip", "/short") else len(body)))
        self.end_headers()
        if path == "/drip":
            with contextlib.suppress(OSError):
                while not self.server.site.hold.wait(0.05):
                    self.wfile.write(b".")
        self.wfile.write(body)
        self.close_connection = path == "/short"

    def log_message(self, format: str, *args: object) -> None:
        """Be quiet."""


@contextlib.contextmanager
def website(port: int = 0, context: ssl.SSLContext | None = None) -> Iterator[Website]:
    """Serves on loopback meanwhile; what is held goes on at the end."""
    server = _Server(("127.0.0.1", port), _Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme, host = ("https", "localhost") if context else ("http", "127.0.0.1")
    server.site = Website(f"{scheme}://{host}:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.site
    finally:
        server.site.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()


def open_later(port: int, seconds: float, ready: threading.Event) -> threading.Thread:
    """A thread that opens a website on `port` after a while, until `ready` is set."""

    def serve() -> None:
        time.sleep(seconds)
        with website(port):
            ready.wait(60)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread
