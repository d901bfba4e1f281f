"""Shutdown: all groups, one after the other, the highest priority first.

A group is asked to end at once, in descending priority of its processes; the next group's turn
comes with the last end of this one.  Nothing polls: the processes say when they rest.  A line every
three seconds says who is still waited for.  Source: compat process.md, section 7.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from proctor.core.cause import Cause, because
from proctor.core.order import descending
from proctor.core.states import STOPPED_STATES, ProcessState
from proctor.daemon.activity_log import ActivityLog
from proctor.daemon.group import Group
from proctor.daemon.host import Host, Timer
from proctor.daemon.process import Process

REPORT_INTERVAL = 3.0


class Shutdown:
    """Stops everything for this cause, then calls `on_stopped`."""

    def __init__(
        self,
        groups: Sequence[Group],
        host: Host,
        log: ActivityLog,
        cause: Cause,
        on_stopped: Callable[[], None],
    ) -> None:
        self._groups = groups
        self._to_stop = descending(groups)
        self._host = host
        self._log = log
        self._cause = cause
        self._on_stopped = on_stopped
        self._waiting: set[Process] = set()  # Of the group whose turn it is.
        self._report_timer: Timer | None = None

    def begin(self) -> None:
        """Ask the first group to end."""
        self._next_group()
        self._report()

    def _next_group(self) -> None:
        while self._to_stop and not self._waiting:
            self._stop(self._to_stop.pop(0))
        if not self._waiting:
            if self._report_timer is not None:
                self._report_timer.cancel()
            self._on_stopped()

    def _stop(self, group: Group) -> None:
        for process in descending(group.unstopped()):
            # The turn of a group comes with the end of another: who asked is long gone.
            with because(self._cause.kind, self._cause.text, self._cause.who):
                if process.state is ProcessState.BACKOFF:
                    process.give_up()
                else:
                    process.stop()
            if process.state not in STOPPED_STATES:
                self._wait_for(process)

    def _wait_for(self, process: Process) -> None:
        def look(state: ProcessState) -> None:
            if state in STOPPED_STATES:
                forget()
                self._waiting.discard(process)
                if not self._waiting:
                    self._next_group()

        self._waiting.add(process)
        forget = process.observe(look)

    def _report(self) -> None:
        names = [p.name for group in self._groups for p in group.unstopped()]
        if not names:
            return
        self._log.info(f"waiting for {', '.join(names)} to die")
        self._report_timer = self._host.call_at(self._host.now() + REPORT_INTERVAL, self._report)
