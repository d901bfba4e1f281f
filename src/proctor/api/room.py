"""What all rooms of the api share: the daemon they ask, and how names become processes.

Rules:
1. While the daemon stops or restarts, every verb but `send_remote_comm_event` is refused with
   SHUTDOWN_STATE, `get_state` too (compat xmlrpc.md, section 3; gotcha G72).
2. A Fault about a process names it as the caller did; in results of groups it is `group:process`.
3. Files are read by one worker thread, never on the loop: a disk may hang, the daemon may not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from proctor.api.access import caller
from proctor.config.load import Configuration
from proctor.core import order
from proctor.core.faults import Fault, FaultCode
from proctor.core.logins import open_to_network
from proctor.core.names import make_namespec, split_namespec
from proctor.core.settings import DaemonSettings
from proctor.core.states import SupervisorState
from proctor.core.upgrades import UpgradeNews
from proctor.core.values import dataclass
from proctor.daemon.group import Group
from proctor.daemon.process import Process
from proctor.daemon.signals import hear_nothing
from proctor.daemon.supervisor import Supervisor
from proctor.duties.pools.pool import Pool
from proctor.survival.journal import Journal

T = TypeVar("T")


@dataclass(slots=True)
class CurrentConfiguration:
    """The configuration as last read; replaced whole by a successful re-read."""

    value: Configuration


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """What the api needs beside the Supervisor.

    `version` is what clients are told ("4.3.0"); `who` tells the pid that users see; `main_log`
    None means syslog.  `clear_main_log` empties the main log and calls back with how that went.
    `reread` reads the configuration anew without applying it (raises ConfigError; called in the
    worker thread).  `shutdown` and `restart` begin at once and return at once; `restart` is given
    what was read and raises Fault CANT_REREAD when that cannot be carried out.  `begun` is what the
    daemon began with; `use_settings` puts settings in force that can change in a running daemon.
    `upgrade` raises Fault FAILED where nothing came of it; `upgrade_told` says how one went.
    `pools` are those of event listeners, by group.  `journal` None: none is kept.
    """

    version: str
    who: Callable[[], int]
    main_log: str | None
    clear_main_log: Callable[[Callable[[OSError | None], None]], None]
    configuration: CurrentConfiguration
    reread: Callable[[], Configuration]
    shutdown: Callable[[], None]
    restart: Callable[[Configuration], None]
    begun: Configuration
    use_settings: Callable[[DaemonSettings], None]
    upgrade: Callable[[], Awaitable[UpgradeNews]]
    upgrade_told: Callable[[str], UpgradeNews]
    pools: Callable[[], Mapping[str, Pool]] = dict
    journal: Journal | None = None

    @property
    def pid(self) -> int:
        """The one that users see."""
        return self.who()


class Room:
    """The part of the api that is the same everywhere."""

    def __init__(self, supervisor: Supervisor, context: ServiceContext) -> None:
        self.supervisor = supervisor
        self.context = context
        # Threads start when they are first needed.
        self._worker = ThreadPoolExecutor(1, "api", hear_nothing)

    def close(self) -> None:
        """Let the worker thread go; answers under way are dropped."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _require_running(self) -> None:
        if self.supervisor.mood is not SupervisorState.RUNNING:
            raise Fault(FaultCode.SHUTDOWN_STATE)

    def _warnings(self) -> list[str]:
        """Servers that others can reach and that ask for no login; those that we began with."""
        logins = self.context.configuration.value.logins
        return [
            f"[{server.section}] is open to the network without a login"
            for server in self.context.begun.servers
            if open_to_network(server, logins)
        ]

    async def _in_worker(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, function, *arguments)

    def _group(self, name: str) -> Group:
        group = self.supervisor.groups.get(name)
        if group is None:
            raise Fault.bad_name(name)
        return group

    def _find(self, name: str) -> tuple[Group, Process | None]:
        """The group and the process of a name; no process for `group:*`.  Raises BAD_NAME."""
        group_name, process_name = split_namespec(name)
        group = self.supervisor.groups.get(group_name)
        if group is None:
            raise Fault.bad_name(name)
        if process_name is None:
            return group, None
        process = group.processes.get(process_name)
        if process is None:
            raise Fault.bad_name(name)
        return group, process

    def _one(self, name: str) -> Process:
        """The process of a name.  Raises BAD_NAME, also for `group:*`."""
        process = self._find(name)[1]
        if process is None:
            raise Fault.bad_name(name)
        return process

    def _everything(self) -> list[Process]:
        """The caller's processes by (group priority, process priority); equals as created."""
        groups = order.ascending(self._their_groups())
        return [process for group in groups for process in members(group)]

    def _their_groups(self) -> Iterable[Group]:
        """All groups but those that are none of the caller's business."""
        who, groups = caller(), self.supervisor.groups.values()
        return [group for group in groups if who.covers(group.name)] if who.confined else groups


def members(group: Group) -> list[Process]:
    """The processes of a group by priority; equals in the order in which they were created."""
    return order.ascending(group.processes.values())


def display_name(process: Process) -> str:
    """How a process is called in results of groups."""
    return make_namespec(process.group_name, process.name)
