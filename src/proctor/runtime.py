"""The daemon's life: every part is made, joined to the others, run, and taken down again.

Order at the start (compat config.md, section 12): the loop and the host, the main log, the
plug-ins, the servers, the groups, signals, the pidfile; then programs start.  Whatever fails before
the pidfile is written ends the start with status 2 and touches nothing of a daemon that runs
already.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import socket
import sys
import traceback
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

from proctor.api.room import CurrentConfiguration, ServiceContext
from proctor.api.service import Service
from proctor.config.load import Configuration
from proctor.config.options.special import MAIN_RPCINTERFACE
from proctor.core.exits import ExitStatus
from proctor.core.faults import Fault, FaultCode
from proctor.core.logins import Logins, asks_for_login
from proctor.core.settings import DaemonSettings, ServerSettings, server_url
from proctor.core.states import SupervisorState
from proctor.core.upgrades import Stage, UpgradeNews
from proctor.core.version import VERSION
from proctor.daemon.activity_log import ActivityLog, Level
from proctor.daemon.bus import EventBus
from proctor.daemon.main_log import MainLog
from proctor.daemon.shelf import Shelf
from proctor.daemon.signals import SignalDesk
from proctor.daemon.supervisor import Supervisor
from proctor.duties.manager import ServiceManager
from proctor.duties.pools.judge import Handler
from proctor.duties.pools.pools import Pools
from proctor.duties.ticks import Ticks
from proctor.duties.usage import UsageDesk
from proctor.posix import autolog, pidfile, sockets
from proctor.posix.conversation import Talks
from proctor.posix.drain import Drain
from proctor.posix.keeper_host import KeeperHost
from proctor.posix.keeper_launch import keeper_program
from proctor.posix.linux import give_back_memory
from proctor.posix.loop_host import Holdings
from proctor.posix.notify import Notifier
from proctor.posix.rlimits import limit_descriptors, open_all_descriptors
from proctor.posix.usage import measure
from proctor.survival.health import wait_until_answered
from proctor.survival.journal import journal_of
from proctor.survival.keeper_loss import KeeperLoss
from proctor.survival.memory import Memory, remembered
from proctor.survival.orphans import Found, alive, settle
from proctor.survival.recover import kept_logs, recover
from proctor.survival.register import Register
from proctor.survival.servers import forget_servers, open_servers
from proctor.survival.snapshot import Record
from proctor.survival.undelivered import Undelivered, undelivered
from proctor.survival.upgrade import Upgrade, renew_keeper
from proctor.web.app import App
from proctor.web.server import HttpServers
from proctor.web.third_party import PluginError, installed_facade, load, resolve

# Seconds in which requests under way should be answered before another daemon goes on.
_FOR_REQUESTS = 5.0

NO_KEEPER = (
    "there is no keeper that could hold the programs meanwhile (keeper=false, or it was killed):"
    " stop supervisord and start it instead"
)

if TYPE_CHECKING:
    from proctor.posix.local_host import LocalHost

CANNOT_BEGIN = (sockets.CannotListen, PluginError, OSError)

Notes = Sequence[tuple[str, str]]


class Outcome(Enum):
    """How a daemon's life ended."""

    EXIT = "exit"
    RESTART = "restart"
    ASIDE = "stands aside for its successor"


@dataclass(frozen=True, slots=True)
class Beginnings:
    """What was settled before the daemon began to live.

    `pid` is the one that users see; `reread` reads the configuration anew (raises ConfigError);
    `notes` are lines for the log, by level name and text; `background` those about going there,
    which come later; `ready` is called when everything is up; `legacy` is what the daemon that ran
    before in this process left (see Ending).  `trial` is the command that tries out what is
    installed now; `notifier` tells the service manager above us; `news` are of an upgrade that
    failed, so that this daemon begins again.  `command` starts a daemon again; `open_files` are the
    limits of children.
    """

    configuration: Configuration
    pid: int
    reread: Callable[[Configuration], Configuration]
    notes: Notes
    background: Notes
    ready: Callable[[], None]
    legacy: str = ""
    trial: Sequence[str] = ()
    notifier: Notifier = field(default_factory=lambda: Notifier({}, 0))
    news: UpgradeNews | None = None
    command: Sequence[str] = ()
    open_files: tuple[int, int] = (0, 0)

    def returning(self, ending: Ending, reason: str) -> Beginnings:
        """The same once more, after a successor that came to nothing."""
        assert ending.news is not None
        assert ending.configuration is not None
        news = replace(ending.news, stage=Stage.FAILED, reason=reason)
        text = f"the upgrade to Proctor {news.new} has failed, this is {news.old} again: {reason}"
        notes = (("error", text),)
        return replace(
            self,
            configuration=ending.configuration,
            notes=notes,
            background=(),
            ready=lambda: None,
            legacy="",
            news=news,
        )


