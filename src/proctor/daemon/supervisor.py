"""Supervisor: owns all groups and processes; the only one who carries out effects.

Rules:
1. Nobody recurses.  What a step asks for goes to the end of one queue; one loop empties it.  So a
   listener that answers "STARTING" with "stop it" is harmless.
2. No `await` inside a step.
3. One timer per process, moved only when its deadline changed.  No polling anywhere.
4. One process's failure is its own: an unexpected error while carrying out its effects is logged
   and ends in UNKNOWN.
5. The cost of a step does not depend on how many processes there are.
"""

from __future__ import annotations

import os
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

from proctor.core import order
from proctor.core.cause import CauseKind, asked, because
from proctor.core.events import GroupChanged, GroupReshaped, SupervisorStateChanged
from proctor.core.faults import Fault, FaultCode
from proctor.core.names import make_namespec
from proctor.core.settings import DaemonSettings
from proctor.core.spec import GroupSpec
from proctor.core.states import (
    RUNNING_STATES,
    SIGNALLABLE_STATES,
    STOPPED_STATES,
    ProcessState,
    SupervisorState,
)
from proctor.daemon.activity_log import ActivityLog
from proctor.daemon.bus import EventBus
from proctor.daemon.group import Group, build, can_reshape, reshape, touched
from proctor.daemon.host import Host
from proctor.daemon.process import Process
from proctor.daemon.rollouts import Shutdown
from proctor.daemon.shelf import Shelf
from proctor.daemon.surroundings import Dialogue, Job, LogDrain, Owner, Surroundings


