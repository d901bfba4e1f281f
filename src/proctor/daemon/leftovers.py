"""Leftovers: carries out what core/remains.py decides, for one process that has ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from proctor.core.remains import SIGKILL, Remains
from proctor.core.values import dataclass
from proctor.daemon.activity_log import ActivityLog
from proctor.daemon.host import ChildSink, Host, Timer


@dataclass(slots=True)
class Leftovers:
    """Those that came from the child `pid` of `sink`; `done` hears who of them could not be ended.

    Call `begin`, then `heard` with what the host says in `tree_left`.
    """

    remains: Remains
    key: str
    pid: int
    host: Host
    log: ActivityLog
    sink: ChildSink
    done: Callable[[tuple[str, ...]], None]
    _timer: Timer | None = None
    _told: bool = False
    _given_up: bool = False

    def begin(self, stopping: bool, due: float | None) -> None:
        """The child has ended; `stopping`: on request, and would have been killed at `due`."""
        self._signal(self.remains.begin(self.host.now(), stopping, due))
        self._timer = self.host.call_at(self.remains.deadline, self._ring)

    def heard(self, left: Sequence[str]) -> None:
        """Who is left now."""
        if left and not self._given_up:
            if not self._told:
                self._told = True
                self.log.info(f"'{self.key}' has ended, {_listed(left)} of it still runs")
            return
        if self._timer is not None:
            self._timer.cancel()
        if left:
            self.log.warn(f"'{self.key}' left running, could not end: {', '.join(left)}")
        self.done(tuple(left))

    def _ring(self) -> None:
        signum = self.remains.tick(self.host.now())
        self._given_up = signum is None
        if signum == SIGKILL:
            self.log.warn(f"killing what is left of '{self.key}' with SIGKILL")
        self._signal(signum or 0)
        self._timer = None
        if not self._given_up:
            self._timer = self.host.call_at(self.remains.deadline, self._ring)

    def _signal(self, signum: int) -> None:
        self.host.signal_tree(self.key, self.pid, signum, self.sink)


def _listed(left: Sequence[str]) -> str:
    first = ", ".join(left[:5])
    return first if len(left) <= 5 else f"{first} and {len(left) - 5} more"
