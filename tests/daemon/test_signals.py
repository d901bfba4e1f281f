"""What the daemon makes of signals, with a real loop and real signals to ourselves."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass, field

import pytest

from proctor.daemon.signals import SignalDesk


@dataclass
class Recorder:
    """Log and orders in one: keeps what it is told."""

    told: list[str] = field(default_factory=list)
    shutting_down: bool = False
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def warn(self, text: str) -> None:
        self.told.append(f"WARN {text}")
        self.heard.set()

    def info(self, text: str) -> None:
        self.told.append(f"INFO {text}")
        self.heard.set()

    def exit(self) -> None:
        self.told.append("exit")

    def restart(self) -> None:
        self.told.append("restart")

    def reopen_logs(self) -> None:
        self.told.append("reopen")


def told(signum: signal.Signals, shutting_down: bool = False) -> list[str]:
    recorder = Recorder(shutting_down=shutting_down)

    async def one_signal() -> None:
        SignalDesk(recorder, recorder).install(asyncio.get_running_loop())
        os.kill(os.getpid(), signum)
        await recorder.heard.wait()

    asyncio.run(one_signal())
    return recorder.told


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_exit_signals_end_the_daemon(signum: signal.Signals) -> None:
    """All three mean the same, each named in the log."""
    assert told(signum) == [f"WARN received {signum.name} indicating exit request", "exit"]


def test_hangup_restarts() -> None:
    """SIGHUP is a restart."""
    assert told(signal.SIGHUP) == ["WARN received SIGHUP indicating restart request", "restart"]


def test_hangup_during_shutdown_is_ignored() -> None:
    """A shutdown under way is not turned into a restart."""
    assert told(signal.SIGHUP, shutting_down=True) == [
        "WARN ignored SIGHUP indicating restart request (shutdown in progress)"
    ]


def test_usr2_reopens_logs() -> None:
    """For external log rotation."""
    assert told(signal.SIGUSR2) == [
        "INFO received SIGUSR2 indicating log reopen request",
        "reopen",
    ]


def test_usr1_does_not_kill() -> None:
    """The original dies of it and orphans its children (gotcha G41)."""
    assert told(signal.SIGUSR1) == ["INFO received SIGUSR1, which asks for nothing: ignored"]
