"""The daemon: it makes all parts, hands each what it needs, and begins and ends them in order.

Order at the start (compat config.md, section 12): the loop and the host, the main log, the
plug-ins, the servers, the groups, the pidfile, signals; then programs start.  Whatever fails before
the pidfile is written ends the start with status 2 and touches nothing of a daemon that runs
already.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Set
from typing import TYPE_CHECKING

from proctor.api.room import CurrentConfiguration, ServiceContext
from proctor.api.service import Service
from proctor.config.load import Configuration
from proctor.core.settings import DaemonSettings
from proctor.core.upgrades import UpgradeNews
from proctor.core.version import VERSION
from proctor.daemon.activity_log import Level
from proctor.daemon.signals import SignalDesk
from proctor.duties.manager import ServiceManager
from proctor.duties.pools.pools import Pools
from proctor.duties.ticks import Ticks
from proctor.duties.usage import UsageDesk
from proctor.posix import autolog, pidfile, sockets
from proctor.posix.keeper_host import KeeperHost
from proctor.posix.loop_host import Holdings
from proctor.posix.usage import measure
from proctor.runtime.beginnings import Beginnings, Outcome
from proctor.runtime.departure import Departure
from proctor.runtime.faces import Faces
from proctor.runtime.heart import heart_of
from proctor.runtime.orders import SignalOrders
from proctor.runtime.traces import Traces, write_pidfile
from proctor.runtime.upgrading import Upgrading
from proctor.survival.orphans import Found
from proctor.survival.undelivered import undelivered
from proctor.web.third_party import PluginError

if TYPE_CHECKING:
    from proctor.posix.local_host import LocalHost

CANNOT_BEGIN = (sockets.CannotListen, PluginError, OSError)


class Daemon:
    """Everything that lives as long as the daemon does.

    After `live`: `legacy` is left to the next daemon in this process, and `holds_children` tells
    whether the keeper held some when this one began.  If it did not come up at the very first
    start, and nothing was started, it `fails_for_good`: another try would end in the same way.
    """

    def __init__(
        self,
        beginnings: Beginnings,
        loop: asyncio.AbstractEventLoop,
        loop_fd: int | None,
        host: KeeperHost | LocalHost,
    ) -> None:
        self._begin = beginnings
        self._loop = loop
        self._host = host
        self._current = CurrentConfiguration(beginnings.configuration)
        self._settings = beginnings.configuration.daemon
        self._heart = heart = heart_of(beginnings, loop, loop_fd, host)
        self.supervisor = supervisor = heart.supervisor
        self._faces = Faces(self._current, heart.shelf, heart.log)
        self._traces = Traces(host, heart, beginnings)
        self._ticks = Ticks(host, supervisor.bus)
        self._manager = ServiceManager(beginnings.notifier, supervisor, beginnings.pid)
        self._usage = UsageDesk(supervisor, measure)
        self._pools = Pools(supervisor, self._faces.result_handler, self._traces.undelivered)
        self._departure = Departure(supervisor, beginnings.configuration)
        self.upgrading = Upgrading(
            host,
            supervisor,
            beginnings,
            finish=self._faces.finish,
            stand_aside=self._stand_aside,
        )
        self._service = Service(supervisor, self._context())
        orders = SignalOrders(
            supervisor, self._service, self._departure, self._manager, heart.main_log
        )
        self._signals = SignalDesk(heart.log, orders)
        self.legacy = ""
        self.holds_children = False
        self.fails_for_good = False
        # Whether another daemon under the same keeper goes on although this one fails.
        self._goes_on = False

    @property
    def configuration(self) -> Configuration:
        """As it was read last."""
        return self._current.value

    def _context(self) -> ServiceContext:
        return ServiceContext(
            version=VERSION,
            who=lambda: self.supervisor.pid,
            main_log=self._settings.logfile,
            clear_main_log=self._heart.main_log.clear,
            configuration=self._current,
            reread=self._reread,
            shutdown=self._departure.exit,
            restart=self._departure.restart_with,
            begun=self._begin.configuration,
            use_settings=self._use_settings,
            journal=self._traces.journal,
            upgrade=self._upgrade,
            upgrade_told=self.upgrading.told,
            pools=self._pools.pools,
        )

    # Life

    async def live(self) -> Outcome:
        """From the first line in the log to the last.

        Raises one of CANNOT_BEGIN when it cannot begin.
        """
        self._heart.drain.start()
        self._signals.install(self._loop)
        try:
            await self._begin_everything()
            await self._departure.over.wait()
            if self._departure.outcome is not Outcome.EXIT:
                await self._signals.hold()
                await self._departure.over.wait()
            self._end_work()
        except CANNOT_BEGIN as error:
            # Said on stderr too; but who was started by a keeper has nobody there.
            for text in (error, *getattr(error, "__notes__", ())):
                self._heart.log.critical(f"cannot begin: {text}")
            self._goes_on = self.holds_children
            raise
        finally:
            stays = self._goes_on or self._departure.outcome is not Outcome.EXIT
            self._faces.close(leave=self._heart.shelf.outlives_us and stays)
            self._heart.stop()
        return self._departure.outcome

    async def _begin_everything(self) -> None:
        holdings = await self._host.hello()
        if isinstance(self._host, KeeperHost):
            self.supervisor.pid = self._host.keeper_pid
        self.holds_children = bool(holdings.children)
        self.fails_for_good = holdings == Holdings()
        self._heart.shelf.receive(holdings.descriptors)
        self._heart.begin_to_log(self._begin.notes)
        self._faces.open(self._service)
        await self._begin_work(holdings)

    async def _begin_work(self, holdings: Holdings) -> None:
        found = await self._traces.find(holdings)
        self._clean_logs(found)
        self._pools.inherit(self._begin.legacy or undelivered(self._heart.shelf))
        for group in self._current.value.groups:
            self.supervisor.add_group(group)
        self._traces.undelivered.begin()
        await self._faces.start()
        self._say_that_we_run()
        self.fails_for_good = False
        resting = self._traces.go_on(found)
        self._signals.begin()
        self._start_programs(resting)
        self._manager.ready()
        if holdings.predecessor is not None:
            self.upgrading.inherit(holdings.predecessor, self._current.value.servers)
        # What is there now stays.  To look at all of it again and again for what is garbage would
        # take 40 ms of a daemon with 1,000 programs each time.
        gc.collect()
        gc.freeze()

    def _clean_logs(self, found: Found) -> None:
        settings = self._settings
        if not settings.nocleanup and not (found.holdings.children or found.records):
            autolog.clean(
                settings.childlogdir, settings.identifier, self._heart.log.warn, self.supervisor.pid
            )

    def _say_that_we_run(self) -> None:
        self._heart.say(self._begin.background)
        write_pidfile(self._settings, self.supervisor.pid, self._heart.log)
        self._heart.log.info(f"supervisord started with pid {self.supervisor.pid}")
        self.supervisor.announce_running()
        self._begin.ready()

    def _start_programs(self, resting: Set[str]) -> None:
        if resting:
            self.supervisor.autostart_only(
                each for each in self.supervisor.all_processes() if each.key not in resting
            )
        else:
            self.supervisor.autostart()

    def _end_work(self) -> None:
        self._manager.close()
        if self._departure.outcome is Outcome.ASIDE:
            self._leave_everything()
            return
        self.legacy = self._pools.close()
        self._traces.end()
        self._ticks.close()
        self._usage.close()
        self._service.close()
        pidfile.remove(self._settings.pidfile, self.supervisor.pid)

    def _leave_everything(self) -> None:
        """As if we had been killed, but for our own descriptors: we may have to begin again."""
        self.supervisor.stand_still()
        self._traces.leave()
        self._ticks.close()
        self._service.close()
        for process in self.supervisor.all_processes():
            process.let_go()

    # What the api asks for

    def _use_settings(self, settings: DaemonSettings) -> None:
        self.supervisor.settings = settings
        self._heart.log.level = Level.named(settings.loglevel)
        self._heart.main_log.use(settings)

    def _reread(self) -> Configuration:
        new = self._begin.reread(self._current.value)
        self._faces.renew_certificates(new)
        return new

    async def _upgrade(self) -> UpgradeNews:
        return await self.upgrading.begin(self._traces.memory)

    def _stand_aside(self) -> None:
        self._manager.reloading("Handing over to another version")
        self._departure.stand_aside()
