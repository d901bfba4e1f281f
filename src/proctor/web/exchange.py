"""One request and its reply: the `receive` and `send` of ASGI, and the bytes of a reply.

Replies are written here and not by h11, because the original echoes the version of the request,
keeps HTTP/1.0 connections when asked, and says `Connection: close` without meaning it (compat
xmlrpc.md, section 2).
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections import deque
from typing import Protocol

import h11

from proctor.core.caller import Peer
from proctor.core.settings import ServerSettings
from proctor.daemon.activity_log import ActivityLog, Level
from proctor.web.request import (
    NAMES,
    PEER,
    REASONS,
    SETTINGS,
    AsgiApp,
    Message,
    Scope,
    error_page,
    http_date,
    log_date,
)

Fields = list[tuple[bytes, bytes]]


class Link(Protocol):
    """The connection, as far as an exchange knows it."""

    settings: ServerSettings
    client: tuple[str, int]
    peer: Peer | None
    names: tuple[str, ...]

    @property
    def gone(self) -> bool:
        """Whether nobody reads any more."""

    @property
    def half_closed(self) -> bool:
        """Whether the client has said that it will send nothing more."""

    async def write(self, data: bytes) -> None:
        """Write, and wait while the client is behind with reading."""


class Exchange:
    """One request and its reply."""

    def __init__(self, link: Link, request: h11.Request) -> None:
        self.headers: dict[bytes, bytes] = dict(request.headers)
        self.version = request.http_version
        self.keep_alive = _keeps_alive(self.version, self.headers)
        # All of the request has come; the reply is one that only the client ends; it went wrong.
        self.complete = False
        self.streaming = False
        self.failed = False
        self._link = link
        self._request = request
        self._parts: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._disconnected = False
        self._told_all = False
        self._status = 0
        self._head: Fields | None = None
        self._bytes = 0

    def more(self, data: bytes) -> None:
        """A part of the body has come."""
        self._parts.append(data)
        self._arrived.set()

    def finish_reading(self) -> None:
        """All of the body has come."""
        self.complete = True
        self._arrived.set()

    def disconnect(self) -> None:
        """The client is gone, or will not send the rest."""
        self._disconnected = True
        self._arrived.set()

    async def run(self, app: AsgiApp, log: ActivityLog) -> None:
        """Let the application answer."""
        scope = self._scope()
        try:
            await app(scope, self.receive, self.send)
        except ConnectionError:
            self.failed = True
        except Exception:
            log.error(f"HTTP request failed: {traceback.format_exc()}")
            self.failed = True
        if log.wants(Level.TRACE):
            log.trace(self._access_line(scope.get("user")))

    def _scope(self) -> Scope:
        raw_path, _, query = self._request.target.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": self.version.decode(),
            "method": self._request.method.decode(),
            "scheme": "http" if self._link.settings.tls is None else "https",
            "path": raw_path.decode("latin-1"),
            "raw_path": raw_path,
            "query_string": query,
            "headers": list(self._request.headers),
            "client": self._link.client,
            "extensions": {
                SETTINGS: self._link.settings,
                PEER: self._link.peer,
                NAMES: self._link.names,
            },
        }

    def _access_line(self, user: str | None) -> str:
        host, port = self._link.client
        method, target = self._request.method.decode(), self._request.target.decode("latin-1")
        line = f'"{method} {target} HTTP/{self.version.decode()}"'
        when = log_date(time.time())
        return f"{host}:{port} - {user or '-'} [{when}] {line} {self._status} {self._bytes}"

    async def receive(self) -> Message:
        """The next part of the body; once that is told, only the disconnect is left to wait for."""
        while not self._disconnected and (self._told_all or not (self._parts or self.complete)):
            self._arrived.clear()
            await self._arrived.wait()
        if self._disconnected:
            return {"type": "http.disconnect"}
        body = b"".join(self._parts)
        self._parts.clear()
        self._told_all = self.complete
        return {"type": "http.request", "body": body, "more_body": not self.complete}

    async def send(self, message: Message) -> None:
        """A part of the reply.  Raises ConnectionError when nobody reads it any more."""
        if self._link.gone:
            raise ConnectionResetError("the client is gone")
        if message["type"] == "http.response.start":
            self._status, self._head = message["status"], list(message["headers"])
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        head = b"" if self._head is None else self._start(self._head, body, more)
        self._head = None
        data = head + self._framed(body, more)
        self._bytes += len(data)
        await self._link.write(data)

    def _start(self, headers: Fields, body: bytes, more: bool) -> bytes:
        """The head of the reply, written when it is known whether all of the reply is here."""
        if not more:
            headers.append((b"Content-Length", b"%d" % len(body)))
            if self.version != b"1.1" and self.keep_alive:
                headers.append((b"Connection", b"Keep-Alive"))
        else:
            self.streaming = True
            # A client that is done sending cannot be seen leaving: it gets what there is now.
            if self._link.half_closed:
                self.disconnect()
            if self.version == b"1.1":
                headers.append((b"Transfer-Encoding", b"chunked"))
            else:
                self.keep_alive = False
        return head_of(self.version, self._status, headers)

    def _framed(self, body: bytes, more: bool) -> bytes:
        if self._request.method == b"HEAD" or self._status == 304:
            return b""
        if not self.streaming or self.version != b"1.1":
            return body
        chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        return chunk if more else chunk + b"0\r\n\r\n"


def _keeps_alive(version: bytes, headers: dict[bytes, bytes]) -> bool:
    connection = headers.get(b"connection", b"").lower()
    return b"close" not in connection if version == b"1.1" else b"keep-alive" in connection


def head_of(version: bytes, status: int, headers: Fields) -> bytes:
    """Status line and headers of a reply."""
    date = http_date(int(time.time())).encode()
    start = b"HTTP/%b %d %b\r\nServer: Medusa/1.12\r\nDate: %b\r\n"
    lines = [start % (version, status, REASONS[status].encode(), date)]
    for name, value in headers:
        # Values are partly made of what clients sent: none may begin a header of its own.
        safe = value.replace(b"\r", b"").replace(b"\n", b"")
        lines.append(b"%b: %b\r\n" % (name, safe))
    lines.append(b"\r\n")
    return b"".join(lines)


def complete_error(status: int) -> bytes:
    """A whole reply that says no and good-bye."""
    page = error_page(status)
    headers = [
        (b"Content-Length", b"%d" % len(page)),
        (b"Content-Type", b"text/html"),
        (b"Connection", b"close"),
    ]
    return head_of(b"1.1", status, headers) + page
