"""What outlives the daemon: its memory, the journal, the register, the events of listeners.

What an earlier daemon left is found before the groups are made, and gone on with when they are.
An orderly end leaves nothing but the journal; whoever stands aside leaves everything, as if it had
been killed.  Another keeper is handed all that the old one held.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from proctor.core.settings import DaemonSettings
from proctor.daemon.activity_log import ActivityLog
from proctor.posix import pidfile
from proctor.posix.keeper_host import KeeperHost
from proctor.posix.loop_host import ChildSink, HeldChild, Holdings
from proctor.runtime.beginnings import Beginnings
from proctor.runtime.heart import Heart
from proctor.survival.journal import journal_of
from proctor.survival.keeper_loss import KeeperLoss
from proctor.survival.memory import Memory, remembered
from proctor.survival.orphans import Found, alive, settle, twins
from proctor.survival.recover import kept_logs, recover, running_on
from proctor.survival.register import Register
from proctor.survival.snapshot import Record
from proctor.survival.undelivered import Undelivered

if TYPE_CHECKING:
    from proctor.posix.local_host import LocalHost


class Traces:
    """`find`, then `go_on`; in the end `end` or `leave`.  `memory` is there from `go_on` on, under
    a keeper."""

    def __init__(self, host: KeeperHost | LocalHost, heart: Heart, beginnings: Beginnings) -> None:
        settings = beginnings.configuration.daemon
        self._host = host
        self._heart = heart
        self._begin = beginnings
        self.memory: Memory | None = None
        self.journal = journal_of(settings, heart.supervisor, heart.post, heart.log)
        self.undelivered = Undelivered(heart.shelf)
        self._keeper_loss: KeeperLoss | None = None
        # The pids of living children that have no owner yet; None before `go_on`.  Another keeper
        # can be told of everybody only when there is none.
        self._ownerless: set[int] | None = None
        self._register = Register(
            f"{settings.pidfile}.state",
            heart.supervisor,
            heart.drain,
            heart.shelf,
            marks=host.marks_of,
        )
        host.on_keeper_lost = self._keeper_lost

    async def find(self, holdings: Holdings) -> Found:
        """What goes on: what the keeper holds and, where that is wished, what outlived its keeper.

        From now on the log files of these are kept.
        """
        found = await self._look_for_orphans(holdings, remembered(holdings.descriptors))
        self._heart.supervisor.keep_logs(kept_logs(found.holdings, found.records))
        self._heart.supervisor.keep_twins(twins(found.left))
        return found

    async def _look_for_orphans(self, holdings: Holdings, records: Mapping[str, Record]) -> Found:
        written: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()
        self._register.open(written.set_result)
        orphans = alive(await written, {child.pid for child in holdings.children})
        wish = self._begin.configuration.daemon.on_orphan
        found = settle(orphans, holdings, records, wish, self._heart.log)
        for child in found.holdings.children[len(holdings.children) :]:
            self._host.adopt(child)
        return found

    def go_on(self, found: Found) -> set[str]:
        """The groups are there: go on with everything, and write down what becomes of it.

        Answers with the keys of the processes that are not to be started now.
        """
        shelf, supervisor, host = self._heart.shelf, self._heart.supervisor, self._host
        for name in shelf.left("fastcgi "):
            shelf.discard(name)
        journal, children = self.journal, found.holdings.children
        self._begin_journal(found)
        self._ownerless = {child.pid for child in children if child.status is None}
        resting = recover(
            found.holdings,
            supervisor,
            host,
            self._attach,
            self._heart.log,
            records=found.records,
            missed=(lambda _child, _end: None) if journal is None else journal.missed,
        )
        if journal is not None:
            for process in running_on(found.records, supervisor):
                journal.took_over(process)
        if isinstance(host, KeeperHost):
            self.memory = Memory(supervisor, host)
            self.memory.begin()
        self._register.begin(found.left)
        self._look_for_keeper()
        return resting | {orphan.key for orphan in found.left}

    def _begin_journal(self, found: Found) -> None:
        if self.journal is not None:
            left = {(orphan.key, orphan.pid) for orphan in found.left}
            children = {(child.key, child.pid) for child in found.holdings.children}
            self.journal.begin(children | left)

    def end(self) -> None:
        """There will be nothing to go on with."""
        self.undelivered.end()
        if self._keeper_loss is not None:
            self._keeper_loss.close()
        if self.memory is not None:
            self.memory.end()
        if self.journal is not None:
            self.journal.end()
        self._register.end()

    def leave(self) -> None:
        """To the daemon that comes next, all but our own descriptors: we may have to begin again.

        The events of listeners stay where they are.
        """
        if self.memory is not None:
            self.memory.end(leave=True)
        self._register.end(leave=True)
        if self.journal is not None:
            self.journal.end()

    def _attach(self, child: HeldChild, sink: ChildSink) -> None:
        self._host.attach(child, sink)
        if self._ownerless:
            self._ownerless.discard(child.pid)
            self._look_for_keeper()

    def _look_for_keeper(self) -> None:
        """It may have been lost before everybody had an owner."""
        if isinstance(self._host, KeeperHost) and self._host.lost:
            self._keeper_lost()

    def _keeper_lost(self) -> None:
        if self._ownerless is None or self._ownerless:
            return
        if self._keeper_loss is None:
            host, begin = self._host, self._begin
            assert isinstance(host, KeeperHost)
            self._keeper_loss = KeeperLoss(
                host, self._heart.supervisor, begin.command, begin.open_files, moved=self._moved
            )
        self._keeper_loss.heard()

    def _moved(self, pid: int) -> None:
        """There is another keeper: users know it by this pid, and it is to hold what the old one
        did.  Or there is none for now, and the pid is ours.
        """
        self._heart.supervisor.pid = pid
        self._heart.shelf.refill()
        if self.memory is not None:
            self.memory.hold()
        write_pidfile(self._begin.configuration.daemon, pid, self._heart.log)


def write_pidfile(settings: DaemonSettings, pid: int, log: ActivityLog) -> None:
    """What goes wrong is said, and nothing else comes of it."""
    path = settings.pidfile
    twin = pidfile.living_supervisor(path)
    if twin is not None and twin != pid:
        log.warn(f"the pid {twin} in {path} is that of a living supervisor")
    try:
        pidfile.write(path, pid)
    except OSError as error:
        log.critical(f"could not write pidfile {path}")
        log.debug(f"{path}: {error.strerror}")
