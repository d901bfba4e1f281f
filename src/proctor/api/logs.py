"""Logs: read a range, the end, clear, follow.

Offsets and lengths are bytes; the text of an answer is mended so that every client can read it.
Source: compat logging.md, sections 8 to 10; gotchas G5, G58, G62.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

from proctor.api.actions import act_on_each
from proctor.api.following import Following, Piece
from proctor.api.text import readable
from proctor.core.faults import Fault, FaultCode
from proctor.core.info import ActionResult
from proctor.daemon.output import CHANNELS
from proctor.daemon.process import Process
from proctor.posix.follow import TRUNCATED
from proctor.posix.logfile import read_range, tail_range

# More than this at once would make the daemon as big as the log.
MAX_READ = 32 * 1024 * 1024

Cleared = Callable[[OSError | None], None]


class Logs(Following):
    """Everything that can be done with logs."""

    # The main log

    async def read_log(self, offset: int, length: int) -> str:
        """A range of the main log; length 0 = to the end, offset < 0 (with length 0) = the end.

        Raises NO_FILE, BAD_ARGUMENTS, FAILED.
        """
        self._require_running()
        return await self._read(self.context.main_log, offset, length)

    async def clear_log(self) -> bool:
        """Empty the main log.  Raises NO_FILE when it is not there, FAILED."""
        self._require_running()
        path = self.context.main_log
        if path is None or not await self._in_worker(os.path.exists, path):
            raise Fault(FaultCode.NO_FILE)
        await _cleared(self.context.clear_main_log)
        return True

    # Logs of processes

    async def read_process_stdout_log(self, name: str, offset: int, length: int) -> str:
        """A range of its stdout log, as `read_log`.  Raises BAD_NAME too."""
        return await self._read_process_log(name, "stdout", offset, length)

    async def read_process_stderr_log(self, name: str, offset: int, length: int) -> str:
        """A range of its stderr log, as `read_log`.  Raises BAD_NAME too."""
        return await self._read_process_log(name, "stderr", offset, length)

    async def tail_process_stdout_log(
        self, name: str, offset: int, length: int
    ) -> tuple[str, int, bool]:
        """The end of its stdout log: (text, size of the log, whether it grew past the range).

        Ask again with that size as `offset`.  No log gives ("", 0, False).  Raises BAD_NAME.
        """
        return await self._tail_process_log(name, "stdout", offset, length)

    async def tail_process_stderr_log(
        self, name: str, offset: int, length: int
    ) -> tuple[str, int, bool]:
        """The end of its stderr log, as `tail_process_stdout_log`."""
        return await self._tail_process_log(name, "stderr", offset, length)

    async def clear_process_logs(self, name: str) -> bool:
        """Empty its logs, whether it runs or not (gotcha G58).  Raises BAD_NAME, FAILED."""
        self._require_running()
        await self._clear(self._one(name), name)
        return True

    async def clear_all_process_logs(self) -> list[ActionResult]:
        """Empty all logs of all processes."""
        self._require_running()
        return await act_on_each(
            self._everything(), lambda process, name: None, self._clear, wait=False
        )

    # Follow

    async def follow_log(self, name: str, channel: str = "stdout") -> AsyncIterator[bytes]:
        """The last 1024 bytes of a log, then every byte that is added, until the caller ends it.

        Works while the daemon stops, too.  Raises at once: BAD_NAME, NO_FILE (no such channel, no
        log configured, no file).
        """
        return await self._follow(self._log_of(name, channel))

    async def follow_main_log(self) -> AsyncIterator[bytes]:
        """The main log, as `follow_log`.  Raises NO_FILE."""
        return await self._follow(self.context.main_log)

    # Steps

    async def _read_process_log(self, name: str, channel: str, offset: int, length: int) -> str:
        self._require_running()
        return await self._read(self._one(name).logfile(channel), offset, length)

    async def _read(self, path: str | None, offset: int, length: int) -> str:
        return readable(await self._in_worker(_read_bounded, path, offset, length))

    async def _tail_process_log(
        self, name: str, channel: str, offset: int, length: int
    ) -> tuple[str, int, bool]:
        self._require_running()
        path, bounded = self._one(name).logfile(channel), min(length, MAX_READ)
        data, size, overflow = await self._in_worker(tail_range, path, offset, bounded)
        return readable(data), size, overflow

    async def _clear(self, process: Process, name: str) -> None:
        await _cleared(process.clear_logs, name)

    async def _follow(self, path: str | None) -> AsyncIterator[bytes]:
        if path is None or not await self._in_worker(os.path.exists, path):
            raise Fault(FaultCode.NO_FILE)
        return _bytes_of(self._pieces(path))

    def _log_of(self, name: str, channel: str) -> str | None:
        """The log file of a process, if it has one.  Raises BAD_NAME, NO_FILE (no such channel)."""
        process = self._one(name)
        if channel not in CHANNELS:
            raise Fault(FaultCode.NO_FILE, channel)
        return process.logfile(channel)


async def _bytes_of(pieces: AsyncGenerator[Piece, None]) -> AsyncIterator[bytes]:
    """For those who only look; that something is missing is told them in words."""
    async with aclosing(pieces):
        async for piece in pieces:
            if piece.gap:
                yield TRUNCATED
            elif piece.data:
                yield piece.data


async def _cleared(clear: Callable[[Cleared], None], name: str = "") -> None:
    """Clear, and wait for it.  Raises Fault FAILED about `name`."""
    cleared: asyncio.Future[OSError | None] = asyncio.get_running_loop().create_future()
    # The caller may be gone by then.
    clear(lambda problem: None if cleared.done() else cleared.set_result(problem))
    problem = await cleared
    if problem is not None:
        raise Fault(FaultCode.FAILED, name) from problem


def _read_bounded(path: str | None, offset: int, length: int) -> bytes:
    """As `read_range`; raises Fault FAILED for more than MAX_READ bytes."""
    bound = MAX_READ + 1
    if offset < 0:
        data = read_range(path, max(offset, -bound), length)
    else:
        data = read_range(path, offset, min(length, bound) if length else bound)
    if len(data) > MAX_READ:
        raise Fault(FaultCode.FAILED, f"cannot read more than {MAX_READ} bytes at once")
    return data
