"""Logs byte for byte: ranges whose place in the file is told, and followers that can go on.

Beside `logs.py`, whose answers are text in the shapes of the XML-RPC interface.  All of this
answers while the daemon stops, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

from proctor.api.logs import FOLLOW_INTERVAL, Logs
from proctor.core.faults import Fault, FaultCode
from proctor.posix.follow import TRUNCATED, Follower, Place, Range, read_placed

# A range is held in memory twice, as bytes and as text.
MAX_RANGE = 8 * 1024 * 1024
HEARTBEAT = 30.0


class Piece(NamedTuple):
    """New bytes of a log, and the place after them.

    `gap`: something is missing or was taken away before them: the log was cleared, or the place
    that was asked for is gone.  Neither bytes nor a gap: nothing was written for HEARTBEAT seconds;
    who passes that on notices a client whose network died.
    """

    data: bytes
    place: Place | None
    gap: bool = False


class LogRanges(Logs):
    """Logs for those who count bytes."""

    async def read_log_range(self, name: str, channel: str, offset: int, length: int) -> Range:
        """At most `length` bytes of a log from `offset`; a negative offset counts from the end.

        Raises BAD_NAME, NO_FILE, FAILED.
        """
        path = self._one(name).logfile(_channel(channel))
        return await self._in_worker(read_placed, path, offset, min(length, MAX_RANGE))

    async def read_main_log_range(self, offset: int, length: int) -> Range:
        """The main log, as `read_log_range`."""
        path = self.context.main_log
        return await self._in_worker(read_placed, path, offset, min(length, MAX_RANGE))

    async def follow_log_pieces(
        self, name: str, channel: str, after: Place | None
    ) -> AsyncIterator[Piece]:
        """Every byte that is added, after a place or the last 1024 bytes, until the caller ends it.

        Raises at once: BAD_NAME, NO_FILE.
        """
        return self._pieces(self._one(name).logfile(_channel(channel)), after)

    async def follow_main_log_pieces(self, after: Place | None) -> AsyncIterator[Piece]:
        """The main log, as `follow_log_pieces`."""
        return self._pieces(self.context.main_log, after)

    def _pieces(self, path: str | None, after: Place | None) -> AsyncIterator[Piece]:
        if path is None:
            raise Fault(FaultCode.NO_FILE)
        return self._read_on(_Reader(path, after))

    async def _read_on(self, reader: _Reader) -> AsyncIterator[Piece]:
        silence = 0.0
        try:
            while True:
                piece = await self._in_worker(reader.read)
                if piece.data or piece.gap or silence >= HEARTBEAT:
                    silence = 0.0
                    yield piece
                else:
                    await asyncio.sleep(FOLLOW_INTERVAL)
                    silence += FOLLOW_INTERVAL
        finally:
            # Behind a read that may still be going on; the caller may have been cancelled in it.
            self._worker.submit(reader.close)


def _channel(channel: str) -> str:
    if channel not in ("stdout", "stderr"):
        raise Fault(FaultCode.NO_FILE, channel)
    return channel


class _Reader:
    """Opened by its first read, so that whoever never reads need not close it.

    Used in the worker thread only.
    """

    def __init__(self, path: str, after: Place | None) -> None:
        self._path = path
        self._after = after
        self._follower: Follower | None = None

    def read(self) -> Piece:
        """The next bytes; no bytes when there are none yet."""
        first = self._follower is None
        if self._follower is None:
            self._follower = Follower(self._path, self._after)
        data = self._follower.read()
        if data is TRUNCATED:
            return Piece(b"", self._follower.place, gap=True)
        return Piece(data, self._follower.place, gap=first and self._follower.missed)

    def close(self) -> None:
        """Let go of the file."""
        if self._follower is not None:
            self._follower.close()
