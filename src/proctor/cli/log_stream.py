"""A log that is followed over the lives of several daemons, without losing or doubling a byte.

1. The first request is the one that the original knows: where it is refused, it is in its words.
2. Our daemon tells with every piece the place that comes after it, so a stream that was cut off
   (upgrade, reload, kill -9) is asked for again from there.  Where it cannot be, it has ended, as
   streams of the original do.
"""

from __future__ import annotations

from binascii import a2b_base64

from proctor.client.connection import ProtocolError
from proctor.client.sse import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from proctor.client.connection import Stream
    from proctor.client.server import Server

_TRUNCATED = b"==> File truncated <==\n"
# Streams in a row that bring nothing: somebody ends them on purpose.
_MOST_IN_VAIN = 3


class LogStream:
    """Iterate for the bytes of a log, until it or `close` ends.

    `classic` and `placed` are the paths of the two interfaces.  Raises ProtocolError or OSError
    when the first request is refused.
    """

    def __init__(self, server: Server, classic: str, placed: str) -> None:
        self._server = server
        self._placed = f"{placed}?encoding=base64"
        self._after = ""
        self._vain = 0
        self._closed = False
        self._plain: Stream | None = server.follow(classic)
        self._stream: Stream | None = None
        try:
            self._stream = server.follow(self._placed)
        except (ProtocolError, OSError):
            return  # a server that knows of no places
        self._plain.close()
        for _ in self._plain:
            pass
        self._plain = None

    def __iter__(self) -> Iterator[bytes]:
        if self._plain is not None:
            yield from self._plain
        while self._stream is not None:
            before = self._after
            yield from self._pieces(self._stream)
            self._vain = 0 if self._after != before else self._vain + 1
            self._stream = self._open_again()

    def close(self) -> None:
        """End it, from another thread than the one that iterates."""
        self._closed = True
        for stream in (self._plain, self._stream):
            if stream is not None:
                stream.close()

    def _pieces(self, stream: Stream) -> Iterator[bytes]:
        from json import loads  # tail -f is the only one that needs it

        for name, data in events(stream, self._seen):
            if name == "reset":
                yield _TRUNCATED
            elif name == "log":
                yield a2b_base64(loads(data)["data"])

    def _seen(self, place: str) -> None:
        self._after = place

    def _open_again(self) -> Stream | None:
        """From the place of the last piece; None when nobody answers, or somebody ended it."""
        if self._closed or self._vain >= _MOST_IN_VAIN or not self._after:
            return None
        try:
            return self._server.follow(f"{self._placed}&after={self._after}")
        except (ProtocolError, OSError):
            return None
