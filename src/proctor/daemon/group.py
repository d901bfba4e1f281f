"""Group: processes that share a name and a priority, and perhaps FastCGI sockets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from proctor.core.spec import GroupSpec, LogKind, ProcessSpec
from proctor.core.states import STOPPED_STATES
from proctor.daemon.fastcgi import SharedSocket
from proctor.daemon.output import CHANNELS
from proctor.daemon.process import Process, Surroundings


@dataclass(slots=True)
class Group:
    """`processes` by name, in the order in which they were created."""

    spec: GroupSpec
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name."""
        return self.spec.name

    @property
    def priority(self) -> int:
        """Its place among the groups."""
        return self.spec.priority

    def unstopped(self) -> list[Process]:
        """The processes that have something running or planned (BACKOFF and STOPPING count)."""
        return [p for p in self.processes.values() if p.state not in STOPPED_STATES]

    def retire(self) -> None:
        """Everything is at rest and the group is removed: nothing starts by itself any more, and
        the log files that we named go (gotcha G60)."""
        from proctor.posix import autolog

        for process in self.processes.values():
            process.retire()
            for path in _automatic(process).values():
                autolog.remove(path)


def build(spec: GroupSpec, around: Surroundings) -> Group:
    """A group with all its processes, at rest; their AUTO log files exist from now on."""
    group = Group(spec)
    sockets = {
        member.socket.url: SharedSocket(member.socket, around.drain, around.log)
        for member in spec.processes
        if member.socket is not None
    }
    for member in spec.processes:
        socket = None if member.socket is None else sockets[member.socket.url]
        paths = {channel: _log_path(member, channel, around) for channel in CHANNELS}
        group.processes[member.name] = Process(member, around, paths, socket)
    return group


def _log_path(spec: ProcessSpec, channel: str, around: Surroundings) -> str | None:
    policy = spec.stdout if channel == "stdout" else spec.stderr
    if channel == "stderr" and spec.redirect_stderr:
        return None
    if policy.kind is not LogKind.AUTO:
        return policy.path
    from proctor.posix import autolog

    settings = around.settings
    try:
        return autolog.create(settings.childlogdir, settings.identifier, spec.name, channel)
    except OSError as error:
        around.log.error(f"cannot make a {channel} log for '{spec.name}': {error}")
        return None


def _automatic(process: Process) -> Mapping[str, str]:
    kinds = {"stdout": process.spec.stdout.kind, "stderr": process.spec.stderr.kind}
    paths = {channel: process.logfile(channel) for channel in CHANNELS}
    return {c: path for c, path in paths.items() if path and kinds[c] is LogKind.AUTO}
