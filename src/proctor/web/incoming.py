"""Incoming: what a client sends, cut into requests.

1. h11 reads them, a fresh one for each: it is a hardened parser.
2. What is sent ahead waits until the answers before it are written.
3. Two mistakes are no mistakes, because clients of the original make them: an empty line after a
   body, which its length does not count, and HTTP/1.1 without a Host.
"""

from __future__ import annotations

import h11

# How h11 begins to tell that there is no request line; it has no other sign of it.
_NOT_HTTP = ("illegal request line", "no request line received")
_NO_HOST = "Missing mandatory Host"

Event = h11.Request | h11.Data | h11.EndOfMessage


def is_http(error: h11.RemoteProtocolError) -> bool:
    """Whether what `error` is about is a request at all, with a mistake."""
    return not str(error).startswith(_NOT_HTTP)


class Incoming:
    """From one client.  The head of a request may have `most` bytes."""

    def __init__(self, most: int) -> None:
        # Sent after the request that is being answered.
        self.ahead = b""
        self._most = most
        self._head: list[bytes] = []
        self._parser = h11.Connection(h11.SERVER, most)

    @property
    def has_begun(self) -> bool:
        """Whether a part of the head of a request has come, and not yet all of it."""
        return bool(self._head)

    @property
    def wants_to_be_told(self) -> bool:
        """Whether the client sends the body of its request only when it is asked to go on."""
        return self._parser.they_are_waiting_for_100_continue

    def hear(self, data: bytes) -> bool:
        """Bytes of a head; whether there was anything in them."""
        if not self._head:
            data = data.lstrip(b"\r\n")
        if data:
            self._head.append(data)
            self._parser.receive_data(data)
        return bool(data)

    def hear_body(self, data: bytes) -> None:
        """More of the request that has begun."""
        self._parser.receive_data(data)

    def next_event(self) -> Event | None:
        """A new request, a part of its body or its end; None when more bytes are needed.

        Raises h11.RemoteProtocolError.
        """
        try:
            event = self._parser.next_event()
        except h11.RemoteProtocolError as error:
            if not str(error).startswith(_NO_HOST):
                raise
            self._supply_host()
            return self.next_event()
        if isinstance(event, h11.Request):
            self._head.clear()
        elif isinstance(event, h11.EndOfMessage):
            self.ahead = self._parser.trailing_data[0]
        return event if isinstance(event, Event) else None

    def begin_anew(self) -> bytes:
        """Be ready for another request; what has come of it."""
        self._parser = h11.Connection(h11.SERVER, self._most)
        ahead, self.ahead = self.ahead, b""
        return ahead

    def _supply_host(self) -> None:
        """Read it again with an empty Host."""
        line, _, rest = b"".join(self._head).partition(b"\n")
        self._head.clear()
        self._parser = h11.Connection(h11.SERVER, self._most)
        self.hear(line + b"\nHost:\r\n" + rest)
