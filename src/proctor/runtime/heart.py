"""The heart and what it needs first: the log, the drain thread, the shelf, the supervisor.

Here is also where it is heard what nobody asked for: a bug in a callback, a word of the host.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from proctor.core.exits import ExitStatus
from proctor.core.settings import server_url
from proctor.core.values import dataclass
from proctor.daemon.activity_log import ActivityLog, Level
from proctor.daemon.bus import EventBus
from proctor.daemon.main_log import MainLog
from proctor.daemon.shelf import Shelf
from proctor.daemon.supervisor import Supervisor
from proctor.posix.conversation import Talks
from proctor.posix.drain import Drain
from proctor.posix.keeper_host import KeeperHost
from proctor.runtime.beginnings import Beginnings, Notes

if TYPE_CHECKING:
    from proctor.posix.local_host import LocalHost


@dataclass(frozen=True, slots=True)
class Heart:
    """What all other parts build on.  `post` runs a callback on the loop, from any thread."""

    supervisor: Supervisor
    log: ActivityLog
    main_log: MainLog
    drain: Drain
    shelf: Shelf
    post: Callable[[Callable[[], None]], None]

    def begin_to_log(self, notes: Notes) -> None:
        """Open the main log; these lines come first, the gravest before the others."""
        self.main_log.open()
        self.say(sorted(notes, key=lambda note: -Level.named(note[0])))

    def say(self, notes: Notes) -> None:
        """Lines for the log, by level name and text."""
        for level, text in notes:
            self.log.log(Level.named(level), text)

    def stop(self) -> None:
        """Nothing is written any more."""
        if self.drain.stop():
            self.main_log.close()


def heart_of(
    beginnings: Beginnings,
    loop: asyncio.AbstractEventLoop,
    loop_fd: int | None,
    host: KeeperHost | LocalHost,
) -> Heart:
    """Nothing of it has begun yet: `drain.start()`, then `begin_to_log`."""
    settings = beginnings.configuration.daemon
    log = ActivityLog(Level.named(settings.loglevel))
    _listen_for_accidents(loop, host, log)

    def post(callback: Callable[[], None]) -> None:
        loop.call_soon_threadsafe(callback)

    drain = Drain(post, log.error, log.warn, partial(_later, loop))
    shelf = Shelf(host if isinstance(host, KeeperHost) else None)
    supervisor = Supervisor(
        host,
        drain,
        log,
        EventBus(log.critical),
        settings,
        server_url=server_url(beginnings.configuration.servers),
        pid=beginnings.pid,
        dialogue=Talks(loop, loop_fd, drain.watch, log.warn),
        shelf=shelf,
    )
    return Heart(supervisor, log, MainLog(settings, drain, log, shelf), drain, shelf, post)


def _later(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    # Two rounds: a restart is announced in one and ordered in the next, and would have to share
    # the interpreter with the thread.
    loop.call_soon(loop.call_soon, callback)


def _listen_for_accidents(
    loop: asyncio.AbstractEventLoop, host: KeeperHost | LocalHost, log: ActivityLog
) -> None:
    def reaped_unknown(pid: int, status: ExitStatus) -> None:
        log.info(f"reaped unknown pid {pid} ({status})")

    loop.set_exception_handler(partial(_unexpected, log))
    host.on_unknown_reaped = reaped_unknown
    host.on_complaint = log.warn


def _unexpected(log: ActivityLog, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A bug in a callback: it costs that callback only, but nobody may overlook it."""
    error = context.get("exception")
    trace = "".join(traceback.format_exception(error)) if error else ""
    log.critical(f"uncaught python exception: {context['message']}: {trace}")
