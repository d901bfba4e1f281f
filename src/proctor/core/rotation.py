"""When a log is full: where to cut the stream, and which file becomes which.

1. A file ends at a line end, and it is as full as whole lines make it.
2. A line that has begun in a file is ended there, over the limit if need be, but by no more than
   the limit again or OVERRUN: a stream without newlines must not fill the disk.
3. An empty file is never rotated: a line that is longer than the limit has a file of its own.
4. File names as Supervisor's: `log`, `log.1` (the youngest) ... `log.<backups>`.

Source: compat logging.md, section 4; cutting at line ends is ours (decisions.md, section 1).
"""

from __future__ import annotations

from collections.abc import Callable

from proctor.core.values import dataclass

OVERRUN = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cut:
    """Write `take` more bytes into this file; `rotate` then, if it is full."""

    take: int
    rotate: bool


def cut(data: bytes, start: int, size: int, limit: int, at_line_start: Callable[[], bool]) -> Cut:
    """What of `data[start:]` still goes into a file of `size` bytes that may have `limit`.

    `at_line_start` says whether the file ends in a newline (or is empty); it is asked only when it
    matters.  The answer moves on: either `take` > 0, or `rotate` on a file that is not empty.
    """
    rest, room = len(data) - start, limit - size
    if rest < room:
        return Cut(rest, rotate=False)
    newline = data.rfind(b"\n", start, start + room) if room > 0 else -1
    if newline >= 0:
        return Cut(newline + 1 - start, rotate=True)
    if size and at_line_start():
        return Cut(0, rotate=True)
    return _end_the_line(data, start, room + min(limit, OVERRUN))


def _end_the_line(data: bytes, start: int, bound: int) -> Cut:
    if bound <= 0:
        return Cut(0, rotate=True)
    newline = data.find(b"\n", start, start + bound)
    if newline >= 0:
        return Cut(newline + 1 - start, rotate=True)
    rest = len(data) - start
    return Cut(min(rest, bound), rotate=rest >= bound)


def shifts(exists: Callable[[int], bool], backups: int) -> list[tuple[int, int]]:
    """The renames that make room for a new log, in the order in which they must be done.

    0 is the log itself, n is `log.<n>`; (1, 2) moves `log.1` over `log.2`.  With no backups there
    is nothing to rename: the log is thrown away.  Numbers after the first free one stay, so that
    thousands of backups cost nothing.
    """
    if backups <= 0:
        return []
    free = next((number for number in range(1, backups) if not exists(number)), backups)
    return [(number, number + 1) for number in range(free - 1, -1, -1)]
