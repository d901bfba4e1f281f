"""What a signal sent to the daemon asks for.

Under a keeper the pid that people signal is the keeper's; it passes these signals on.  A daemon may
be told to end before it knows what there is to stop, and a keeper whose daemon died over such an
order repeats it to the next one: so orders wait until `begin`.  Source: compat config.md, section
14; SIGUSR1 is ours (gotcha G41).
"""

from __future__ import annotations

import asyncio
import signal
from dataclasses import field
from typing import Protocol

from proctor.core.cause import CauseKind, because
from proctor.core.values import dataclass
from proctor.daemon.activity_log import ActivityLog


class Orders(Protocol):
    """Who carries out what signals ask for."""

    @property
    def shutting_down(self) -> bool:
        """Whether a shutdown or restart is under way."""

    def exit(self) -> None:
        """Stop everything and end."""

    def restart(self) -> None:
        """Stop everything and start again, if the configuration is in order."""

    @property
    def hup_applies(self) -> bool:
        """Whether SIGHUP asks for an apply instead of a restart (option `hup`)."""

    def apply(self) -> None:
        """Change what differs in the configuration, if it is in order."""

    def upgrade(self) -> None:
        """Make room for the version that is installed now, if it can take over."""

    def reopen_logs(self) -> None:
        """Open all log files anew."""


EXIT_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
HEARD = (*EXIT_SIGNALS, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)

# A signal comes to its handler in the third round of the loop at the latest.
_ROUNDS = 3


def hear_nothing() -> None:
    """The initializer of every pool of threads: the kernel gives a signal to any thread that does
    not block it, so `hold` would hold nothing back.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)


@dataclass(slots=True)
class SignalDesk:
    """Turns signals into orders, each with the line that people grep for."""

    log: ActivityLog
    orders: Orders
    _begun: bool = False
    _early: list[signal.Signals] = field(default_factory=list)

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listen for every signal that means something to a supervisor."""
        for signum in HEARD:
            loop.add_signal_handler(signum, self._hear, signum)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)

    def begin(self) -> None:
        """Carry orders out from now on, beginning with those that were heard already."""
        self._begun = True
        for signum in self._early:
            self._hear(signum)

    async def hold(self) -> None:
        """Leave what comes from now on to the next program in this process; hear what came."""
        signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)

    def _hear(self, signum: signal.Signals) -> None:
        if not self._begun:
            self._early.append(signum)
        elif signum in EXIT_SIGNALS:
            self.log.warn(f"received {signum.name} indicating exit request")
            with because(CauseKind.SHUTDOWN, signum.name):
                self.orders.exit()
        elif signum == signal.SIGHUP:
            self._hang_up()
        elif signum == signal.SIGUSR2:
            self.log.info("received SIGUSR2 indicating log reopen request")
            self.orders.reopen_logs()
        else:
            self.log.info(f"received {signum.name} indicating upgrade request")
            self.orders.upgrade()

    def _hang_up(self) -> None:
        wish = "apply" if self.orders.hup_applies else "restart"
        if self.orders.shutting_down:
            self.log.warn(f"ignored SIGHUP indicating {wish} request (shutdown in progress)")
            return
        self.log.warn(f"received SIGHUP indicating {wish} request")
        if self.orders.hup_applies:
            with because(CauseKind.UPDATE, "SIGHUP"):
                self.orders.apply()
            return
        with because(CauseKind.RELOAD, "SIGHUP"):
            self.orders.restart()
