"""Pace: how often the pipe of a loud child is read, and how large it is.

What costs is waking up, not copying.  So the pipe of a loud child is grown, and after a small move
from a large pipe it is left alone for a while, in which bytes gather.  One that fills the largest
pipe meanwhile would have to wait: so the while begins short, and is as long as what gathers allows.
A quiet child's pipe is not touched.
Measured: decisions.md, section 1.
"""

from __future__ import annotations

import time

from proctor.posix import linux
from proctor.posix.paths import MOST

# Seconds a loud channel rests after a small move, from the longest; whole milliseconds, since a
# selector knows no others.  And the pipe that most do not fill in the longest.
RESTS = (0.005, 0.002, 0.001)
LARGE = 256 * 1024

# A child is loud that writes more than this in one second.
LOUD = 256 * 1024


class Pace:
    """Of the pipe at `fd`, which holds `size` bytes.  In the drain thread."""

    __slots__ = ("_fd", "_haste", "_recent", "_rested", "_since", "size")

    def __init__(self, fd: int) -> None:
        self.size = linux.pipe_size(fd)
        self._fd = fd
        self._since, self._recent = 0.0, 0
        self._rested = False
        self._haste = len(RESTS) - 1  # Which of RESTS.

    def rest(self, moved: int) -> float:
        """Seconds to let bytes gather, after `moved` were moved.  Grows the pipe of a loud child.

        Ask once for each move, while the pipe is open.
        """
        now = time.monotonic()
        if now - self._since > 1.0:
            self._since, self._recent = now, 0
        self._recent += moved
        if self._recent <= LOUD:
            return 0.0
        self._adapt(moved)
        little = self.size // 4
        # A small move may have left much: near a limit, or where bytes are seen.
        self._rested = (
            self.size >= LARGE and moved < little and linux.bytes_waiting(self._fd) < little
        )
        return RESTS[self._haste] if self._rested else 0.0

    def _adapt(self, moved: int) -> None:
        """Grow the pipe, no larger than it must be: bytes that wait in a large one leave the
        processor's cache.  Then rest less.
        """
        fills_while_resting = self._rested and moved > self.size // 2
        if self.size < LARGE:
            self.size = linux.grow_pipe(self._fd, LARGE)
        elif fills_while_resting and self.size < MOST:
            self.size = linux.grow_pipe(self._fd, MOST)
        elif fills_while_resting:
            self._haste = min(self._haste + 1, len(RESTS) - 1)
        elif self._rested and moved < self.size // 8:
            self._haste = max(self._haste - 1, 0)

    def is_nearly_full(self) -> bool:
        """Whether its child may soon have to wait.  While the pipe is open."""
        # Half: pages of a pipe need not be full, so it may take no more long before it counts so.
        return linux.bytes_waiting(self._fd) >= self.size // 2
