"""The daemon as the keeper sees it: a process that may die, and how soon it is started again."""

from __future__ import annotations

import os

from proctor.keeper.foreign import UNKNOWN
from proctor.keeper.protocol import Frozen, Wire
from proctor.keeper.thin import signals, sockets

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing for real costs the keeper 0.6 MB
    from typing import Any

LIVED_WELL = 10.0
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 30.0


class Daemon:
    """The daemon that runs now.

    `greeted`: it has said hello, so its signal handlers stand.  `reachable`: its socket is open.
    `watch`: a pidfd of one that is not our child, else None.
    """

    def __init__(
        self, pid: int, sock: sockets.socket, started: float, watch: int | None = None
    ) -> None:
        self.pid = pid
        self.wire = Wire(sock)
        self.started = started
        self.greeted = False
        self.reachable = True
        self.watch = watch

    def signal(self, signum: int) -> None:
        """Send it a signal; if it is gone that is heard soon anyway."""
        send(self.pid, self.watch, signum)

    def as_dict(self) -> dict[str, object]:
        """What `from_dict` reads (state.py)."""
        return {
            "pid": self.pid,
            "sock": self.wire.sock.fileno() if self.reachable else None,
            "started": self.started,
            "greeted": self.greeted,
            "watch": self.watch,
            "wire": vars(self.wire.freeze()),
        }

    @classmethod
    def from_dict(cls, fields: dict[str, Any], wire: Frozen | None) -> Daemon:
        """As another program knew it."""
        number = fields["sock"]
        sock = sockets.socket() if number is None else sockets.socket(fileno=number)
        daemon = cls(fields["pid"], sock, fields["started"], fields["watch"])
        daemon.greeted, daemon.reachable = fields["greeted"], number is not None
        if wire is not None:
            daemon.wire.thaw(wire)
        return daemon


class Patience:
    """Start again at once after the first failure, then 0.1 s later, then twice as long.

    `next` is the delay that comes next, in seconds; `failures` are those in a row.
    """

    def __init__(self) -> None:
        self.next = 0.0
        self.failures = 0

    def next_delay(self) -> float:
        """Seconds to wait before the next try; it counts as a failure until `restore`."""
        delay = self.next
        self.failures += 1
        self.next = min(_LONGEST_DELAY, max(_FIRST_DELAY, 2 * delay))
        return delay

    def restore(self) -> None:
        """It ran well: whatever happens now is a first failure."""
        self.next, self.failures = 0.0, 0


def send(pid: int, watch: int | None, signum: int) -> None:
    """Signal a daemon that is our child, or by the pidfd `watch`; nothing if it has gone."""
    try:
        if watch is None:
            os.kill(pid, signum)
        else:
            signals.pidfd_send_signal(watch, signum)
    except ProcessLookupError:
        return


def killed(status: int) -> bool:
    """Whether somebody ended it by SIGKILL: that says nothing against starting it again at once.

    An end that nobody knows is taken for one of these.
    """
    if status == UNKNOWN:
        return True
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signals.SIGKILL


def exit_code(status: int) -> int:
    """As a shell would put it."""
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def in_words(status: int) -> str:
    if status == UNKNOWN:
        return "nobody knows how"
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    return f"exit status {os.WEXITSTATUS(status)}"
