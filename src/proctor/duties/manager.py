"""What the service manager above us is told: that we are ready, reload, stop, and live.

The only periodic timer of an idle daemon is here, and only where a watchdog was asked for.
"""

from __future__ import annotations

from proctor.core.events import Event
from proctor.core.states import SupervisorState
from proctor.daemon.host import Timer
from proctor.daemon.supervisor import Supervisor
from proctor.posix.notify import Notifier


class ServiceManager:
    """`pid` is the one that users see, and so does the service manager."""

    def __init__(self, notifier: Notifier, supervisor: Supervisor, pid: int) -> None:
        self._notifier = notifier
        self._supervisor = supervisor
        self._pid = pid
        self._timer: Timer | None = None
        self._unsubscribe = supervisor.bus.subscribe(
            self._stopping, ["SUPERVISOR_STATE_CHANGE_STOPPING"]
        )

    def ready(self) -> None:
        """Everything is up, or as it should be again."""
        groups = self._supervisor.groups
        processes = sum(len(group.processes) for group in groups.values())
        status = f"STATUS=Looking after {processes} processes in {len(groups)} groups"
        self._notifier.tell("READY=1", f"MAINPID={self._pid}", status)
        if self._notifier.watchdog and self._timer is None:
            self._live()

    def reloading(self, status: str) -> None:
        """For a moment we are not; `ready` follows, from this daemon or from the next."""
        now = f"MONOTONIC_USEC={int(self._supervisor.host.now() * 1e6)}"
        self._notifier.tell("RELOADING=1", now, f"STATUS={status}")

    def close(self) -> None:
        """No more signs of life."""
        self._unsubscribe()
        if self._timer is not None:
            self._timer.cancel()

    def _stopping(self, event: Event) -> None:
        if self._supervisor.mood is SupervisorState.RESTARTING:
            self.reloading("Stopping all programs to start again")
        else:
            self._notifier.tell("STOPPING=1", "STATUS=Stopping all programs")

    def _live(self) -> None:
        self._notifier.tell("WATCHDOG=1")
        host = self._supervisor.host
        self._timer = host.call_at(host.now() + self._notifier.watchdog / 2, self._live)
