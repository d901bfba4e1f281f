"""The daemon as rpcinterface factories know it: the attributes that plug-ins really use.

1. A view, made anew at each look: it keeps nothing, so it is never out of date.
2. What it does, it does through the Service's Supervisor: a plug-in cannot get round the rules.
3. Offered are the attributes of compat plugins.md, section 1, but for making processes out of thin
   air (`processes_from_section`, `make_process`, `create_autochildlogs`): whoever asks for these,
   or for anything else, gets an AttributeError.

Everything is called on the daemon's loop and must not block.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from proctor.api.service import Service
from proctor.config.diff import diff
from proctor.config.problems import ConfigError
from proctor.core.faults import Fault
from proctor.core.settings import ServerSettings, server_url
from proctor.core.spec import AutoRestart, GroupSpec, OutputPolicy, ProcessSpec
from proctor.core.states import SupervisorState
from proctor.daemon.activity_log import ActivityLog, Level
from proctor.daemon.group import Group
from proctor.daemon.process import Process

_AUTORESTART: Mapping[AutoRestart, object] = {
    AutoRestart.NEVER: False,
    AutoRestart.ALWAYS: True,
    AutoRestart.UNEXPECTED: "unexpected",
}


def make(service: Service) -> Supervisord:
    """The daemon as plug-ins know it; the daemon finds this by the entry point of our package."""
    return Supervisord(service)


class Supervisord:
    """What a factory receives as its first argument."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.options = Options(service)

    @property
    def process_groups(self) -> dict[str, ProcessGroup]:
        """The active groups by name."""
        supervisor = self.service.supervisor
        return {
            name: ProcessGroup(self.service, group) for name, group in supervisor.groups.items()
        }

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
        found = diff(active, self.service.context.configuration.value.groups)
        return _configs(found.added), _configs(found.changed), _configs(found.removed)


class Options:
    """The daemon's settings and surroundings."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.logger = Logger(service.supervisor.log)

    @property
    def identifier(self) -> str:
        """The configured identifier."""
        return self._service.context.configuration.value.daemon.identifier

    @property
    def configfile(self) -> str:
        """The absolute path of the main configuration file."""
        return self._service.context.configuration.value.path

    @property
    def serverurl(self) -> str | None:
        """The URL that children are given."""
        return server_url(self._service.context.configuration.value.servers)

    @property
    def process_group_configs(self) -> list[GroupConfig]:
        """The groups of the configuration as last read, active or not."""
        return _configs(self._service.context.configuration.value.groups)

    @property
    def server_configs(self) -> list[dict[str, object]]:
        """Each HTTP server as a dictionary, TCP ones first."""
        servers = self._service.context.configuration.value.servers
        return [_server(each) for each in sorted(servers, key=lambda each: each.file is not None)]

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
        context = self._service.context
        if state == self.mood:
            return
        if SupervisorState(state) is SupervisorState.RESTARTING:
            context.restart(context.configuration.value)
        elif SupervisorState(state) is SupervisorState.SHUTDOWN:
            context.shutdown()

    def get_pid(self) -> int:
        """The pid that users know us by."""
        return self._service.context.pid

    def process_config(self, do_usage: bool = False) -> None:
        """Read the configuration anew.  Raises ValueError, and keeps the old one, if it is bad."""
        try:
            self._service.context.configuration.value = self._service.context.reread()
        except ConfigError as error:
            raise ValueError(str(error)) from error


class ProcessGroup:
    """An active group."""

    def __init__(self, service: Service, group: Group) -> None:
        self._service = service
        self._group = group
        self.config = GroupConfig(group.spec)

    @property
    def processes(self) -> dict[str, Subprocess]:
        """Its processes by name."""
        return {name: Subprocess(self, each) for name, each in self._group.processes.items()}

    @property
    def service(self) -> Service:
        """Where its processes are asked."""
        return self._service


class Subprocess:
    """A process."""

    def __init__(self, group: ProcessGroup, process: Process) -> None:
        self.group = group
        self.config = ProcessConfig(process.spec, process)
        self._process = process

    @property
    def state(self) -> int:
        """The code of its state."""
        return int(self._process.state)

    def get_state(self) -> int:
        """The same."""
        return self.state

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

    def _ask(self, order: Any) -> str | None:
        try:
            order(self._process)
        except Fault as fault:
            return fault.text
        return None


class GroupConfig:
    """A group as configured."""

    def __init__(self, spec: GroupSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self.priority = spec.priority
        self.process_configs = [ProcessConfig(each) for each in spec.processes]


class ProcessConfig:
    """A process as configured; its attributes are named as its options."""

    def __init__(self, spec: ProcessSpec, process: Process | None = None) -> None:
        self._options = _options(spec)
        if process is not None:
            for stream in ("stdout", "stderr"):
                self._options[f"{stream}_logfile"] = process.logfile(stream)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._options[name]
        except KeyError:
            raise AttributeError(f"a process has no option {name!r}") from None


class Logger:
    """The main log with the methods that plug-ins call."""

    def __init__(self, log: ActivityLog) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        if name not in ("critical", "error", "warn", "info", "debug", "trace", "blather"):
            raise AttributeError(f"a logger has no {name!r}")
        return lambda text, **values: self.log(Level.named(name), text, **values)

    def log(self, level: int, text: object, **values: object) -> None:
        """A line; `values` fill %(names)s."""
        self._log.log(Level(level), str(text) % values if values else str(text))


def _configs(groups: tuple[GroupSpec, ...]) -> list[GroupConfig]:
    return [GroupConfig(spec) for spec in groups]


def _server(settings: ServerSettings) -> dict[str, object]:
    common = {
        "section": settings.section,
        "username": settings.username,
        "password": settings.password,
    }
    if settings.file is None:
        return {"family": socket.AF_INET, "host": settings.host, "port": settings.port, **common}
    return {"family": socket.AF_UNIX, "file": settings.file, "chmod": settings.mode, **common}


def _options(spec: ProcessSpec) -> dict[str, object]:
    return {
        **{name: getattr(spec, name) for name in _PLAIN},
        "environment": dict(spec.environment),
        "autostart": spec.start.autostart,
        "autorestart": _AUTORESTART[spec.start.autorestart],
        "startsecs": spec.start.startsecs,
        "startretries": spec.start.startretries,
        "exitcodes": list(spec.start.exitcodes),
        "stopsignal": spec.stop.stopsignal,
        "stopwaitsecs": spec.stop.stopwaitsecs,
        "stopasgroup": spec.stop.stopasgroup,
        "killasgroup": spec.stop.killasgroup,
        **_stream("stdout", spec.stdout),
        **_stream("stderr", spec.stderr),
    }


_PLAIN = (
    "name",
    "command",
    "directory",
    "umask",
    "priority",
    "uid",
    "serverurl",
    "redirect_stderr",
)


def _stream(name: str, policy: OutputPolicy) -> dict[str, object]:
    return {
        f"{name}_logfile": policy.path,
        f"{name}_logfile_maxbytes": policy.maxbytes,
        f"{name}_logfile_backups": policy.backups,
        f"{name}_capture_maxbytes": policy.capture_maxbytes,
        f"{name}_events_enabled": policy.events_enabled,
        f"{name}_syslog": policy.syslog,
    }
