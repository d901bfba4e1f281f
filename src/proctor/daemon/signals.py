"""What a signal sent to the daemon asks for.

Under a keeper the pid that people signal is the keeper's; it passes these signals on.
Source: compat config.md, section 14; gotcha G41 for SIGUSR1.
"""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from typing import Protocol


class SignalLog(Protocol):
    """Where the line about a signal goes."""

    def warn(self, text: str) -> None:
        """A line at WARN."""

    def info(self, text: str) -> None:
        """A line at INFO."""


class Orders(Protocol):
    """Who carries out what signals ask for."""

    @property
    def shutting_down(self) -> bool:
        """Whether a shutdown or restart is under way."""

    def exit(self) -> None:
        """Stop everything and end."""

    def restart(self) -> None:
        """Stop everything and start again, if the configuration is in order."""

    def reopen_logs(self) -> None:
        """Open all log files anew."""


EXIT_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


@dataclass(frozen=True, slots=True)
class SignalDesk:
    """Turns signals into orders, each with the line that people grep for."""

    log: SignalLog
    orders: Orders

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listen for every signal that means something to a supervisor."""
        for signum in EXIT_SIGNALS:
            loop.add_signal_handler(signum, self._exit, signum.name)
        loop.add_signal_handler(signal.SIGHUP, self._hangup)
        loop.add_signal_handler(signal.SIGUSR2, self._reopen)
        loop.add_signal_handler(signal.SIGUSR1, self._ignore, "SIGUSR1")

    def _exit(self, name: str) -> None:
        self.log.warn(f"received {name} indicating exit request")
        self.orders.exit()

    def _hangup(self) -> None:
        if self.orders.shutting_down:
            self.log.warn("ignored SIGHUP indicating restart request (shutdown in progress)")
            return
        self.log.warn("received SIGHUP indicating restart request")
        self.orders.restart()

    def _reopen(self) -> None:
        if self.orders.shutting_down:
            return
        self.log.info("received SIGUSR2 indicating log reopen request")
        self.orders.reopen_logs()

    def _ignore(self, name: str) -> None:
        self.log.info(f"received {name}, which asks for nothing: ignored")
