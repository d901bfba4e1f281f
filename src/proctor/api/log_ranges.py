"""Logs byte for byte: ranges whose place in the file is told, and followers that can go on.

Beside `logs.py`, whose answers are text in the shapes of the XML-RPC interface.  All of this
answers while the daemon stops, too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from proctor.api.following import Piece
from proctor.api.logs import Logs
from proctor.core.faults import Fault, FaultCode
from proctor.posix.follow import Place, Range, read_placed

# A range is held in memory twice, as bytes and as text.
MAX_RANGE = 8 * 1024 * 1024


class LogRanges(Logs):
    """Logs for those who count bytes."""

    async def read_log_range(self, name: str, channel: str, offset: int, length: int) -> Range:
        """At most `length` bytes of a log from `offset`; a negative offset counts from the end.

        Raises BAD_NAME, NO_FILE, FAILED.
        """
        return await self._read_range(self._log_of(name, channel), offset, length)

    async def read_main_log_range(self, offset: int, length: int) -> Range:
        """The main log, as `read_log_range`."""
        return await self._read_range(self.context.main_log, offset, length)

    async def follow_log_pieces(
        self, name: str, channel: str, after: Place | None
    ) -> AsyncIterator[Piece]:
        """Every byte that is added, after a place or the last 1024 bytes, until the caller ends it.

        Raises at once: BAD_NAME, NO_FILE.
        """
        return self._pieces(_some(self._log_of(name, channel)), after)

    async def follow_main_log_pieces(self, after: Place | None) -> AsyncIterator[Piece]:
        """The main log, as `follow_log_pieces`."""
        return self._pieces(_some(self.context.main_log), after)

    async def _read_range(self, path: str | None, offset: int, length: int) -> Range:
        return await self._in_worker(read_placed, path, offset, min(length, MAX_RANGE))


def _some(path: str | None) -> str:
    if path is None:
        raise Fault(FaultCode.NO_FILE)
    return path
