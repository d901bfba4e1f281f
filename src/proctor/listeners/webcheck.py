"""One GET, as httpok asks: redirects are answers, a refused connection is tried again for a while.

Source: compat superlance.md, section 4; S5, S7.
"""

from __future__ import annotations

import ssl
import time
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
)
from urllib.parse import SplitResult, urlsplit

from proctor.core.values import dataclass

# Also ValueError: a host name that cannot be one, a port that is no number.
CHECK_TROUBLE = (OSError, HTTPException, ValueError)

_BETWEEN_TRIES = 1.0
_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    reason: str
    charset: str
    body: bytes

    def contains(self, text: str) -> bool:
        """Whether the body contains a text, as UTF-8 or in the encoding that the server names."""
        if text.encode("utf-8", "surrogateescape") in self.body:
            return True
        try:
            return text in self.body.decode(self.charset, "replace")
        except LookupError:
            return False


@dataclass(frozen=True, slots=True)
class WebCheck:
    """Asks for one URL.  `timeout` in seconds counts for each step, and for the whole body."""

    url: str
    timeout: int = 10
    verify_tls: bool = False

    @property
    def scheme(self) -> str:
        """`http`, `https`, or something that cannot be asked."""
        return self.url.partition(":")[0].lower()

    def ask(self) -> Answer:
        """The answer, whatever its status.  Raises any of CHECK_TROUBLE."""
        give_up = time.monotonic() + self.timeout
        while True:
            try:
                return self._ask_once()
            except ConnectionRefusedError:
                # It may just be starting.
                if time.monotonic() + _BETWEEN_TRIES > give_up:
                    raise
                time.sleep(_BETWEEN_TRIES)

    def _ask_once(self) -> Answer:
        parts = urlsplit(self.url)
        query = f"?{parts.query}" if parts.query else ""
        connection = self._connection(parts)
        try:
            connection.request(
                "GET", f"{parts.path or '/'}{query}", headers={"User-Agent": "httpok"}
            )
            response = connection.getresponse()
            charset = response.headers.get_content_charset("utf-8")
            body = _read(response, time.monotonic() + self.timeout)
            return Answer(response.status, response.reason, charset, body)
        finally:
            connection.close()

    def _connection(self, parts: SplitResult) -> HTTPConnection:
        host = parts.hostname or ""
        if parts.scheme == "http":
            return HTTPConnection(host, parts.port, timeout=self.timeout)
        context = ssl.create_default_context()
        if not self.verify_tls:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return HTTPSConnection(host, parts.port, timeout=self.timeout, context=context)


def _read(response: HTTPResponse, give_up: float) -> bytes:
    """The whole body.  A server that sends drop by drop is as good as one that hangs."""
    pieces: list[bytes] = []
    while piece := response.read1(_CHUNK):
        if time.monotonic() > give_up:
            raise TimeoutError("timed out")
        pieces.append(piece)
    if response.length:
        raise IncompleteRead(b"".join(pieces), response.length)
    return b"".join(pieces)
