"""Following a log: what is added to it, piece by piece, until the caller ends it.

It is opened by the first read, so that whoever never reads need not close it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import NamedTuple

from proctor.api.room import Room
from proctor.posix.follow import TRUNCATED, Follower, Place

# How long a follower rests when there was nothing new.  No timer runs while nobody follows.
FOLLOW_INTERVAL = 0.1
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


class Following(Room):
    """The part of the api that reads on."""

    async def _pieces(self, path: str, after: Place | None = None) -> AsyncGenerator[Piece, None]:
        """What comes after a place, or the last 1024 bytes and what comes after them."""
        reader, silence = _Reader(path, after), 0.0
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


class _Reader:
    """Used in the worker thread only."""

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
