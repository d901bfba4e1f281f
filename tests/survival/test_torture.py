"""Nothing is lost when the daemon or its keeper is killed, or it is upgraded, under full load.

The long form is `make torture`; its figures are in docs/reliability.md.
"""

from __future__ import annotations

import os
from functools import partial

import pytest

from support import ordinary, pid_namespace
from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.ordeal import SETTINGS, Ordeal

KILLS = int(os.environ.get("PROCTOR_TORTURE_KILLS", "3"))
WRITERS = int(os.environ.get("PROCTOR_TORTURE_WRITERS", "3"))


def test_the_daemon_is_killed_while_children_write(launch: Launch, ours: Implementation) -> None:
    """No child dies with it, none is started twice; no line, status or event is lost."""
    daemon = launch(ours, settings=SETTINGS)
    torment(Ordeal(daemon, WRITERS), KILLS)


def test_the_daemon_is_upgraded_while_children_write(launch: Launch, ours: Implementation) -> None:
    """The same, each time a daemon stands aside for the next one; and the last is killed."""
    daemon = launch(ours, settings=SETTINGS)
    ordeal = Ordeal(daemon, 1)
    ordeal.begin()
    for _ in range(2):
        ordeal.kill_children(1)
        ordeal.upgrade()
    ordeal.kill_daemon()
    ordeal.check()


def test_the_keeper_becomes_another_program_while_children_die(
    launch: Launch, ours: Implementation
) -> None:
    """It hears of every end, before and after; the same when the daemon is killed next."""
    daemon = launch(ours, settings=SETTINGS)
    ordeal = Ordeal(daemon, 1)
    ordeal.begin()
    for _ in range(2):
        ordeal.renew_keeper()
    ordeal.kill_daemon()
    ordeal.check()


def test_the_keeper_is_killed_while_children_write(launch: Launch, ours: Implementation) -> None:
    """The same, each time a daemon puts itself under another keeper; and the last is killed."""
    daemon = launch(ours, settings=SETTINGS)
    ordeal = Ordeal(daemon, 1)
    ordeal.begin()
    for _ in range(2):
        ordeal.kill_children(1)
        ordeal.kill_keeper()
    ordeal.kill_daemon()
    ordeal.check()


def test_the_same_as_an_ordinary_user(launch: Launch, ours: Implementation) -> None:
    """Nothing of it needs root."""
    reason = ordinary.reason_against()
    if reason:
        pytest.skip(reason)
    command = ordinary.as_nobody([ours.program("supervisord"), "-c", "supervisord.conf"])
    daemon = launch(ours, settings=SETTINGS, command=command)
    torment(Ordeal(daemon, 1), 2)


def test_the_same_as_process_1(launch: Launch, ours: Implementation) -> None:
    """In a PID namespace of its own, as in a container; it ends with all that is in there."""
    reason = pid_namespace.reason_against()
    if reason:
        pytest.skip(reason)
    command = pid_namespace.as_first([ours.program("supervisord"), "-c", "supervisord.conf"])
    daemon = launch(ours, settings=SETTINGS, command=command)
    first = pid_namespace.first_in(daemon.pid)
    assert daemon.call("supervisor.getPID") == 1
    ordeal = Ordeal(daemon, 1, outside=partial(pid_namespace.outside, first))
    torment(ordeal, 2)
    leave(daemon)


def torment(ordeal: Ordeal, kills: int) -> None:
    """Kill the daemon so often, and a writer with it."""
    ordeal.begin()
    for _ in range(kills):
        ordeal.kill_children(1)
        ordeal.kill_daemon()
    ordeal.check()


def leave(daemon: Daemon) -> None:
    """Whoever started the namespace passes no signals on."""
    daemon.ctl("shutdown")
    assert daemon.wait() == 0
