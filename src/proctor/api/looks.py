"""Looks: what the JSON API shows of the daemon, its processes and groups.

Unlike the verbs of the XML-RPC interface these also answer while the daemon stops: who watches it
wants to see it stop.  Nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Literal

from proctor.api.access import caller
from proctor.api.event_feed import Entry, EventFeed
from proctor.api.process_view import process_view
from proctor.api.room import Room, ServiceContext, display_name, members
from proctor.api.tally import Tally
from proctor.api.views import config_info
from proctor.core.caller import Role
from proctor.core.faults import Fault
from proctor.core.states import ProcessState
from proctor.core.version import PROCTOR_VERSION
from proctor.daemon.group import Group
from proctor.daemon.process import Process
from proctor.daemon.supervisor import Supervisor
from proctor.posix.usage import measure

if TYPE_CHECKING:  # with what describes them to people: loaded with the routes of the JSON API
    from proctor.api.documents import (
        DaemonView,
        GroupView,
        ProcessConfiguration,
        ProcessList,
        ProcessView,
    )


class Looks(Room):
    """Everything that can be seen."""

    def __init__(self, supervisor: Supervisor, context: ServiceContext) -> None:
        super().__init__(supervisor, context)
        self.tally = Tally(supervisor.host.wall)
        self.tally.attach(supervisor.bus)
        self.feed = EventFeed(supervisor.bus)

    async def view_daemon(self) -> DaemonView:
        """Who the daemon is and how it is."""
        counts = dict.fromkeys((state.name for state in ProcessState), 0)
        for process in self._all():
            counts[process.state.name] += 1
        return {
            "identifier": self.context.configuration.value.daemon.identifier,
            "pid": self.context.pid,
            "version": PROCTOR_VERSION,
            "supervisor_version": self.context.version,
            "state": _mood(self.supervisor),
            "now": round(self.supervisor.host.wall(), 3),
            "processes": counts,
            "event": self.feed.happenings.cursor(),
            "warnings": self._warnings(),
            "role": _ROLES[caller().role],
            "reads_logs": caller().reads_logs,
        }

    async def view_processes(
        self,
        names: list[str] | None = None,
        states: list[str] | None = None,
        usage: bool = False,
    ) -> ProcessList:
        """All processes, or those of these names (`group:*` too) that are in these states.

        With `usage` also what each uses at the moment.  Raises BAD_NAME.
        """
        if names is None:
            processes = self._all()
        else:
            processes = list(dict.fromkeys(p for name in names for p in self._named(name)))
        if states is not None:
            processes = [process for process in processes if process.state.name in states]
        processes.sort(key=lambda process: (process.group_name, process.name))
        now = self.supervisor.host.wall()
        # Before anything is waited for: what happens meanwhile is told by the stream.
        told: ProcessList = {
            "processes": [self._view(process, now) for process in processes],
            "now": round(now, 3),
            "event": self.feed.happenings.cursor(),
        }
        if usage:
            await self._add_usage(told["processes"])
        return told

    async def view_process(self, name: str, usage: bool = False) -> ProcessView:
        """One process, also with what it uses.  Raises BAD_NAME, also for `group:*`."""
        view = self._view(self._one(name), self.supervisor.host.wall())
        if usage:
            await self._add_usage([view])
        return view

    async def _add_usage(self, views: list[ProcessView]) -> None:
        found = await self._in_worker(measure, [view["pid"] for view in views if view["pid"]])
        for view in views:
            used = found.get(view["pid"] or 0)
            view["usage"] = (
                None
                if used is None
                else {
                    "cpu_seconds": round(used.cpu_seconds, 2),
                    "rss": used.rss,
                }
            )

    async def view_groups(self) -> list[GroupView]:
        """The active groups, by name."""
        groups = sorted(self._their_groups(), key=lambda group: group.name)
        return [_group_view(group) for group in groups]

    async def view_group(self, name: str) -> GroupView:
        """One active group.  Raises BAD_NAME."""
        return _group_view(self._group(name))

    async def view_configuration(self, name: str) -> ProcessConfiguration:
        """What is in force for one process.  Of its environment only names (rule 10 of
        scenarios.md, section 1).  Raises BAD_NAME.
        """
        process = self._one(name)
        group = self.supervisor.groups[process.group_name]
        return {
            "id": display_name(process),
            "origin": process.spec.origin,
            "options": config_info(group.spec, process.spec, group),
            "environment": sorted({key for key, _ in process.spec.environment}),
        }

    async def follow_events(
        self, kinds: list[str], after: str | None = None
    ) -> AsyncIterator[list[Entry]]:
        """What happens, as `EventFeed.follow` tells it, as far as the caller may know it."""
        return self.feed.follow(kinds, after, caller())

    def process_now(self, group: str, name: str) -> ProcessView | None:
        """A process as it is now; None when it is no longer there."""
        found = self.supervisor.groups.get(group)
        process = found.processes.get(name) if found else None
        return self._view(process, self.supervisor.host.wall()) if process else None

    def group_now(self, name: str) -> list[ProcessView]:
        """The processes of a group as they are now; none when it is no longer there."""
        group, now = self.supervisor.groups.get(name), self.supervisor.host.wall()
        return [self._view(process, now) for process in members(group)] if group else []

    def _view(self, process: Process, now: float) -> ProcessView:
        return process_view(process, self.tally.of(process.key), now)

    def _all(self) -> list[Process]:
        return [p for group in self._their_groups() for p in group.processes.values()]

    def _named(self, name: str) -> list[Process]:
        group, process = self._find(name)
        if not caller().covers(group.name):
            raise Fault.bad_name(name)
        return members(group) if process is None else [process]


def _group_view(group: Group) -> GroupView:
    ids = [display_name(process) for process in members(group)]
    return {"name": group.name, "priority": group.priority, "processes": ids}


_ROLES: dict[Role, Literal["view", "operate", "admin"]] = {
    Role.VIEW: "view",
    Role.OPERATE: "operate",
    Role.ADMIN: "admin",
}


def _mood(supervisor: Supervisor) -> Literal["RUNNING", "RESTARTING", "SHUTDOWN"]:
    name = supervisor.mood.name
    assert name in ("RUNNING", "RESTARTING", "SHUTDOWN")
    return name  # type: ignore[return-value]
