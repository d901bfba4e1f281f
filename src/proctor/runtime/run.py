"""One life in this process: a loop, a host, a daemon, and what its end means for the keeper."""

from __future__ import annotations

import asyncio
import gc
import selectors
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from proctor.daemon.signals import hear_nothing
from proctor.posix.keeper_host import KeeperHost
from proctor.posix.keeper_line import KeeperGone
from proctor.posix.rlimits import limit_descriptors, open_all_descriptors
from proctor.runtime.beginnings import Beginnings, Ending, Outcome
from proctor.runtime.daemon import CANNOT_BEGIN, Daemon

if TYPE_CHECKING:
    from proctor.posix.local_host import LocalHost


def run(
    beginnings: Beginnings, keeper: socket.socket | None, refuse: Callable[[Exception], int]
) -> Ending:
    """Live; answers with how that ended.

    `refuse` tells the user why it could not begin and answers with the exit status for that.
    """
    selector = selectors.DefaultSelector()
    loop = asyncio.SelectorEventLoop(selector)
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(initializer=hear_nothing))
    for_children = open_all_descriptors()
    host = _local_host(loop, for_children) if keeper is None else KeeperHost(loop, keeper)
    outcome, status = Outcome.EXIT, 0
    beginnings = replace(beginnings, open_files=for_children)
    daemon = Daemon(beginnings, loop, getattr(selector, "fileno", lambda: None)(), host)
    try:
        outcome = loop.run_until_complete(daemon.live())
    except KeeperGone:
        outcome = Outcome.ALONE
    except CANNOT_BEGIN as error:
        status = refuse(error)
    except BaseException:  # a bug, or a plug-in that calls sys.exit
        if daemon.fails_for_good:
            host.bye(1)
        raise
    if outcome is Outcome.EXIT and not (status and daemon.holds_children):
        host.bye(status)
        return Ending(outcome, status)
    limit_descriptors(for_children)
    return _left_to_next(daemon, host, loop, outcome, status)


def _left_to_next(
    daemon: Daemon,
    host: KeeperHost | LocalHost,
    loop: asyncio.AbstractEventLoop,
    outcome: Outcome,
    status: int,
) -> Ending:
    """Somebody goes on, in this process or in another one."""
    if outcome is Outcome.ALONE:
        return Ending(outcome)
    if outcome is Outcome.ASIDE and isinstance(host, KeeperHost):
        return _stand_aside(daemon, host, loop)
    # A daemon that cannot begin leaves the programs of the one before it to the keeper, which tries
    # again; the next program in this process goes on with the same keeper.
    left = host.leave() if isinstance(host, KeeperHost) else None
    return Ending(outcome, status, left, legacy=daemon.legacy)


def _stand_aside(daemon: Daemon, host: KeeperHost, loop: asyncio.AbstractEventLoop) -> Ending:
    news = daemon.upgrading.news
    assert news is not None, "nobody stands aside without a reason"
    word = host.stand_aside(news.to_text(), daemon.supervisor.settings.upgrade_timeout)
    close_loop(loop)
    # What was there after the start stays no longer: if we return, with other objects, that is
    # garbage.
    gc.unfreeze()
    return Ending(
        Outcome.ASIDE,
        keeper=word,
        says_begun=host.says_begun,
        news=news,
        configuration=daemon.configuration,
    )


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


def _local_host(loop: asyncio.AbstractEventLoop, open_files: tuple[int, int]) -> LocalHost:
    """With all that a keeper does otherwise, so loaded only where there is none."""
    from proctor.posix.local_host import LocalHost

    return LocalHost(loop, open_files)
