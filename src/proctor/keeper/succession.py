"""A daemon stands aside while its successor begins: how one version follows another.

1. The one that stands aside says `succeed` as its last word, with one end of a fresh socket pair;
   on the other end it waits for ours.  The old socket is closed: nothing half said is left over.
2. It is told when there is a successor: if we are killed then, that one goes on, else itself.
3. When the successor says `healthy` the old one is told to `retire`, and ends.
4. When the successor ends before that, or is not healthy in time, the old one is told to `return`,
   with the reason; it says `hello` again, on the fresh socket.
5. The programs are ours all the time; neither end is theirs.
"""

from __future__ import annotations

import os
import time

from proctor.keeper.ear import say
from proctor.keeper.protocol import Message, Wire
from proctor.keeper.thin import sockets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_TO_LEAVE = 10.0


class Succession:
    """At most one at a time.

    `timers` are the keeper's: what to call, and when.  `step_down` forgets the daemon that talks
    to us and answers with its pid, `begin` starts one, `meet` listens to one, `kill` kills the one
    that runs, `dismiss` the one that stands aside.
    """

    def __init__(
        self,
        timers: dict[Callable[[], None], float],
        step_down: Callable[[], int],
        begin: Callable[[], None],
        meet: Callable[[int, sockets.socket], None],
        kill: Callable[[], None],
        *,
        dismiss: Callable[[], None],
    ) -> None:
        self._timers = timers
        self._step_down, self._begin, self._meet = step_down, begin, meet
        self._kill, self._kill_aside = kill, dismiss
        self._pid = 0  # of the one that stands aside, 0 for none
        self._wire: Wire | None = None
        self._note = ""
        self._seconds = 0.0
        self._decided = False
        self._reason = ""
        self.requests: dict[str, Callable[..., None]] = {
            "succeed": self.succeed,
            "healthy": self.healthy,
        }

    @property
    def is_under_way(self) -> bool:
        """Whether one stands aside, or was told to go and has not yet."""
        return self._pid != 0

    @property
    def can_return(self) -> bool:
        """Whether the daemon that begins has somebody behind it who would do its work."""
        return self._pid != 0 and not self._decided

    @property
    def predecessor(self) -> str | None:
        """What the one that stands aside left to its successor; None where there is none."""
        return self._note if self.can_return else None

    def succeed(self, message: Message, *, note: str, seconds: float, **_more: object) -> None:
        """The daemon stands aside; another one begins, and has so long to be healthy."""
        (fd,) = message.take()
        self._dismiss()
        self._forget()
        self._pid, self._wire = self._step_down(), Wire(sockets.socket(fileno=fd))
        self._note, self._decided, self._reason = note, False, ""
        self._seconds = seconds
        self._timers[self._too_late] = time.monotonic() + seconds
        self._begin()
        if self._wire is not None:
            self._say("begun")

    def healthy(self, message: Message, **_more: object) -> None:
        """The successor does everything that a daemon does: the old one may go."""
        self._timers.pop(self._too_late, None)
        if self.can_return:
            self._decided = True
            self._say("retire", pid=os.getpid())
            self._timers[self._dismiss] = time.monotonic() + _TO_LEAVE

    def bring_back(self, reason: str) -> None:
        """The successor is gone: the one before it goes on."""
        reason = self._reason or reason
        say(f"the successor of daemon {self._pid} has failed: {reason}; it returns")
        self._say("return", reason=reason)
        assert self._wire is not None
        pid, sock = self._pid, self._wire.sock
        self._wire = None
        self._forget()
        self._meet(pid, sock)

    def ended(self, pid: int) -> bool:
        """Whether this process, which has ended, was the one that stood aside."""
        if pid != self._pid:
            return False
        self._forget()
        return True

    def _too_late(self) -> None:
        self._reason = f"it was not healthy within {self._seconds:g} seconds"
        self._kill()

    def _dismiss(self) -> None:
        """Whoever is told to go and does not is in nobody's way any more."""
        if self._pid:
            self._kill_aside()

    def _forget(self) -> None:
        self._timers.pop(self._too_late, None)
        self._timers.pop(self._dismiss, None)
        if self._wire is not None:
            self._wire.close()
        self._pid, self._wire = 0, None

    def _say(self, kind: str, **fields: object) -> None:
        assert self._wire is not None
        # One of the two messages that this socket ever gets: it has room for them.
        self._wire.queue(kind, fields)
        self._wire.flush()
