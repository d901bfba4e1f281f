"""From two configurations to the plan that leads from one to the other.  Nothing is done here.

1. Groups: what is active is compared with what is configured, as `update` does.
2. Settings: what is in force is compared with what is configured.  LIVE options can be changed in a
   running daemon; the others count from the next start, and the plan says so.
3. Environments and logins are compared, never shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from proctor.config.diff import diff
from proctor.config.load import Configuration
from proctor.core.changes import Change, GroupChange, Plan, SettingChange
from proctor.core.names import make_namespec
from proctor.core.order import ascending
from proctor.core.settings import DaemonSettings
from proctor.core.spec import GroupSpec, ProcessSpec
from proctor.core.states import STOPPED_STATES
from proctor.daemon.group import Group, can_reshape, touched

LIVE = (
    "loglevel", "logfile_maxbytes", "logfile_backups", "identifier", "childlogdir", "strip_ansi",
    "hup", "upgrade_timeout", "metrics", "audit",
)  # fmt: skip

# A re-read alone takes these over: they count for everything new (gotcha G54).
FROM_REREAD = (
    "identifier", "childlogdir", "strip_ansi", "hup", "upgrade_timeout", "metrics", "audit",
)  # fmt: skip

_AT_NEXT_START = (
    "logfile", "pidfile", "umask", "nodaemon", "silent", "minfds", "minprocs", "nocleanup", "uid",
    "directory", "keeper", "on_orphan",
)  # fmt: skip


def make_plan(
    active: Mapping[str, Group], in_force: DaemonSettings, begun: Configuration, new: Configuration
) -> Plan:
    """What leads from the active groups and the settings in force to the new configuration.

    `begun` is what the daemon began with: servers and plug-ins are still those.
    """
    found = diff([group.spec for group in active.values()], new.groups)
    groups = (
        *(_removed(active[spec.name]) for spec in found.removed),
        *(_changed(active[spec.name], spec) for spec in found.changed),
        *(_added(spec) for spec in found.added),
    )
    settings = (*_options(in_force, begun.daemon, new.daemon), *_sections(begun, new))
    return Plan(groups, settings)


def taken_over(names: tuple[str, ...], old: DaemonSettings, new: DaemonSettings) -> DaemonSettings:
    """The old settings with these options of the new ones."""
    return old._replace(**{name: getattr(new, name) for name in names})


def _removed(group: Group) -> GroupChange:
    return GroupChange(group.name, Change.REMOVED, stops=_unstopped(group, group.spec.processes))


def _changed(group: Group, spec: GroupSpec) -> GroupChange:
    gone = [process.spec for process in touched(group, spec)]
    if can_reshape(group, spec):
        kept = {p.name for p in group.processes.values()} - {each.name for each in gone}
    else:
        kept = set()
    fresh = [member for member in spec.processes if member.name not in kept]
    return GroupChange(spec.name, Change.CHANGED, _unstopped(group, gone), _autostarting(fresh))


def _added(spec: GroupSpec) -> GroupChange:
    return GroupChange(spec.name, Change.ADDED, starts=_autostarting(spec.processes))


def _unstopped(group: Group, specs: Iterable[ProcessSpec]) -> tuple[str, ...]:
    return tuple(
        make_namespec(group.name, spec.name)
        for spec in specs
        if group.processes[spec.name].state not in STOPPED_STATES
    )


def _autostarting(specs: Iterable[ProcessSpec]) -> tuple[str, ...]:
    starting = [spec for spec in specs if spec.start.autostart]
    return tuple(make_namespec(spec.group, spec.name) for spec in ascending(starting))


def _options(
    in_force: DaemonSettings, begun: DaemonSettings, new: DaemonSettings
) -> Iterator[SettingChange]:
    for names, old, live in ((LIVE, in_force, True), (_AT_NEXT_START, begun, False)):
        for name in names:
            before, after = getattr(old, name), getattr(new, name)
            if before != after:
                option = "user" if name == "uid" else name
                yield SettingChange("supervisord", option, live, _shown(before), _shown(after))


def _shown(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def _sections(begun: Configuration, new: Configuration) -> Iterator[SettingChange]:
    before = {server.section: server for server in begun.servers}
    after = {server.section: server for server in new.servers}
    for section in sorted(before.keys() | after.keys()):
        if before.get(section) != after.get(section):
            yield SettingChange(section, "", live=False)
    old, now = ({each.name: each for each in c.rpcinterfaces} for c in (begun, new))
    for name in sorted(old.keys() | now.keys()):
        if old.get(name) != now.get(name):
            yield SettingChange(f"rpcinterface:{name}", "", live=False)