class Supervisor:
    """All groups and processes.

    `server_url` is what children get as SUPERVISOR_SERVER_URL; `pid` is the one users see.
    """

    def __init__(
        self,
        host: Host,
        drain: LogDrain,
        log: ActivityLog,
        bus: EventBus,
        settings: DaemonSettings,
        *,
        server_url: str | None = None,
        pid: int | None = None,
        dialogue: Dialogue | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        self.groups: dict[str, Group] = {}
        self.mood = SupervisorState.RUNNING
        self.host = host
        self.bus = bus
        self.log = log
        # Told when an active group has other processes than before.
        self.on_reshaped: Callable[[Group], None] = lambda group: None
        self._queue: deque[tuple[Owner, Job]] = deque()
        self._emptying = False
        self._standing_still = False
        self._around = Surroundings(
            host,
            drain,
            log,
            bus,
            settings,
            server_url,
            os.getpid() if pid is None else pid,
            self._submit,
            lambda: self.mood is SupervisorState.RUNNING,
            dialogue,
            shelf=shelf or Shelf(),
        )

    @property
    def settings(self) -> DaemonSettings:
        """The settings in force; a new value counts for everything that happens from now on."""
        return self._around.settings

    @settings.setter
    def settings(self, settings: DaemonSettings) -> None:
        self._around.settings = settings

    @property
    def when_written(self) -> Callable[[Job], None]:
        """Does a job when what was announced so far is in the journal, or cannot be."""
        return self._around.when_written

    @when_written.setter
    def when_written(self, after: Callable[[Job], None]) -> None:
        self._around.when_written = after

    @property
    def pid(self) -> int:
        """The one that users see; another keeper may bring another one."""
        return self._around.pid

    @pid.setter
    def pid(self, pid: int) -> None:
        self._around.pid = pid

    def all_processes(self) -> Iterator[Process]:
        """Every process, group by group in the order of creation."""
        for group in self.groups.values():
            yield from group.processes.values()

    # One process

    def start(self, process: Process) -> None:
        """Start it.  Raises Fault ALREADY_STARTED, FAILED in UNKNOWN, SHUTDOWN_STATE; FAILED also
        while a run that is not ours goes on: there is never a second copy.

        Whether the command can be executed shows later, as a BACKOFF; ask `command_problem` first.
        """
        name = make_namespec(process.group_name, process.name)
        if self.mood is not SupervisorState.RUNNING:
            raise Fault(FaultCode.SHUTDOWN_STATE)
        if process.state is ProcessState.UNKNOWN:
            raise Fault(FaultCode.FAILED, f"{name} is in an unknown process state")
        if process.state in RUNNING_STATES or process.state is ProcessState.STOPPING:
            raise Fault(FaultCode.ALREADY_STARTED, name)
        if twin := self._twin_of(process):
            raise Fault(FaultCode.FAILED, twin)
        process.start()

    def stop(self, process: Process) -> None:
        """Ask it to end.  Raises Fault NOT_RUNNING, also when it is being stopped already."""
        if process.state not in RUNNING_STATES:
            raise Fault(FaultCode.NOT_RUNNING, make_namespec(process.group_name, process.name))
        process.stop()

    def signal(self, process: Process, signum: int) -> None:
        """Send it a signal, never to its group.  Raises Fault NOT_RUNNING."""
        if process.state not in SIGNALLABLE_STATES:
            raise Fault(FaultCode.NOT_RUNNING, make_namespec(process.group_name, process.name))
        process.signal(signum)

    # Groups

    def keep_logs(self, paths: Mapping[tuple[str, str], str]) -> None:
        """Before groups are added: the AUTO logs of children that are to be adopted, by process
        key and channel.
        """
        self._around.kept_logs.update(paths)

    def keep_twins(self, twins: Mapping[str, Callable[[], int]]) -> None:
        """Beside these, by process key, nothing is started as long as they answer with a pid."""
        self._around.twins.update(twins)

    def add_group(self, spec: GroupSpec) -> Group:
        """Make a group active; call `autostart` to start what starts by itself.

        Raises Fault ALREADY_ADDED.
        """
        if spec.name in self.groups:
            raise Fault(FaultCode.ALREADY_ADDED, spec.name)
        group = self.groups[spec.name] = build(spec, self._around)
        self.bus.publish(GroupChanged(spec.name, added=True))
        return group

    def reshape_group(self, spec: GroupSpec) -> list[Process]:
        """Give an active group a new spec; processes that are the same in it go on untouched.

        Answers with those that are new.  Raises STILL_RUNNING while anything that would go is
        unstopped (see `group.touched`).
        """
        group = self.groups[spec.name]
        if any(process.state not in STOPPED_STATES for process in touched(group, spec)):
            raise Fault(FaultCode.STILL_RUNNING, spec.name)
        if not can_reshape(group, spec):
            self.remove_group(spec.name)
            return list(self.add_group(spec).processes.values())
        before = {id(process) for process in group.processes.values()}
        reshape(group, spec, self._around)
        self.on_reshaped(group)
        self.bus.publish(GroupReshaped(spec.name))
        return [process for process in group.processes.values() if id(process) not in before]

    def remove_group(self, name: str) -> None:
        """Forget a group.  Raises Fault BAD_NAME; STILL_RUNNING if a process is unstopped."""
        group = self.groups.get(name)
        if group is None:
            raise Fault.bad_name(name)
        if group.unstopped():
            raise Fault(FaultCode.STILL_RUNNING, name)
        del self.groups[name]
        group.retire(self._around)
        self.bus.publish(GroupChanged(name, added=False))

    def autostart(self, *groups: Group) -> None:
        """Start what starts by itself: in these groups, or everywhere, by ascending priority."""
        if self.mood is not SupervisorState.RUNNING:
            return
        for group in order.ascending(groups or self.groups.values()):
            self.autostart_only(group.processes.values())

    def autostart_only(self, processes: Iterable[Process]) -> None:
        """Start those of these that start by themselves, by ascending priority."""
        for process in order.ascending(processes):
            if process.spec.start.autostart and process.state is ProcessState.STOPPED:
                if self._twin_of(process):
                    continue
                with because(CauseKind.AUTOSTART):
                    process.start()

    def _twin_of(self, process: Process) -> str:
        """Why a start would make a second copy, which is logged, too; "" when it would not."""
        twin, name = process.twin, make_namespec(process.group_name, process.name)
        if not twin:
            return ""
        text = f"{name}: pid {twin} of a supervisord that is gone still runs (on_orphan=leave)"
        self.log.warn(f"not started: {text}")
        return text

    def announce_running(self) -> None:
        """Tell everybody that the daemon has begun to run."""
        self.bus.publish(SupervisorStateChanged())

    def shutdown(self, restarting: bool, on_stopped: Callable[[], None]) -> None:
        """Stop everything, then call back.  A second call changes nothing but the mood."""
        under_way = self.mood is not SupervisorState.RUNNING
        self.mood = SupervisorState.RESTARTING if restarting else SupervisorState.SHUTDOWN
        if under_way:
            return
        self.bus.publish(SupervisorStateChanged(stopping=True))
        with because(CauseKind.RELOAD if restarting else CauseKind.SHUTDOWN):
            cause = asked()
        Shutdown(list(self.groups.values()), self.host, self.log, cause, on_stopped).begin()

    def reopen_logs(self) -> None:
        """Open all log files of processes anew by their names, after somebody moved them away."""
        for process in self.all_processes():
            process.reopen_logs()

    def stand_still(self) -> None:
        """Carry out nothing more, and tell nobody: what happens now is for another daemon to hear.

        A child whose end we have heard of is not acknowledged, so that one hears of it, too.
        """
        self._standing_still = True

    # The queue

    def _submit(self, owner: Owner, job: Job) -> None:
        if self._standing_still:
            return
        self._queue.append((owner, job))
        if self._emptying:
            return
        self._emptying = True
        try:
            while self._queue:
                self._carry_out(*self._queue.popleft())
        finally:
            self._emptying = False

    def _carry_out(self, owner: Owner, job: Job) -> None:
        try:
            job()
        except Exception:  # rule 4
            self.log.critical(f"unexpected error about '{owner.name}': {traceback.format_exc()}")
            owner.lost()
