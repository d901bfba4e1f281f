"""What an [rpcinterface:x] factory receives in place of the original's daemon object.

1. Every attribute is looked up in the daemon at the moment it is asked for; nothing is copied.
2. Names are the original's; what is listed here is promised, everything else raises AttributeError.
3. It is used on the daemon's loop, as plug-ins run there: never wait in a plug-in.

Source: compat plugins.md, section 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proctor.config.diff import diff
from proctor.core.names import make_namespec
from proctor.core.spec import AutoRestart, GroupSpec, OutputPolicy, ProcessSpec

if TYPE_CHECKING:
    from proctor.api.room import CurrentConfiguration
    from proctor.core.settings import ServerSettings
    from proctor.daemon.activity_log import ActivityLog
    from proctor.daemon.group import Group
    from proctor.daemon.process import Process
    from proctor.daemon.supervisor import Supervisor


def make(supervisor: Supervisor, current: CurrentConfiguration, pid: int) -> SupervisorFacade:
    """The daemon, as plug-ins know it.  `pid` is the one that users see."""
    return SupervisorFacade(supervisor, current, pid)


class ProcessConfigFacade:
    """`process.config`: the options of a program by their names in the configuration file."""

    def __init__(self, spec: ProcessSpec) -> None:
        self.name = spec.name
        self.command = spec.command
        self.directory = spec.directory
        self.umask = spec.umask
        self.uid = spec.uid
        self.priority = spec.priority
        self.environment = dict(spec.environment)
        self.serverurl = spec.serverurl
        self.redirect_stderr = spec.redirect_stderr
        self.autostart = spec.start.autostart
        self.startsecs = spec.start.startsecs
        self.startretries = spec.start.startretries
        self.autorestart: bool | AutoRestart = {
            AutoRestart.ALWAYS: True,
            AutoRestart.NEVER: False,
        }.get(spec.start.autorestart, spec.start.autorestart)
        self.exitcodes = list(spec.start.exitcodes)
        self.stopsignal = spec.stop.stopsignal
        self.stopwaitsecs = spec.stop.stopwaitsecs
        self.stopasgroup = spec.stop.stopasgroup
        self.killasgroup = spec.stop.killasgroup
        self._output("stdout", spec.stdout)
        self._output("stderr", spec.stderr)

    def _output(self, channel: str, policy: OutputPolicy) -> None:
        setattr(self, f"{channel}_logfile", policy.path)
        setattr(self, f"{channel}_logfile_maxbytes", policy.maxbytes)
        setattr(self, f"{channel}_logfile_backups", policy.backups)
        setattr(self, f"{channel}_capture_maxbytes", policy.capture_maxbytes)
        setattr(self, f"{channel}_events_enabled", policy.events_enabled)
        setattr(self, f"{channel}_syslog", policy.syslog)


class GroupConfigFacade:
    """`group.config`; also an entry of `options.process_group_configs`."""

    def __init__(self, spec: GroupSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self.priority = spec.priority
        self.process_configs = [ProcessConfigFacade(process) for process in spec.processes]


class ProcessFacade:
    """A process.  `spawn` and `stop` ask for it and return at once."""

    def __init__(self, supervisor: Supervisor, group: GroupFacade, process: Process) -> None:
        self._supervisor = supervisor
        self._process = process
        self.group = group
        self.config = ProcessConfigFacade(process.spec)

    @property
    def pid(self) -> int:
        """0 if there is none."""
        return self._process.pid

    @property
    def state(self) -> int:
        """The code of its state."""
        return int(self._process.state)

    def get_state(self) -> int:
        """The code of its state."""
        return self.state

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
        """How many starts in a row have failed."""
        return self._process.lifecycle.tries

    @property
    def spawnerr(self) -> str | None:
        """Why the last start failed."""
        return self._process.spawnerr or None

    @property
    def exitstatus(self) -> int | None:
        """Of the last run; -1 after a death by signal, None before the first end."""
        ended = self._process.lifecycle.exit
        return None if ended is None else ended.number

    def spawn(self) -> None:
        """Start it.  Raises Fault."""
        self._supervisor.start(self._process)

    def stop(self) -> None:
        """Stop it.  Raises Fault."""
        self._supervisor.stop(self._process)

    def write(self, chars: str | bytes) -> None:
        """Send it to its stdin.  Raises Fault."""
        self._process.write_stdin(chars.encode() if isinstance(chars, str) else chars)

    def __repr__(self) -> str:
        return f"<Process {make_namespec(self._process.group_name, self._process.name)}>"


class GroupFacade:
    """A group of processes."""

    def __init__(self, supervisor: Supervisor, group: Group) -> None:
        self.config = GroupConfigFacade(group.spec)
        self.processes = {
            name: ProcessFacade(supervisor, self, process)
            for name, process in group.processes.items()
        }


class OptionsFacade:
    """`supervisord.options`."""

    def __init__(self, supervisor: Supervisor, current: CurrentConfiguration, pid: int) -> None:
        self._supervisor = supervisor
        self._current = current
        self._pid = pid

    @property
    def identifier(self) -> str:
        """The daemon's identifier."""
        return self._current.value.daemon.identifier

    @property
    def mood(self) -> int:
        """The code of the daemon's state."""
        return int(self._supervisor.mood)

    @property
    def logger(self) -> ActivityLog:
        """The main log: `info`, `warn`, `error`, `critical`, `debug`."""
        return self._supervisor.log

    @property
    def configfile(self) -> str:
        """The path of the main file."""
        return self._current.value.path

    @property
    def serverurl(self) -> str | None:
        """What programs get as SUPERVISOR_SERVER_URL."""
        servers = self._current.value.servers
        unix = [f"unix://{one.file}" for one in servers if one.file is not None]
        inet = [f"http://{one.host or 'localhost'}:{one.port}" for one in servers if not one.file]
        return unix[0] if unix else inet[-1] if inet else None

    @property
    def server_configs(self) -> list[dict[str, object]]:
        """One dict per server: family, host and port or file, section, username, password."""
        return [_server(one) for one in self._current.value.servers]

    @property
    def process_group_configs(self) -> list[GroupConfigFacade]:
        """The groups of the configuration as last read."""
        return [GroupConfigFacade(spec) for spec in self._current.value.groups]

    def get_pid(self) -> int:
        """The pid that users see."""
        return self._pid


