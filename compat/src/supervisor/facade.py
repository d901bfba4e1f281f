"""The daemon as rpcinterface factories know it: the attributes that plug-ins really use.

1. A view, made anew at each look: it keeps nothing, so it is never out of date.
2. What it does, it does through the Service's Supervisor: a plug-in cannot get round the rules.
3. Offered are the attributes of compat plugins.md, section 1; whoever asks for anything else gets
   an AttributeError.

Everything is called on the daemon's loop and must not block.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from configparser import RawConfigParser
from contextlib import suppress
from dataclasses import replace

from proctor.api.service import Service
from proctor.config.diff import diff
from proctor.config.load import Configuration
from proctor.config.problems import ConfigError
from proctor.core.faults import Fault
from proctor.core.spec import GroupSpec, ProcessSpec
from proctor.core.states import ProcessState, SupervisorState
from proctor.daemon.activity_log import ActivityLog, Level
from proctor.daemon.group import Group
from proctor.daemon.process import Process
from proctor.duties.pools.judge import DeliveredEvent, Handler
from supervisor import events, loggers
from supervisor.configs import GroupConfig, ProcessConfig, View
from supervisor.options import processes_of
from supervisor.xmlrpc import RPCError


def make(service: Service) -> Supervisord:
    """The daemon as plug-ins know it; the daemon finds this by the entry point of our package."""
    supervisord = Supervisord(service)
    events.link(supervisord)
    return supervisord


class Supervisord:
    """What a factory receives as its first argument."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.options = Options(service)

    @property
    def process_groups(self) -> dict[str, ProcessGroup]:
        """The active groups by name."""
        groups = self.service.supervisor.groups.items()
        return {name: ProcessGroup(self.service, group) for name, group in groups}

    def find(self, group: str, process: str) -> Subprocess | None:
        """A process by its names."""
        found = self.service.supervisor.groups.get(group)
        if found is None or process not in found.processes:
            return None
        return Subprocess(ProcessGroup(self.service, found), found.processes[process])

    def result_handler(self, handler: Callable[[events.Event, bytes], object]) -> Handler:
        """A handler of a plug-in as the daemon wants it: it gets an event with its process."""

        def judge(event: DeliveredEvent, response: bytes) -> object:
            try:
                return handler(events.made(event.name, event.payload()), response)
            finally:
                # What handlers print is for whoever reads our stdout, now.
                with suppress(OSError):
                    sys.stdout.flush()

        return judge

    def get_state(self) -> int:
        """The code of what the daemon is doing."""
        return int(self.service.supervisor.mood)

    def add_process_group(self, config: GroupConfig) -> bool:
        """Make a group active and start what starts by itself; False if it is active already."""
        try:
            group = self.service.supervisor.add_group(config.spec)
        except Fault:
            return False
        self.service.supervisor.autostart(group)
        return True

    def remove_process_group(self, name: str) -> bool:
        """Forget a group; False while anything in it runs.  Raises KeyError for no such group."""
        if name not in self.service.supervisor.groups:
            raise KeyError(name)
        try:
            self.service.supervisor.remove_group(name)
        except Fault:
            return False
        return True

    def diff_to_active(self) -> tuple[list[GroupConfig], list[GroupConfig], list[GroupConfig]]:
        """(added, changed, removed) groups of the configuration as last read."""
        active = tuple(group.spec for group in self.service.supervisor.groups.values())
        found = diff(active, self.options.configuration.groups)
        return _configs(found.added), _configs(found.changed), _configs(found.removed)


class Options(View):
    """The daemon's settings and surroundings."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.logger = Logger(service.supervisor.log)

    @property
    def configuration(self) -> Configuration:
        """The configuration as last read."""
        return self._service.context.configuration.value

    @property
    def httpservers(self) -> list[tuple[dict[str, object], None]]:
        """Each HTTP server's dictionary; the servers themselves are not for plug-ins."""
        return [(config, None) for config in self.server_configs]

    @property
    def mood(self) -> int:
        """What the daemon is doing; assign SHUTDOWN or RESTARTING to begin that."""
        return int(self._service.supervisor.mood)

    @mood.setter
    def mood(self, state: int) -> None:
        if state == self.mood:
            return
        if SupervisorState(state) is SupervisorState.RESTARTING:
            self._service.context.restart(self.configuration)
        elif SupervisorState(state) is SupervisorState.SHUTDOWN:
            self._service.context.shutdown()

    def get_pid(self) -> int:
        """The pid that users know us by."""
        return self._service.context.pid

    def kill(self, pid: int, signum: int) -> None:
        """Signal the child with this pid.  Raises ProcessLookupError for anybody else."""
        for process in self._service.supervisor.all_processes():
            if pid and process.pid == pid:
                process.signal(signum)
                return
        raise ProcessLookupError(f"no process has the pid {pid}")

    def process_config(self, do_usage: bool = False) -> None:
        """Read the configuration anew.  Raises ValueError, and keeps the old one, if it is bad."""
        try:
            self._service.context.configuration.value = self._service.context.reread()
        except ConfigError as error:
            raise ValueError(str(error)) from error

    def processes_from_section(
        self, parser: RawConfigParser, section: str, group_name: str
    ) -> list[ProcessConfig]:
        """The processes that a [program:x] of `parser` makes.  Raises ValueError for mistakes."""
        return processes_of(parser, section, group_name, self.configuration)


