"""Pace: how often the pipe of a loud child is read, and how large it is.

What costs is waking up, not copying.  So the pipe of a loud child is grown, and after a small move
from a large pipe it is left alone for REST seconds, in which bytes gather.  A quiet child's is not
touched.  Measured: decisions.md, section 1.
"""

from __future__ import annotations

import time

from proctor.posix import linux
from proctor.posix.paths import MOST

# Seconds a loud channel rests after a small move, and the pipe that does not fill in that time.
REST = 0.005
LARGE = 256 * 1024

# A child is loud that writes more than this in one second.
LOUD = 256 * 1024


class Pace:
    """Of the pipe at `fd`, which holds `size` bytes.  In the drain thread."""

    __slots__ = ("_fd", "_recent", "_rested", "_since", "size")

    def __init__(self, fd: int) -> None:
        self.size = linux.pipe_size(fd)
        self._fd = fd
        self._since, self._recent = 0.0, 0
        self._rested = False

    def should_rest(self, moved: int) -> bool:
        """Whether to let bytes gather, after `moved` were moved.  Grows the pipe of a loud child.

        Ask once for each move, while the pipe is open.
        """
        now = time.monotonic()
        if now - self._since > 1.0:
            self._since, self._recent = now, 0
        self._recent += moved
        if self._recent <= LOUD:
            return False
        # No larger than it must be: bytes that wait in a large pipe leave the processor's cache.
        fills_while_resting = self._rested and moved > self.size // 2
        if self.size < LARGE or (self.size < MOST and fills_while_resting):
            self.size = linux.grow_pipe(self._fd, LARGE if self.size < LARGE else MOST)
        little = self.size // 4
        # A small move may have left much: near a limit, or where bytes are seen.
        self._rested = (
            self.size >= LARGE and moved < little and linux.bytes_waiting(self._fd) < little
        )
        return self._rested

    def is_nearly_full(self) -> bool:
        """Whether its child may soon have to wait.  While the pipe is open."""
        # Half: pages of a pipe need not be full, so it may take no more long before it counts so.
        return linux.bytes_waiting(self._fd) >= self.size // 2
