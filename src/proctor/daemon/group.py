"""Group: processes that share a name and a priority, and perhaps FastCGI sockets."""

from __future__ import annotations

from dataclasses import dataclass, field

from proctor.core.spec import GroupSpec, LogKind, ProcessSpec
from proctor.core.states import STOPPED_STATES
from proctor.daemon.fastcgi import SharedSocket
from proctor.daemon.output import CHANNELS
from proctor.daemon.process import Process
from proctor.daemon.surroundings import Surroundings
from proctor.posix import autolog


@dataclass(slots=True)
class Group:
    """`processes` by name, in the order in which they were created; `auto_logs` are ours to
    remove.
    """

    spec: GroupSpec
    processes: dict[str, Process] = field(default_factory=dict)
    auto_logs: list[str] = field(default_factory=list)

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

    def retire(self, around: Surroundings) -> None:
        """Everything is at rest and the group is removed: nothing starts by itself any more, and
        the log files that we named go (gotcha G60)."""
        for process in self.processes.values():
            process.retire()
        logs, self.auto_logs = self.auto_logs, []

        def work() -> None:
            for path in logs:
                autolog.remove(path)

        def done(problem: OSError | None) -> None:
            if problem is not None:
                around.log.warn(f"cannot remove the logs of '{self.name}': {problem}")

        if logs:
            around.drain.call(work, done)


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
        paths = {channel: _log_path(group, member, channel, around) for channel in CHANNELS}
        group.processes[member.name] = Process(member, around, paths, socket)
    return group


def _log_path(group: Group, spec: ProcessSpec, channel: str, around: Surroundings) -> str | None:
    policy = spec.stdout if channel == "stdout" else spec.stderr
    if channel == "stderr" and spec.redirect_stderr:
        return None
    if policy.kind is not LogKind.AUTO:
        return policy.path
    kept = around.kept_logs.pop((f"{spec.group}:{spec.name}", channel), None)
    if kept is not None:
        group.auto_logs.append(kept)
        return kept
    directory, identifier = around.settings.childlogdir, around.settings.identifier
    try:
        path = autolog.create(directory, identifier, spec.name, channel, around.pid)
    except OSError as error:
        around.log.error(f"cannot make a {channel} log for '{spec.name}': {error}")
        return None
    group.auto_logs.append(path)
    return path
