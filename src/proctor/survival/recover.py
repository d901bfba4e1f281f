"""What the keeper holds + the configuration -> what is running.

The rules:
1. A child whose process is still configured is that process's child: never a second copy.
2. A child whose process is not configured any more is ended: SIGTERM, then SIGKILL.
3. An end that nobody heard of is heard now, with its status and its time.
4. What rested rests on: a program stopped by hand, or one that has done its work, is not started
   again because the daemon died.  What was being stopped is stopped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from proctor.core.exits import ExitStatus
from proctor.core.names import split_namespec
from proctor.core.plan import ChildPipes, SpawnFailure
from proctor.daemon.activity_log import ActivityLog
from proctor.daemon.host import ChildSink, Host, Timer
from proctor.daemon.process import Process
from proctor.daemon.supervisor import Supervisor
from proctor.posix.loop_host import HeldChild, Holdings
from proctor.survival.snapshot import Record, restore

_TERM, _KILL = 15, 9
_PATIENCE = 10.0

Attach = Callable[[HeldChild, ChildSink], None]


def recover(
    holdings: Holdings,
    supervisor: Supervisor,
    host: Host,
    attach: Attach,
    log: ActivityLog,
    *,
    records: Mapping[str, Record] = MappingProxyType({}),
) -> set[str]:
    """Go on with every child that is held, and let rest what rested.

    The groups are there, nothing was started yet.  Answers with the keys of the processes that are
    not to be started now.
    """
    if holdings.restarts:
        end = holdings.last_end
        log.warn(f"the daemon before this one has ended ({end}); going on with its programs")
    # The living first: of two children of one name they are the ones that go on.
    for child in sorted(holdings.children, key=lambda child: child.status is not None):
        process = _process_of(child, supervisor)
        if process is None:
            log.warn(f"'{child.key}' (pid {child.pid}) is not configured any more and is stopped")
            Stray(child, host).end(attach)
        else:
            _adopt(child, process, attach, log)
            record = records.get(process.key)
            if record is not None and record.was_stopping and child.status is None:
                process.stop()
    return {process.key for process in supervisor.all_processes() if _rests(process, records)}


def _rests(process: Process, records: Mapping[str, Record]) -> bool:
    record = records.get(process.key)
    if record is None or not record.resting or process.pid:
        return False
    restore(record, process.lifecycle)
    process.start_wall, process.stop_wall = record.start, record.stop
    return True


def kept_logs(holdings: Holdings) -> dict[tuple[str, str], str]:
    """The AUTO logs that held children write to, by process key and channel."""
    return {
        (child.key, channel): path
        for child in holdings.children
        for channel, path in json.loads(child.note or "{}").items()
    }


def _process_of(child: HeldChild, supervisor: Supervisor) -> Process | None:
    group_name, name = split_namespec(child.key)
    group = supervisor.groups.get(group_name)
    process = group.processes.get(name or "") if group else None
    return process if process is not None and not process.pid else None


def _adopt(child: HeldChild, process: Process, attach: Attach, log: ActivityLog) -> None:
    log.info(f"adopted: '{process.name}' with pid {child.pid}")
    process.adopt(child.pid, child.pipes, child.started, lambda: attach(child, process))


@dataclass(slots=True)
class Stray:
    """A child that nobody wants: a ChildSink that sees to its end.  Its output has no reader."""

    child: HeldChild
    host: Host
    timer: Timer | None = None

    def end(self, attach: Attach) -> None:
        """Ask it to end, then make it."""
        pipes = self.child.pipes
        for fd in (pipes.stdin, pipes.stdout, pipes.stderr):
            if fd is not None:
                os.close(fd)
        attach(self.child, self)
        if self.child.status is None:
            self._signal(_TERM)
            self.timer = self.host.call_at(self.host.now() + _PATIENCE, lambda: self._signal(_KILL))

    def _signal(self, signum: int) -> None:
        self.host.signal(self.child.key, self.child.pid, signum, False)

    def exited(self, status: ExitStatus, at: float) -> None:
        """It is gone."""
        if self.timer is not None:
            self.timer.cancel()
        self.host.acknowledge(self.child.key, self.child.pid)

    def spawned(self, pid: int, pipes: ChildPipes, at: float) -> None:
        """Was long ago."""

    def spawn_failed(self, failure: SpawnFailure, at: float) -> None:
        """It did not."""

    def signal_failed(self, errno: int, at: float) -> None:
        """Nothing more can be done than was tried."""
