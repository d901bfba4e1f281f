"""Capture: what a child wrote, told apart into text for its log and messages for listeners.

1. Text between the BEGIN and the END token is a message; everything else is text; the tokens
   themselves are neither.
2. How the bytes are cut into reads changes nothing.  Held back is only what may be the start of a
   token or of a colour sequence, never more (gotchas G22, G61).
3. A message keeps its last `capture_maxbytes` bytes (gotcha G23).  One that is never ended is lost.

Source: compat logging.md, sections 5 and 7.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from proctor.core.values import dataclass

BEGIN_TOKEN = b"<!--XSUPERVISOR:BEGIN-->"
END_TOKEN = b"<!--XSUPERVISOR:END-->"

# ESC [ up to the first byte of this set, or up to the end of what was read.
_ANSI = re.compile(rb"\x1b\[[^HfABCDRsuJKhlpm]*([HfABCDRsuJKhlpm]?)")
_ANSI_REST = re.compile(rb"[^HfABCDRsuJKhlpm]*([HfABCDRsuJKhlpm]?)")


@dataclass(frozen=True, slots=True)
class Text:
    """Output for the log."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """What stood between a pair of tokens."""

    data: bytes


Piece = Text | Message


class Decoder(Protocol):
    """Whoever looks at a child's bytes before they are logged."""

    def feed(self, data: bytes) -> Sequence[Piece]:
        """The pieces that are certain after `data`, in their order."""

    def flush(self) -> Sequence[Piece]:
        """The pieces that were held back: the stream has ended, or its process has."""


class AnsiStripper:
    """Takes terminal sequences (`ESC [` to their final letter) out of a stream."""

    def __init__(self) -> None:
        self._inside = False
        self._escape = b""

    def feed(self, data: bytes) -> bytes:
        """`data` without sequences; a final ESC waits for the byte after it."""
        data, self._escape = self._escape + data, b""
        start = 0
        if self._inside:
            rest = _ANSI_REST.match(data)
            assert rest is not None, "the pattern matches the empty string too"
            self._inside = not rest[1]
            start = rest.end()
        kept = []
        for match in _ANSI.finditer(data, start):
            kept.append(data[start : match.start()])
            self._inside = not match[1]
            start = match.end()
        kept.append(data[start:])
        if kept[-1].endswith(b"\x1b"):
            kept[-1], self._escape = kept[-1][:-1], b"\x1b"
        return b"".join(kept)

    def flush(self) -> bytes:
        """An ESC that was waiting.  A sequence that is not finished stays swallowed."""
        escape, self._escape = self._escape, b""
        return escape


class Capture:
    """A Decoder for one stream.  `capture_maxbytes` 0: no messages, everything is text."""

    def __init__(self, capture_maxbytes: int = 0, strip_ansi: bool = False) -> None:
        self._maxbytes = capture_maxbytes
        self._ansi = AnsiStripper() if strip_ansi else None
        self._held = b""
        self._message: bytearray | None = None

    def feed(self, data: bytes) -> list[Piece]:
        """The pieces that are certain after `data`."""
        if not self._maxbytes:
            return self._text(data)
        data = self._held + data
        pieces: list[Piece] = []
        start, token = 0, END_TOKEN if self._message is not None else BEGIN_TOKEN
        # By place: cutting off what was read would copy all the rest for each token.
        while (found := data.find(token, start)) >= 0:
            if found > start:
                pieces += self._body(data[start:found])
            pieces += self._turn()
            start = found + len(token)
            token = BEGIN_TOKEN if token is END_TOKEN else END_TOKEN
        end = len(data) - possible_prefix(data[start:], token)
        self._held = data[end:]
        pieces += self._body(data[start:end])
        return pieces

    def flush(self) -> list[Piece]:
        """What was held back.  Inside a message nothing comes: it may still be finished."""
        if self._message is not None:
            return []
        held, self._held = self._held, b""
        pieces = self._text(held)
        escape = self._ansi.flush() if self._ansi else b""
        return [*pieces, Text(escape)] if escape else pieces

    def clear(self) -> None:
        """Forget what an unfinished message has collected."""
        if self._message is not None:
            self._message.clear()

    def _body(self, data: bytes) -> list[Piece]:
        if self._message is None:
            return self._text(data)
        self._message += data
        del self._message[: max(0, len(self._message) - self._maxbytes)]
        return []

    def _turn(self) -> list[Piece]:
        """A token was read: a message begins, or ends."""
        if self._message is None:
            self._message = bytearray()
            return []
        data, self._message = bytes(self._message), None
        return [Message(AnsiStripper().feed(data) if self._ansi else data)]

    def _text(self, data: bytes) -> list[Piece]:
        if self._ansi:
            data = self._ansi.feed(data)
        return [Text(data)] if data else []


def possible_prefix(data: bytes, token: bytes) -> int:
    """How many bytes at the end of `data` may be the start of `token`."""
    for length in range(min(len(token) - 1, len(data)), 0, -1):
        if data.endswith(token[:length]):
            return length
    return 0
