"""An upgrade from both sides: the daemon that makes room, and the one that comes in its place.

The one that goes answers the requests under way, also the one that asked for the upgrade, before it
stands aside.  The one that comes asks itself whether it answers, and tells the keeper, which until
then may bring back the one before it.  survival/upgrade.py has the rules.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from proctor.core.faults import Fault, FaultCode
from proctor.core.settings import ServerSettings
from proctor.core.states import SupervisorState
from proctor.core.upgrades import UpgradeNews
from proctor.daemon.supervisor import Supervisor
from proctor.posix.keeper_host import KeeperHost
from proctor.posix.keeper_launch import keeper_program
from proctor.runtime.beginnings import Beginnings
from proctor.survival.health import wait_until_answered
from proctor.survival.memory import Memory
from proctor.survival.upgrade import Upgrade, renew_keeper

if TYPE_CHECKING:
    from proctor.posix.local_host import LocalHost

# Seconds in which requests under way should be answered before another daemon goes on.
_FOR_REQUESTS = 5.0

NO_KEEPER = (
    "there is no keeper that could hold the programs meanwhile (keeper=false, or it was killed):"
    " stop supervisord and start it instead"
)


class Upgrading:
    """`finish(seconds)` lets requests under way be answered; `stand_aside` ends this daemon."""

    def __init__(
        self,
        host: KeeperHost | LocalHost,
        supervisor: Supervisor,
        beginnings: Beginnings,
        *,
        finish: Callable[[float], Awaitable[None]],
        stand_aside: Callable[[], None],
    ) -> None:
        self._host = host
        self._supervisor = supervisor
        self._finish = finish
        self._stand_aside = stand_aside
        self._upgrade = Upgrade(beginnings.trial, supervisor.log, self._hand_over, beginnings.news)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def news(self) -> UpgradeNews | None:
        """What is known of the last one."""
        return self._upgrade.news

    def told(self, ticket: str) -> UpgradeNews:
        """How the upgrade of this ticket went."""
        return self._upgrade.told(ticket)

    async def begin(self, memory: Memory | None) -> UpgradeNews:
        """Make room for the version that is installed, if it can go on with this memory.

        Raises Fault FAILED where nothing comes of it.
        """
        self._need_keeper()
        if memory is None:
            raise Fault(FaultCode.FAILED, NO_KEEPER)
        return await self._upgrade.begin(memory.copy)

    def _need_keeper(self) -> None:
        if not isinstance(self._host, KeeperHost) or self._host.lost:
            raise Fault(FaultCode.FAILED, NO_KEEPER)

    def inherit(self, predecessor: str, servers: Sequence[ServerSettings]) -> None:
        """This daemon is the new one, and the one before it left this text: prove that these
        answer."""
        self._upgrade.inherits(predecessor)
        self._keep(self._prove_health(servers))

    async def _prove_health(self, servers: Sequence[ServerSettings]) -> None:
        """Until the keeper hears of it, it may bring back the one before us."""
        assert isinstance(self._host, KeeperHost), "only a keeper tells of predecessors"
        try:
            await wait_until_answered(servers)
        except OSError as error:
            self._supervisor.log.critical(f"nobody can talk to this daemon: {error}")
        else:
            self._host.healthy()
            self._upgrade.succeeded()
            ask = partial(self._host.reexec_keeper, keeper_program())
            await renew_keeper(ask, self._supervisor.log)

    def _hand_over(self) -> None:
        # The trial took a second or a minute: the keeper may have been killed meanwhile.
        self._need_keeper()
        self._keep(self._leave())

    async def _leave(self) -> None:
        await self._finish(_FOR_REQUESTS)
        if self._supervisor.mood is SupervisorState.RUNNING:
            self._stand_aside()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        """A task that nobody holds may vanish before it is done."""
        self._tasks.append(asyncio.get_running_loop().create_task(work))