@dataclass(frozen=True, slots=True)
class Ending:
    """How a daemon's life ended: with this exit status, or, for RESTART, with the socket of a
    keeper to go on with and what is left to the next daemon; for ASIDE, with the socket on which to
    wait for the keeper's word, what is known of the upgrade, and the configuration in force."""

    outcome: Outcome
    status: int = 0
    keeper: socket.socket | None = None
    legacy: str = ""
    news: UpgradeNews | None = None
    configuration: Configuration | None = None


class Daemon:
    """Everything that lives as long as the daemon does.  Also the Orders of its signals."""

    def __init__(
        self,
        beginnings: Beginnings,
        loop: asyncio.AbstractEventLoop,
        loop_fd: int | None,
        host: KeeperHost | LocalHost,
    ) -> None:
        self._begin = beginnings
        self._loop = loop
        loop.set_exception_handler(self._unexpected)
        self._host = host
        host.on_unknown_reaped = self._reaped_unknown
        host.on_complaint = self._complain
        host.on_keeper_lost = self._keeper_lost
        self._current = CurrentConfiguration(beginnings.configuration)
        settings = beginnings.configuration.daemon
        self._settings = settings
        self.log = ActivityLog(Level.named(settings.loglevel))
        self._drain = Drain(self._post, self.log.error, self.log.warn)
        self._main_log = MainLog(settings, self._drain, self.log)
        talks = Talks(loop, loop_fd, self._drain.watch, self.log.warn)
        bus = EventBus(self.log.critical)
        url = server_url(beginnings.configuration.servers)
        self._shelf = Shelf(host if isinstance(host, KeeperHost) else None)
        self.supervisor = Supervisor(
            host,
            self._drain,
            self.log,
            bus,
            settings,
            server_url=url,
            pid=beginnings.pid,
            dialogue=talks,
            shelf=self._shelf,
        )
        self._ticks = Ticks(host, bus)
        self._manager = ServiceManager(beginnings.notifier, self.supervisor, beginnings.pid)
        self._usage = UsageDesk(self.supervisor, measure)
        self._undelivered = Undelivered(self._shelf)
        self._pools = Pools(self.supervisor, self._result_handler, self._undelivered)
        self.legacy = ""
        self._memory: Memory | None = None
        self._journal = journal_of(settings, self.supervisor, self._post, self.log)
        self.upgrading = Upgrade(beginnings.trial, self.log, self._hand_over, beginnings.news)
        self._keeper_loss: KeeperLoss | None = None
        self._register = Register(
            f"{settings.pidfile}.state",
            self.supervisor,
            self._drain,
            self._shelf,
            marks=host.marks_of,
        )
        self._service = Service(self.supervisor, self._context())
        self._servers: HttpServers | None = None
        self._signals = SignalDesk(self.log, self)
        self.holds_children = False
        # Whether another daemon under the same keeper goes on although this one fails.
        self._goes_on = False
        self._outcome = Outcome.EXIT
        self._attempts: dict[str, asyncio.Task[None]] = {}
        self._over = asyncio.Event()

    @property
    def configuration(self) -> Configuration:
        """As it was read last."""
        return self._current.value

    def _context(self) -> ServiceContext:
        return ServiceContext(
            version=VERSION,
            who=lambda: self.supervisor.pid,
            main_log=self._settings.logfile,
            clear_main_log=self._main_log.clear,
            configuration=self._current,
            reread=self._reread,
            shutdown=self.exit,
            restart=self._restart_with,
            begun=self._begin.configuration,
            use_settings=self._use_settings,
            journal=self._journal,
            upgrade=self._begin_upgrade,
            upgrade_told=self.upgrading.told,
            pools=self._pools.pools,
        )

    # Life

    async def live(self) -> Outcome:
        """From the first line in the log to the last.

        Raises one of CANNOT_BEGIN when it cannot begin.
        """
        self._drain.start()
        self._signals.install(self._loop)
        try:
            holdings = await self._host.hello()
            if isinstance(self._host, KeeperHost):
                self.supervisor.pid = self._host.keeper_pid
            self.holds_children = bool(holdings.children)
            self._shelf.receive(holdings.descriptors)
            self._main_log.open()
            self._say(sorted(self._begin.notes, key=lambda note: -Level.named(note[0])))
            self._open_servers()
            await self._begin_work(holdings)
            await self._over.wait()
            if self._outcome is not Outcome.EXIT:
                await self._signals.hold()
            self._end_work()
        except CANNOT_BEGIN as error:
            # Said on stderr too; but who was started by a keeper has nobody there.
            self.log.critical(f"cannot begin: {error}")
            self._goes_on = self.holds_children
            raise
        finally:
            self._close_servers()
            if self._drain.stop():
                self._main_log.close()
        return self._outcome

    def _say(self, notes: Notes) -> None:
        for level, text in notes:
            self.log.log(Level.named(level), text)

    def _open_servers(self) -> None:
        configuration = self._current.value
        interfaces = load(
            configuration.rpcinterfaces, resolve, lambda: self._facade(configuration), self.log
        )
        app = App(self._service, interfaces, self.log, self._current_logins)
        self._servers = HttpServers(app, self.log)
        servers = sorted(configuration.servers, key=lambda each: each.file is not None)
        for server in open_servers(servers, self._shelf, lambda text: print(text, file=sys.stderr)):
            asks = asks_for_login(server[0], configuration.logins)
            self._servers.add(*server, asks)

    def _close_servers(self) -> None:
        """Who connects is not refused as long as there is a keeper that lets another daemon serve
        it.
        """
        if self._servers is None:
            return
        leave = self._shelf.outlives_us and (self._goes_on or self._outcome is not Outcome.EXIT)
        if not leave:
            forget_servers(self._current.value.servers, self._shelf)
        self._servers.close(leave)

    def _current_logins(self) -> Logins:
        return self._current.value.logins

    def _facade(self, configuration: Configuration) -> object:
        make = installed_facade()
        if make is None:
            names = [p.name for p in configuration.rpcinterfaces if p.factory != MAIN_RPCINTERFACE]
            raise PluginError(
                f"Could not make {', '.join(names)} rpc interface: plug-ins need the package"
                " named supervisor that comes with Proctor (compat/)"
            )
        return make(self._service)

    def _result_handler(self, spec: str) -> Handler:
        """A plug-in's handler gets events as plug-ins know them, where somebody can make these."""
        handler, make = resolve(spec), installed_facade()
        return handler if make is None else make(self._service).result_handler(handler)

    async def _begin_work(self, holdings: Holdings) -> None:
        settings = self._settings
        records: Mapping[str, Record] = remembered(holdings.descriptors)
        found = await self._look_for_orphans(holdings, records)
        holdings, records = found.holdings, found.records
        self.supervisor.keep_logs(kept_logs(holdings, records))
        if not settings.nocleanup and not (holdings.children or records):
            autolog.clean(
                settings.childlogdir, settings.identifier, self.log.warn, self.supervisor.pid
            )
        self._pools.inherit(self._begin.legacy or undelivered(self._shelf))
        for group in self._current.value.groups:
            self.supervisor.add_group(group)
        self._undelivered.begin()
        assert self._servers is not None
        await self._servers.start()
        self._say(self._begin.background)
        self._write_pidfile(self.supervisor.pid)
        self.log.info(f"supervisord started with pid {self.supervisor.pid}")
        self.supervisor.announce_running()
        self._begin.ready()
        for name in self._shelf.left("fastcgi "):
            self._shelf.discard(name)
        host = self._host
        if self._journal is not None:
            left = {(each.key, each.pid) for each in found.left}
            self._journal.begin({(each.key, each.pid) for each in holdings.children} | left)
        missed = self._journal.missed if self._journal is not None else lambda _child, _end: None
        resting = recover(
            holdings,
            self.supervisor,
            host,
            host.attach,
            self.log,
            records=records,
            missed=missed,
        )
        if isinstance(host, KeeperHost):
            self._memory = Memory(self.supervisor, host)
            self._memory.begin()
        self._register.begin(found.left)
        resting |= {orphan.key for orphan in found.left}
        self._signals.begin()
        if resting:
            self.supervisor.autostart_only(
                each for each in self.supervisor.all_processes() if each.key not in resting
            )
        else:
            self.supervisor.autostart()
        self._manager.ready()
        if holdings.predecessor is not None:
            self.upgrading.inherits(holdings.predecessor)
            self._attempts["health"] = self._loop.create_task(self._prove_health())
        give_back_memory()

    async def _prove_health(self) -> None:
        """Until the keeper hears of it, it may bring back the one before us."""
        assert isinstance(self._host, KeeperHost), "only a keeper tells of predecessors"
        try:
            await wait_until_answered(self._current.value.servers)
        except OSError as error:
            self.log.critical(f"nobody can talk to this daemon: {error}")
        else:
            self._host.healthy()
            self.upgrading.succeeded()
            await renew_keeper(partial(self._host.reexec_keeper, keeper_program()), self.log)

    async def _look_for_orphans(self, holdings: Holdings, records: Mapping[str, Record]) -> Found:
        """Programs that outlived their keeper are taken in, if there are any and they shall be."""
        written: asyncio.Future[list[bytes]] = self._loop.create_future()
        self._register.open(written.set_result)
        orphans = alive(await written, {child.pid for child in holdings.children})
        found = settle(orphans, holdings, records, self._settings.on_orphan, self.log)
        for child in found.holdings.children[len(holdings.children) :]:
            self._host.adopt(child)
        return found

    def _write_pidfile(self, pid: int) -> None:
        path = self._settings.pidfile
        twin = pidfile.living_supervisor(path)
        if twin is not None and twin != pid:
            self.log.warn(f"the pid {twin} in {path} is that of a living supervisor")
        try:
            pidfile.write(path, pid)
        except OSError as error:
            self.log.critical(f"could not write pidfile {path}")
            self.log.debug(f"{path}: {error.strerror}")

    def _end_work(self) -> None:
        self._manager.close()
        if self._outcome is Outcome.ASIDE:
            self._leave_everything()
            return
        self.legacy = self._pools.close()
        self._undelivered.end()
        if self._keeper_loss is not None:
            self._keeper_loss.close()
        if self._memory is not None:
            self._memory.end()
        if self._journal is not None:
            self._journal.end()
        self._register.end()
        self._ticks.close()
        self._usage.close()
        self._service.close()
        pidfile.remove(self._settings.pidfile, self.supervisor.pid)

    def _leave_everything(self) -> None:
        """As if we had been killed, but for our own descriptors: we may have to begin again."""
        self.supervisor.stand_still()
        if self._memory is not None:
            self._memory.end(leave=True)
        self._register.end(leave=True)
        if self._journal is not None:
            self._journal.end()
        self._ticks.close()
        self._service.close()
        for process in self.supervisor.all_processes():
            process.let_go()

    def _post(self, callback: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(callback)

    def _unexpected(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A bug in a callback: it costs that callback only, but nobody may overlook it."""
        error = context.get("exception")
        trace = "".join(traceback.format_exception(error)) if error else ""
        self.log.critical(f"uncaught python exception: {context['message']}: {trace}")

    # What the host says

    def _reaped_unknown(self, pid: int, status: ExitStatus) -> None:
        self.log.info(f"reaped unknown pid {pid} ({status})")

    def _complain(self, text: str) -> None:
        self.log.warn(text)

    def _keeper_lost(self) -> None:
        if self._keeper_loss is None:
            host, begin = self._host, self._begin
            assert isinstance(host, KeeperHost)
            self._keeper_loss = KeeperLoss(
                host, self.supervisor, begin.command, begin.open_files, moved=self._moved
            )
        self._keeper_loss.heard()

    def _moved(self, pid: int) -> None:
        """There is another keeper: users know it by this pid, and it is to hold what the old one
        did.
        """
        self.supervisor.pid = pid
        self._shelf.refill()
        if self._memory is not None:
            self._memory.hold()
        self._write_pidfile(pid)

    # Orders

    @property
    def shutting_down(self) -> bool:
        """Whether the end is under way."""
        return self.supervisor.mood is not SupervisorState.RUNNING

    def exit(self) -> None:
        """Stop everything and end."""
        self._outcome = Outcome.EXIT
        self.supervisor.shutdown(restarting=False, on_stopped=self._over.set)

    def restart(self) -> None:
        """Stop everything and start again, unless the configuration has mistakes (gotcha G9)."""
        self._attempt("restart", self._service.restart)

    @property
    def hup_applies(self) -> bool:
        """Whether SIGHUP asks for an apply."""
        return self.supervisor.settings.hup == "apply"

    def apply(self) -> None:
        """Change what differs in the configuration, unless it has mistakes."""
        self._attempt("apply", self._apply)

    async def _apply(self) -> None:
        """A service manager that sent the signal waits for the end of it."""
        self._manager.reloading("Applying the configuration")
        try:
            await self._service.apply()
        finally:
            if not self.shutting_down:
                self._manager.ready()

    def _attempt(self, what: str, verb: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Ask our own service, once at a time; a refusal goes to the log."""

        async def attempt() -> None:
            try:
                await verb()
            except Fault as fault:
                if not self.shutting_down:
                    self.log.error(f"cannot {what}, everything goes on as it was: {fault.detail}")

        if self._attempts.get(what) is None or self._attempts[what].done():
            self._attempts[what] = self._loop.create_task(attempt())

    def upgrade(self) -> None:
        """Make room for the version that is installed now."""
        self._attempt("upgrade", self._service.upgrade)

    async def _begin_upgrade(self) -> UpgradeNews:
        if not isinstance(self._host, KeeperHost) or self._host.lost or self._memory is None:
            raise Fault(FaultCode.FAILED, NO_KEEPER)
        return await self.upgrading.begin(self._memory.copy)

    def _hand_over(self) -> None:
        """Requests under way are answered first, also the one that asked for this."""
        self._attempts["hand over"] = self._loop.create_task(self._stand_aside())

    async def _stand_aside(self) -> None:
        if self._servers is not None:
            await self._servers.finish(_FOR_REQUESTS)
        if not self.shutting_down:
            self._manager.reloading("Handing over to another version")
            self._outcome = Outcome.ASIDE
            self._over.set()

    def _use_settings(self, settings: DaemonSettings) -> None:
        self.supervisor.settings = settings
        self.log.level = Level.named(settings.loglevel)
        self._main_log.use(settings)

    def _restart_with(self, configuration: Configuration) -> None:
        """Raises Fault CANT_REREAD for what could not be carried out in this process."""
        if configuration.daemon.uid not in (None, os.getuid()):
            text = "[supervisord] user cannot change in a restart: stop supervisord and start it"
            raise Fault(FaultCode.CANT_REREAD, text)
        if not os.access(sys.executable, os.X_OK):
            text = f"this user may not execute {sys.executable}: stop supervisord and start it"
            raise Fault(FaultCode.CANT_REREAD, text)
        ours = {_address(server) for server in self._begin.configuration.servers}
        for server in configuration.servers:
            if _address(server) not in ours:
                try:
                    sockets.check_free(server)
                except sockets.CannotListen as error:
                    raise Fault(FaultCode.CANT_REREAD, str(error)) from error
        self._outcome = Outcome.RESTART
        self.supervisor.shutdown(restarting=True, on_stopped=self._over.set)

    def reopen_logs(self) -> None:
        """Open the main log and the logs of all processes anew."""
        self._main_log.reopen()
        self.log.info("supervisord logreopen")
        self.supervisor.reopen_logs()

    def _reread(self) -> Configuration:
        new = self._begin.reread(self._current.value)
        if self._servers is not None:
            self._servers.renew_certificates(new.servers)
        return new


def _address(server: ServerSettings) -> tuple[str | None, str, int]:
    return server.file, server.host, server.port


def _local_host(loop: asyncio.AbstractEventLoop, open_files: tuple[int, int]) -> LocalHost:
    """With all that a keeper does otherwise, so loaded only where there is none."""
    from proctor.posix.local_host import LocalHost

    return LocalHost(loop, open_files)


def run(
    beginnings: Beginnings, keeper: socket.socket | None, refuse: Callable[[Exception], int]
) -> Ending:
    """Live; answers with how that ended.

    `refuse` tells the user why it could not begin and answers with the exit status for that.
    """
    selector = selectors.DefaultSelector()
    loop = asyncio.SelectorEventLoop(selector)
    asyncio.set_event_loop(loop)
    for_children = open_all_descriptors()
    host = _local_host(loop, for_children) if keeper is None else KeeperHost(loop, keeper)
    outcome, status = Outcome.EXIT, 0
    beginnings = replace(beginnings, open_files=for_children)
    daemon = Daemon(beginnings, loop, getattr(selector, "fileno", lambda: None)(), host)
    try:
        outcome = loop.run_until_complete(daemon.live())
    except CANNOT_BEGIN as error:
        status = refuse(error)
    if outcome is Outcome.EXIT and not (status and daemon.holds_children):
        host.bye(status)
        return Ending(outcome, status)
    limit_descriptors(for_children)
    if outcome is Outcome.ASIDE and isinstance(host, KeeperHost):
        news = daemon.upgrading.news
        assert news is not None, "nobody stands aside without a reason"
        word = host.stand_aside(news.to_text(), daemon.supervisor.settings.upgrade_timeout)
        close_loop(loop)
        return Ending(outcome, keeper=word, news=news, configuration=daemon.configuration)
    # A daemon that cannot begin leaves the programs of the one before it to the keeper, which tries
    # again; the next program in this process goes on with the same keeper.
    left = host.leave() if isinstance(host, KeeperHost) else None
    return Ending(outcome, status, left, daemon.legacy)


def close_loop(loop: asyncio.AbstractEventLoop) -> None:
    """End what is under way, and close what it has open."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=1.0))
    # Connections that were dropped are closed in the next round.
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