def _server(settings: ServerSettings) -> dict[str, object]:
    import socket

    common = {
        "section": settings.section,
        "username": settings.username,
        "password": settings.password,
    }
    if settings.file is not None:
        return {"family": socket.AF_UNIX, "file": settings.file, **common}
    return {"family": socket.AF_INET, "host": settings.host, "port": settings.port, **common}


class SupervisorFacade:
    """`supervisord`, the argument of every factory."""

    def __init__(self, supervisor: Supervisor, current: CurrentConfiguration, pid: int) -> None:
        self._supervisor = supervisor
        self._current = current
        self.options = OptionsFacade(supervisor, current, pid)

    @property
    def process_groups(self) -> dict[str, GroupFacade]:
        """The active groups by name."""
        groups = self._supervisor.groups.items()
        return {name: GroupFacade(self._supervisor, group) for name, group in groups}

    def get_state(self) -> int:
        """The code of the daemon's state."""
        return int(self._supervisor.mood)

    def diff_to_active(
        self,
    ) -> tuple[list[GroupConfigFacade], list[GroupConfigFacade], list[GroupConfigFacade]]:
        """(added, changed, removed): the configuration as last read against what is active."""
        active = [group.spec for group in self._supervisor.groups.values()]
        found = diff(active, self._current.value.groups)
        added, changed, removed = found.added, found.changed, found.removed
        return (
            [GroupConfigFacade(spec) for spec in added],
            [GroupConfigFacade(spec) for spec in changed],
            [GroupConfigFacade(spec) for spec in removed],
        )

    def add_process_group(self, config: GroupConfigFacade) -> bool:
        """Make a group active; False if it is already."""
        if config.name in self._supervisor.groups:
            return False
        self._supervisor.autostart(self._supervisor.add_group(config.spec))
        return True

    def remove_process_group(self, name: str) -> bool:
        """Forget a group; False while any process of it is unstopped.  Raises KeyError."""
        if self._supervisor.groups[name].unstopped():
            return False
        self._supervisor.remove_group(name)
        return True
