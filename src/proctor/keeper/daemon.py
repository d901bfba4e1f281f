"""The daemon as the keeper sees it: a process that may die, and how soon it is started again."""

from __future__ import annotations

import os
import signal
import socket

from proctor.keeper.protocol import Wire

LIVED_WELL = 10.0
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 30.0


class Daemon:
    """The daemon that runs now.

    `greeted`: it has said hello, so its signal handlers stand.  `reachable`: its socket is open.
    """

    def __init__(self, pid: int, sock: socket.socket, now: float) -> None:
        self.pid = pid
        self.wire = Wire(sock)
        self.started = now
        self.greeted = False
        self.reachable = True


class Patience:
    """Start again at once after the first failure, then 0.1 s later, then twice as long."""

    def __init__(self) -> None:
        self._next = 0.0

    def next_delay(self) -> float:
        """Seconds to wait before the next try; it counts as a failure until `restore`."""
        delay = self._next
        self._next = min(_LONGEST_DELAY, max(_FIRST_DELAY, 2 * delay))
        return delay

    def restore(self) -> None:
        """It ran well: whatever happens now is a first failure."""
        self._next = 0.0


def killed(status: int) -> bool:
    """Whether somebody ended it by SIGKILL: that says nothing against starting it again at once."""
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def exit_code(status: int) -> int:
    """As a shell would put it."""
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def in_words(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    return f"exit status {os.WEXITSTATUS(status)}"
