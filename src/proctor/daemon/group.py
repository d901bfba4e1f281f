"""Group: processes that share a name and a priority, and perhaps FastCGI sockets."""

from __future__ import annotations

from dataclasses import field

from proctor.core.spec import GroupSpec, LogKind, ProcessSpec, SocketSpec
from proctor.core.states import STOPPED_STATES
from proctor.core.values import dataclass
from proctor.daemon.fastcgi import SharedSocket
from proctor.daemon.output import CHANNELS
from proctor.daemon.process import Process
from proctor.daemon.surroundings import Surroundings
from proctor.posix import autolog


@dataclass(slots=True)
class Group:
    """`processes` by name, in the order of their creation; `auto_logs` are ours to remove."""

    spec: GroupSpec
    processes: dict[str, Process] = field(default_factory=dict)
    auto_logs: list[str] = field(default_factory=list)
    sockets: dict[SocketSpec, SharedSocket] = field(default_factory=dict)

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
    for member in spec.processes:
        group.processes[member.name] = _build_member(group, member, around)
    return group


def touched(group: Group, spec: GroupSpec) -> list[Process]:
    """The processes that `reshape` would take away or replace; they have to rest first."""
    if not can_reshape(group, spec):
        return list(group.processes.values())
    wanted = {member.name: member for member in spec.processes}
    return [p for p in group.processes.values() if wanted.get(p.name) != p.spec]


def can_reshape(group: Group, spec: GroupSpec) -> bool:
    """Whether the group can stay while its processes change: its kind and its pool are the same."""
    return (group.spec.kind, group.spec.pool) == (spec.kind, spec.pool)


def reshape(group: Group, spec: GroupSpec, around: Surroundings) -> None:
    """Give the group a new spec; a process whose own spec is the same goes on untouched.

    Everything in `touched` is at rest.
    """
    old = dict(group.processes)
    for process in touched(group, spec):
        process.retire()
        del old[process.name]
    group.spec = spec
    # A new dictionary: whoever walks over the old one may finish.
    group.processes = {
        member.name: old.get(member.name) or _build_member(group, member, around)
        for member in spec.processes
    }


def _build_member(group: Group, member: ProcessSpec, around: Surroundings) -> Process:
    socket = None
    if member.socket is not None:
        if member.socket not in group.sockets:
            group.sockets[member.socket] = SharedSocket(
                member.socket, group.name, around.drain, around.log, around.shelf
            )
        socket = group.sockets[member.socket]
    paths = {channel: _log_path(group, member, channel, around) for channel in CHANNELS}
    return Process(member, around, paths, socket)


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
