"""The ways in which a daemon's life ends: it exits, begins again, or stands aside.

Exit and restart stop all programs first.  A restart is refused when this process could not carry it
out: nothing was stopped then.
"""

from __future__ import annotations

import asyncio
import os
import sys

from proctor.config.load import Configuration
from proctor.core.faults import Fault, FaultCode
from proctor.core.settings import ServerSettings
from proctor.daemon.supervisor import Supervisor
from proctor.posix import sockets
from proctor.runtime.beginnings import Outcome


class Departure:
    """`begun` is the configuration with which this daemon began; `over` is set when it ends."""

    def __init__(self, supervisor: Supervisor, begun: Configuration) -> None:
        self._supervisor = supervisor
        self._begun = begun
        self.outcome = Outcome.EXIT
        self.over = asyncio.Event()

    def exit(self) -> None:
        """Stop everything and end."""
        if self.outcome is Outcome.ASIDE:
            # Everything runs, and this comes in the last moment: there is something to wait for.
            self.over.clear()
        self.outcome = Outcome.EXIT
        self._supervisor.shutdown(restarting=False, on_stopped=self.over.set)

    def restart_with(self, configuration: Configuration) -> None:
        """Stop everything and begin again, with what was read.

        Raises Fault CANT_REREAD for what could not be carried out in this process.
        """
        if configuration.daemon.uid not in (None, os.getuid()):
            text = "[supervisord] user cannot change in a restart: stop supervisord and start it"
            raise Fault(FaultCode.CANT_REREAD, text)
        if not os.access(sys.executable, os.X_OK):
            text = f"this user may not execute {sys.executable}: stop supervisord and start it"
            raise Fault(FaultCode.CANT_REREAD, text)
        self._check_addresses(configuration)
        self.outcome = Outcome.RESTART
        self._supervisor.shutdown(restarting=True, on_stopped=self.over.set)

    def stand_aside(self) -> None:
        """Leave everything to another daemon; nothing is stopped."""
        self.outcome = Outcome.ASIDE
        self.over.set()

    def _check_addresses(self, configuration: Configuration) -> None:
        ours = {_address(server) for server in self._begun.servers}
        for server in configuration.servers:
            if _address(server) not in ours:
                try:
                    sockets.check_free(server)
                except sockets.CannotListen as error:
                    raise Fault(FaultCode.CANT_REREAD, str(error)) from error


def _address(server: ServerSettings) -> tuple[str | None, str, int]:
    return server.file, server.host, server.port
