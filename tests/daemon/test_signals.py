"""What the daemon makes of signals, with a real loop and real signals to ourselves."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass, field

import pytest

from proctor.daemon.activity_log import ActivityLog
from proctor.daemon.signals import HEARD, SignalDesk


@dataclass
class Recorder:
    """Log and orders in one: keeps what it is told."""

    told: list[str] = field(default_factory=list)
    shutting_down: bool = False
    hup_applies: bool = False

    def exit(self) -> None:
        self.told.append("exit")

    def restart(self) -> None:
        self.told.append("restart")

    def apply(self) -> None:
        self.told.append("apply")

    def upgrade(self) -> None:
        self.told.append("upgrade")

    def reopen_logs(self) -> None:
        self.told.append("reopen")

    def desk(self) -> SignalDesk:
        log = ActivityLog()
        log.attach(lambda line: self.told.append(line.decode()[24:].rstrip()))
        return SignalDesk(log, self)


async def let_signals_arrive() -> None:
    """A signal is heard in the third round of the loop at the latest."""
    for _ in range(3):
        await asyncio.sleep(0)


def told(
    signum: signal.Signals, shutting_down: bool = False, hup_applies: bool = False
) -> list[str]:
    recorder = Recorder(shutting_down=shutting_down, hup_applies=hup_applies)

    async def one_signal() -> None:
        desk = recorder.desk()
        desk.install(asyncio.get_running_loop())
        desk.begin()
        os.kill(os.getpid(), signum)
        await let_signals_arrive()

    asyncio.run(one_signal())
    return recorder.told


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_exit_signals_end_the_daemon(signum: signal.Signals) -> None:
    """All three mean the same, each named in the log."""
    assert told(signum) == [f"WARN received {signum.name} indicating exit request", "exit"]


def test_hangup_restarts() -> None:
    """SIGHUP is a restart."""
    assert told(signal.SIGHUP) == ["WARN received SIGHUP indicating restart request", "restart"]


def test_hangup_may_mean_apply() -> None:
    """With hup=apply nothing that runs is stopped for being asked to read the files."""
    assert told(signal.SIGHUP, hup_applies=True) == [
        "WARN received SIGHUP indicating apply request",
        "apply",
    ]


def test_hangup_during_shutdown_is_ignored() -> None:
    """A shutdown under way is not turned into a restart."""
    assert told(signal.SIGHUP, shutting_down=True) == [
        "WARN ignored SIGHUP indicating restart request (shutdown in progress)"
    ]


@pytest.mark.parametrize("shutting_down", [False, True])
def test_usr2_reopens_logs(shutting_down: bool) -> None:
    """For external log rotation; during a shutdown too, as the original does."""
    assert told(signal.SIGUSR2, shutting_down) == [
        "INFO received SIGUSR2 indicating log reopen request",
        "reopen",
    ]


def test_usr1_does_not_kill() -> None:
    """It asks for an upgrade; the original dies of it and orphans its children (gotcha G41)."""
    assert told(signal.SIGUSR1) == ["INFO received SIGUSR1 indicating upgrade request", "upgrade"]


def test_orders_wait_until_there_is_something_to_stop() -> None:
    """Before `begin` there are no groups yet: an exit would leave adopted children alone."""
    recorder = Recorder()

    async def too_early() -> list[str]:
        desk = recorder.desk()
        desk.install(asyncio.get_running_loop())
        os.kill(os.getpid(), signal.SIGTERM)
        await let_signals_arrive()
        before = list(recorder.told)
        desk.begin()
        return before

    assert asyncio.run(too_early()) == []
    assert recorder.told == ["WARN received SIGTERM indicating exit request", "exit"]


def test_no_signal_is_lost_between_two_daemons_of_one_process() -> None:
    """What came before `hold` is heard, what comes after it waits for the next program."""
    recorder = Recorder()

    async def leave() -> None:
        desk = recorder.desk()
        desk.install(asyncio.get_running_loop())
        desk.begin()
        os.kill(os.getpid(), signal.SIGHUP)
        await desk.hold()
        os.kill(os.getpid(), signal.SIGTERM)
        await let_signals_arrive()

    async def come() -> None:
        desk = recorder.desk()
        desk.install(asyncio.get_running_loop())
        desk.begin()
        await let_signals_arrive()

    try:
        asyncio.run(leave())
        assert recorder.told[1:] == ["restart"]
        asyncio.run(come())
        assert recorder.told[-1:] == ["exit"]
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
