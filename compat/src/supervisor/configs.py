"""A configuration as plug-ins see it: groups, processes, servers.  Not a module of the original."""

from __future__ import annotations

import socket
from dataclasses import fields
from typing import Any

from proctor.config.load import Configuration
from proctor.core.settings import ServerSettings, server_url
from proctor.core.spec import (
    AutoRestart,
    GroupSpec,
    OutputPolicy,
    ProcessSpec,
    StartPolicy,
    StopPolicy,
)
from supervisor.datatypes import RestartUnconditionally, RestartWhenExitUnexpected

_PLAIN = ("name", "command", "directory", "umask", "priority", "uid", "serverurl")


class View:
    """What a configuration says; `configuration` is the one that is meant."""

    @property
    def configuration(self) -> Configuration:
        """As last read."""
        raise NotImplementedError

    @property
    def identifier(self) -> str:
        """The configured identifier."""
        return self.configuration.daemon.identifier

    @property
    def configfile(self) -> str:
        """The absolute path of the main configuration file."""
        return self.configuration.path

    @property
    def serverurl(self) -> str | None:
        """The URL that children are given."""
        return server_url(self.configuration.servers)

    @property
    def process_group_configs(self) -> list[GroupConfig]:
        """The groups, active or not."""
        return [GroupConfig(spec) for spec in self.configuration.groups]

    @property
    def server_configs(self) -> list[dict[str, object]]:
        """Each HTTP server as a dictionary, TCP ones first."""
        servers = sorted(self.configuration.servers, key=lambda each: each.file is not None)
        return [_server(each) for each in servers]


class GroupConfig:
    """A group as configured."""

    def __init__(self, spec: GroupSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self.priority = spec.priority
        self.process_configs = [ProcessConfig(each) for each in spec.processes]


class ProcessConfig:
    """A process as configured; its attributes are named as its options.

    `logs` are the paths of its log files where they are known better.
    """

    def __init__(self, spec: ProcessSpec, logs: dict[str, str | None] | None = None) -> None:
        self.spec = spec
        self._options = {**_options(spec), **(logs or {})}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self._options:
            raise AttributeError(f"a process has no option {name!r}")
        return self._options[name]

    def create_autochildlogs(self) -> None:
        """Nothing: they are made with the process."""

    def make_process(self, group: Any) -> Any:
        """Make the process, in this group, at once; it starts if it starts by itself.

        Raises RPCError when something of that name is there and not at rest.
        """
        return group.take(self.spec)


def _server(settings: ServerSettings) -> dict[str, object]:
    common = {
        "section": settings.section,
        "username": settings.username,
        "password": settings.password,
    }
    if settings.file is None:
        return {"family": socket.AF_INET, "host": settings.host, "port": settings.port, **common}
    return {"family": socket.AF_UNIX, "file": settings.file, "chmod": settings.mode, **common}


def _fields(policy: StartPolicy | StopPolicy) -> dict[str, object]:
    return {each.name: getattr(policy, each.name) for each in fields(policy)}


_AUTORESTART: dict[AutoRestart, object] = {
    AutoRestart.NEVER: False,
    AutoRestart.ALWAYS: RestartUnconditionally,
    AutoRestart.UNEXPECTED: RestartWhenExitUnexpected,
}


def _options(spec: ProcessSpec) -> dict[str, object]:
    return {
        **{name: getattr(spec, name) for name in (*_PLAIN, "redirect_stderr")},
        **_fields(spec.start),
        **_fields(spec.stop),
        "environment": dict(spec.environment),
        "autorestart": _AUTORESTART[spec.start.autorestart],
        "exitcodes": list(spec.start.exitcodes),
        **_stream("stdout", spec.stdout),
        **_stream("stderr", spec.stderr),
    }


def _stream(name: str, policy: OutputPolicy) -> dict[str, object]:
    return {
        f"{name}_logfile": policy.path,
        f"{name}_logfile_maxbytes": policy.maxbytes,
        f"{name}_logfile_backups": policy.backups,
        f"{name}_capture_maxbytes": policy.capture_maxbytes,
        f"{name}_events_enabled": policy.events_enabled,
        f"{name}_syslog": policy.syslog,
    }