class ProcessGroup:
    """An active group."""

    def __init__(self, service: Service, group: Group) -> None:
        self.service = service
        self._group = group
        self.config = GroupConfig(group.spec)

    @property
    def processes(self) -> dict[str, Subprocess]:
        """Its processes by name; deleting one takes it out of the group."""
        return _Processes(self, self._group)

    def take(self, spec: ProcessSpec) -> Subprocess:
        """Make a process of the group, see ProcessConfig.make_process."""
        mine = replace(spec, group=self._group.name)
        self.service.supervisor.autostart_only(self.reshape(mine.name, mine))
        return self.processes[mine.name]

    def reshape(self, name: str, *members: ProcessSpec) -> list[Process]:
        """Put these in the place of one of that name.  Raises RPCError unless that is at rest."""
        spec = self._group.spec
        others = (member for member in spec.processes if member.name != name)
        try:
            return self.service.supervisor.reshape_group(
                replace(spec, processes=(*others, *members))
            )
        except Fault as fault:
            raise RPCError.of(fault) from fault

    def transition(self) -> None:
        """Nothing: what is due happens by itself."""


class _Processes(dict[str, "Subprocess"]):
    def __init__(self, owner: ProcessGroup, group: Group) -> None:
        self._owner = owner
        super().__init__((name, Subprocess(owner, each)) for name, each in group.processes.items())

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._owner.reshape(name)


class Subprocess:
    """A process."""

    def __init__(self, group: ProcessGroup, process: Process) -> None:
        logs = {f"{stream}_logfile": process.logfile(stream) for stream in ("stdout", "stderr")}
        self.group = group
        self.config = ProcessConfig(process.spec, logs)
        self._process = process

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Subprocess) and other._process is self._process

    def __hash__(self) -> int:
        return hash(self._process)

    @property
    def state(self) -> int:
        """The code of its state."""
        return int(self._process.state)

    def get_state(self) -> int:
        """The same."""
        return self.state

    @property
    def killing(self) -> bool:
        """Whether it was asked to end."""
        return self._process.state is ProcessState.STOPPING

    @property
    def pid(self) -> int:
        """The pid of its child, 0 if there is none."""
        return self._process.pid

    @property
    def laststart(self) -> float:
        """Seconds since the epoch, 0 = never."""
        return self._process.start_wall

    @property
    def laststop(self) -> float:
        """Seconds since the epoch, 0 = never."""
        return self._process.stop_wall

    @property
    def backoff(self) -> int:
        """How many starts have failed in a row."""
        return self._process.lifecycle.tries

    @property
    def spawnerr(self) -> str | None:
        """Why the last start failed."""
        return self._process.spawnerr or None

    @property
    def exitstatus(self) -> int | None:
        """How the last run ended, -1 for a death by signal, None if it has not."""
        status = self._process.lifecycle.exit
        return None if status is None else status.number

    def spawn(self) -> None:
        """Start it.  The child comes later; nothing happens when it runs already."""
        self._ask(self.group.service.supervisor.start)

    def stop(self) -> str | None:
        """Ask it to end; answers with why not."""
        return self._ask(self.group.service.supervisor.stop)

    def signal(self, signum: int) -> str | None:
        """Send a signal; answers with why not."""
        return self._ask(lambda process: self.group.service.supervisor.signal(process, signum))

    def write(self, chars: str | bytes) -> None:
        """Send text to its stdin.  Raises OSError (EPIPE) when there is nobody to read it."""
        data = chars.encode() if isinstance(chars, str) else chars
        try:
            self._process.write_stdin(data)
        except Fault as fault:
            raise BrokenPipeError(fault.text) from fault

    def _ask(self, order: Callable[[Process], None]) -> str | None:
        try:
            order(self._process)
        except Fault as fault:
            return fault.text
        return None


class Logger(loggers.Logger):
    """The main log with the methods that plug-ins call."""

    def __init__(self, log: ActivityLog) -> None:
        super().__init__(log.level)
        self._log = log

    def log(self, level: int, text: object, **values: object) -> None:
        """A line; `values` fill %(names)s."""
        self._log.log(Level(level), str(text) % values if values else str(text))


def _configs(groups: tuple[GroupSpec, ...]) -> list[GroupConfig]:
    return [GroupConfig(spec) for spec in groups]
