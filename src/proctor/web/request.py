"""Request, Response and Refusal: what a handler sees of HTTP, over an ASGI scope.

Texts and headers are the original's (compat xmlrpc.md, section 2).
"""

from __future__ import annotations

import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    MutableMapping,
)
from functools import lru_cache
from typing import Any

from proctor.core.caller import Peer
from proctor.core.settings import ServerSettings
from proctor.core.values import dataclass

# The types of the ASGI specification, which leaves the values open.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

# The ASGI extensions under which a server tells its settings, who is at the other end of a unix
# socket, and the names in a client's certificate, to the application.
SETTINGS = "proctor.server"
PEER = "proctor.peer"
NAMES = "proctor.names"
MAX_BODY = 8 * 1024 * 1024

Headers = tuple[tuple[str, str], ...]

REASONS = {
    100: "Continue", 200: "OK", 301: "Moved Permanently", 304: "Not Modified",
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 408: "Request Timeout", 409: "Conflict", 411: "Length Required",
    413: "Request Entity Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Content",
    417: "Expectation Failed", 431: "Request Header Fields Too Large",
    500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@lru_cache(maxsize=4)
def http_date(when: int) -> str:
    """Seconds since the epoch as HTTP writes them, in any locale."""
    at = time.gmtime(when)
    day = f"{_DAYS[at.tm_wday]}, {at.tm_mday:02d} {_MONTHS[at.tm_mon]} {at.tm_year}"
    return f"{day} {at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d} GMT"


def log_date(when: float) -> str:
    """Local time as access logs write it."""
    at = time.localtime(when)
    clock = time.strftime("%H:%M:%S %z", at)
    return f"{at.tm_mday:02d}/{_MONTHS[at.tm_mon]}/{at.tm_year}:{clock}"


def error_page(status: int, detail: str = "") -> bytes:
    """The body of every reply that is not a success."""
    message = f"{REASONS[status]}: {detail}" if detail else REASONS[status]
    return (
        "<head>\r\n<title>Error response</title>\r\n</head>\r\n<body>\r\n"
        f"<h1>Error response</h1>\r\n<p>Error code {status}.\r\n<p>Message: {message}.\r\n"
        "</body>\r\n"
    ).encode()


@dataclass(frozen=True, slots=True)
class Response:
    """A reply.  An iterator as body is a stream that ends when the client goes."""

    status: int
    headers: Headers
    body: bytes | AsyncIterator[bytes] = b""


async def end_stream(chunks: AsyncIterator[object]) -> None:
    """Let a stream release what it holds now, not when the garbage collector comes by."""
    if isinstance(chunks, AsyncGenerator):
        await chunks.aclose()


class Refusal(Exception):
    """No: with which status, and what to tell in one line of plain, own text."""

    def __init__(self, status: int, detail: str = "", headers: Headers = ()) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers = headers

    def response(self) -> Response:
        """As a reply."""
        page = error_page(self.status, self.detail)
        return Response(self.status, (("Content-Type", "text/html"), *self.headers), page)


class Request:
    """One request.  Header names are lower case; a header given twice is joined by a comma."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        # As the original: decoded, and with one slash in front.
        self.raw_path: str = scope["raw_path"].decode("latin-1")
        self.path: str = "/" + _unquoted(self.raw_path).lstrip("/")
        self.query: str = scope["query_string"].decode("latin-1")
        self.headers = _joined(scope["headers"])
        self.client: tuple[str, int] = scope["client"]
        self.settings: ServerSettings = scope["extensions"][SETTINGS]
        self.peer: Peer | None = scope["extensions"].get(PEER)
        self.names: tuple[str, ...] = scope["extensions"].get(NAMES, ())
        self._receive = receive

    @property
    def over_unix(self) -> bool:
        """Whether it came over a unix socket."""
        return self.settings.file is not None

    @property
    def source(self) -> str:
        """Where it came from, for the log."""
        return f"{self.client[0]}:{self.client[1]}"

    async def body(self) -> bytes:
        """All of it.  Raises Refusal 411 without a length, 413 beyond 8 MiB, 400 if cut short."""
        length = self.headers.get("content-length")
        if length is None or "transfer-encoding" in self.headers:
            raise Refusal(411)
        if int(length) > MAX_BODY:
            raise Refusal(413)
        parts = []
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Refusal(400)
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return b"".join(parts)

    async def form(self) -> dict[str, str]:
        """Values of the query, under those of a posted form.  Of repeated keys the first counts.

        Raises Refusal 400 for too many of them.
        """
        from urllib.parse import parse_qsl

        text = self.query
        if self.method == "POST":
            text = f"{(await self.body()).decode('utf-8', 'replace')}&{text}"
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=1000)
        except ValueError:
            raise Refusal(400) from None
        return dict(reversed(pairs))


def _unquoted(path: str) -> str:
    if "%" not in path:
        return path
    from urllib.parse import unquote  # 0.4 MB with what it loads, and programs need it not.

    return unquote(path)


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
