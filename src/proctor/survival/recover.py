"""What the keeper holds + what the daemon before this one knew + the configuration -> what runs.

The rules:
1. A child whose process is still configured is that process's child: never a second copy.
2. A child whose process is not configured any more is ended: SIGTERM, then SIGKILL.
3. Every process goes on where it was: a start or stop under way, the wait for the next try with the
   tries it has left, a rest.  Nothing that was announced is announced again; an end that nobody
   heard of is heard now, with its status and its time.
4. A process whose configuration is another one by now is treated as `update` would: what runs is
   started again, what rests starts if it starts by itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from proctor.core.cause import CauseKind, because
from proctor.core.exits import ExitStatus
from proctor.core.lifecycle import Effects
from proctor.core.names import split_namespec
from proctor.core.plan import ChildPipes, SpawnFailure
from proctor.core.remains import Remains
from proctor.core.spec import StopPolicy
from proctor.core.states import RUNNING_STATES, STOPPED_STATES, ProcessState
from proctor.core.values import dataclass
from proctor.daemon.activity_log import ActivityLog
from proctor.daemon.host import ChildSink, Host, Timer
from proctor.daemon.leftovers import Leftovers
from proctor.daemon.process import Process
from proctor.daemon.supervisor import Supervisor
from proctor.posix.loop_host import HeldChild, Holdings
from proctor.survival.keeper_loss import tell_of_loss
from proctor.survival.snapshot import ENDED, Record, go_on_alone, go_on_with_child

_TERM, _KILL = 15, 9
_PATIENCE = 10.0
_WHOLE_TREE = StopPolicy(stopasgroup=True, killasgroup=True, tree=True)

Attach = Callable[[HeldChild, ChildSink], None]
Missed = Callable[[HeldChild, ExitStatus], None]


def recover(
    holdings: Holdings,
    supervisor: Supervisor,
    host: Host,
    attach: Attach,
    log: ActivityLog,
    *,
    records: Mapping[str, Record] = MappingProxyType({}),
    missed: Missed = lambda _child, _status: None,
) -> set[str]:
    """Go on with every child that is held, and with every process that had none.

    `missed` is told of an end that was announced, but perhaps not written down.

    The groups are there, nothing was started yet.  Answers with the keys of the processes that are
    not to be started now.
    """
    if (end := holdings.last_end) is not None:
        log.warn(f"the daemon before this one has ended ({end}); going on with its programs")
    survival = Survival(supervisor, host, attach, log, records, missed)
    # The living first: of two children of one name they are the ones that go on.
    for child in sorted(holdings.children, key=lambda child: child.status is not None):
        survival.go_on_with(child)
    return {process.key for process in supervisor.all_processes() if survival.goes_on(process)}


def running_on(records: Mapping[str, Record], supervisor: Supervisor) -> list[Process]:
    """Those that ran under the daemon before this one, and of which nothing is announced."""
    running = (each for each in supervisor.all_processes() if each.state is ProcessState.RUNNING)
    return [each for each in running if each.key in records and records[each.key].pid == each.pid]


@dataclass(frozen=True, slots=True)
class Survival:
    """Child by child, process by process."""

    supervisor: Supervisor
    host: Host
    attach: Attach
    log: ActivityLog
    records: Mapping[str, Record]
    missed: Missed

    def go_on_with(self, child: HeldChild) -> None:
        """It runs, or has ended; its process goes on with it."""
        process = _process_of(child, self.supervisor)
        if process is None:
            self._end_stray(child)
            return
        record = self.records.get(child.key)
        if record is not None and child.status is not None and not _is_about(record, child):
            # Its end was announced; only the keeper had not been told yet, nor the journal perhaps.
            close_pipes(child)
            self._written(child, child.status)
            return
        self.log.info(f"adopted: '{process.name}' with pid {child.pid}")
        effects = None
        if record is not None and _is_about(record, child):
            effects = self._put_back(record, process, child)
        process.adopt(
            child.pid,
            child.pipes,
            child.started,
            lambda: self.attach(child, process),
            effects=effects,
            ended=child.status is not None,
        )
        if child.foreign:
            tell_of_loss(process, orphan=child.orphan)
        if record is not None and _is_changed(record, process):
            if record.spec == ENDED:
                self._start_again(process, CauseKind.ORPHAN)
                return
            text = f"'{process.key}' is configured differently now and is started again"
            self.log.info(text)
            self._start_again(process, CauseKind.UPDATE, "it is configured differently now")

    def goes_on(self, process: Process) -> bool:
        """Whether nothing is to be started for this process: it has its child or goes on without
        one.
        """
        if process.pid:
            return True
        record = self.records.get(process.key)
        if record is None or _is_changed(record, process):
            return False
        process.start_wall, process.stop_wall = record.start, record.stop
        process.go_on(go_on_alone(record, process.lifecycle, self.host.now()))
        return True

    def _end_stray(self, child: HeldChild) -> None:
        if child.status is None:
            text = f"'{child.key}' (pid {child.pid}) is not configured any more and is stopped"
            self.log.warn(text)
        Stray(child, self.host, self.log, self._written).end(self.attach)

    def _written(self, child: HeldChild, status: ExitStatus) -> None:
        """It has ended, and no process announces that: the keeper may forget it when the journal
        has it.
        """
        self.missed(child, status)
        told = partial(self.host.acknowledge, child.key, child.pid)
        self.supervisor.when_written(told)

    def _put_back(self, record: Record, process: Process, child: HeldChild) -> Effects:
        now, started = self.host.now(), child.started
        if record.state == ProcessState.STARTING:
            process.start_wall = self.host.wall() - (now - started)
        else:
            process.start_wall = record.start
        process.stop_wall = record.stop
        signalled = child.signalled.get(process.spec.stop.stopsignal)
        return go_on_with_child(
            record, process.lifecycle, child.pid, started, signalled=signalled, now=now
        )

    def _start_again(self, process: Process, kind: CauseKind, text: str = "") -> None:
        if process.state not in RUNNING_STATES:
            return

        def stopped(state: ProcessState) -> None:
            if state not in STOPPED_STATES:
                return
            forget()
            if process.spec.start.autostart:
                with because(kind, text):
                    self.supervisor.autostart_only([process])

        forget = process.observe(stopped)
        with because(kind, text):
            process.stop()


def _is_about(record: Record, child: HeldChild) -> bool:
    return record.is_about(child.pid, child.started)


def _is_changed(record: Record, process: Process) -> bool:
    return bool(record.spec) and record.spec != process.fingerprint


def kept_logs(
    holdings: Holdings, records: Mapping[str, Record] = MappingProxyType({})
) -> dict[tuple[str, str], str]:
    """The AUTO logs of children that are held and of processes that rest, by process key and
    channel.
    """
    logs: dict[str, Mapping[str, str]] = {key: record.logs for key, record in records.items()}
    logs |= {child.key: json.loads(child.note or "{}") for child in holdings.children}
    return {(key, channel): path for key, told in logs.items() for channel, path in told.items()}


def _process_of(child: HeldChild, supervisor: Supervisor) -> Process | None:
    group_name, name = split_namespec(child.key)
    group = supervisor.groups.get(group_name)
    process = group.processes.get(name or "") if group else None
    return process if process is not None and not process.pid else None


def close_pipes(child: HeldChild) -> None:
    """Nobody reads them any more."""
    for fd in (child.pipes.stdin, child.pipes.stdout, child.pipes.stderr):
        if fd is not None:
            os.close(fd)


@dataclass(slots=True)
class Stray:
    """A child that nobody wants, or of whom only the end is left to hear: a ChildSink that sees to
    it.  Its output has no reader.  `gone` is told of the end when nothing of it is left.
    """

    child: HeldChild
    host: Host
    log: ActivityLog
    gone: Missed
    timer: Timer | None = None
    leftovers: Leftovers | None = None

    def end(self, attach: Attach) -> None:
        """Ask it to end, then make it."""
        close_pipes(self.child)
        attach(self.child, self)
        if self.child.status is None:
            self._signal(_TERM)
            self.timer = self.host.call_at(self.host.now() + _PATIENCE, lambda: self._signal(_KILL))

    def _signal(self, signum: int) -> None:
        child = self.child
        if child.is_tree:
            self.host.signal_tree(child.key, child.pid, signum, self)
        else:
            self.host.signal(child.key, child.pid, signum, False)

    def exited(self, status: ExitStatus, at: float) -> None:
        """It is gone."""
        if self.timer is not None:
            self.timer.cancel()
        child = replace(self.child, ended=at)

        def all_gone(survivors: Sequence[str]) -> None:
            self.gone(child, status)

        if not child.is_tree:
            all_gone(())
            return
        remains = Remains(_WHOLE_TREE)
        self.leftovers = Leftovers(
            remains, child.key, child.pid, self.host, self.log, self, all_gone
        )
        self.leftovers.begin(False, None)

    def spawned(self, pid: int, pipes: ChildPipes, at: float) -> None:
        """Was long ago."""

    def spawn_failed(self, failure: SpawnFailure, at: float) -> None:
        """It did not."""

    def signal_failed(self, errno: int, at: float) -> None:
        """Nothing more can be done than was tried."""

    def tree_left(self, left: Sequence[str], at: float) -> None:
        """Who is left of what came from it."""
        if self.leftovers is not None:
            self.leftovers.heard(left)
