"""What signals ask for is carried out as if a client had asked for it: one attempt at a time.

A refusal goes to the log, because there is nobody to tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from proctor.api.service import Service
from proctor.config.problems import ConfigError
from proctor.core.faults import Fault
from proctor.core.states import SupervisorState
from proctor.daemon.main_log import MainLog
from proctor.daemon.supervisor import Supervisor
from proctor.duties.manager import ServiceManager
from proctor.runtime.departure import Departure

# As many mistakes are told one by one.
_MOST = 20


class SignalOrders:
    """The Orders of the SignalDesk."""

    def __init__(
        self,
        supervisor: Supervisor,
        service: Service,
        departure: Departure,
        manager: ServiceManager,
        main_log: MainLog,
    ) -> None:
        self._supervisor = supervisor
        self._service = service
        self._departure = departure
        self._manager = manager
        self._main_log = main_log
        self._attempts: dict[str, asyncio.Task[None]] = {}

    @property
    def shutting_down(self) -> bool:
        """Whether the end is under way."""
        return self._supervisor.mood is not SupervisorState.RUNNING

    def exit(self) -> None:
        """Stop everything and end."""
        self._departure.exit()

    def restart(self) -> None:
        """Stop everything and start again, unless the configuration has mistakes (gotcha G9)."""
        self._attempt("restart", self._service.restart)

    @property
    def hup_applies(self) -> bool:
        """Whether SIGHUP asks for an apply."""
        return self._supervisor.settings.hup == "apply"

    def apply(self) -> None:
        """Change what differs in the configuration, unless it has mistakes."""
        self._attempt("apply", self._apply)

    def upgrade(self) -> None:
        """Make room for the version that is installed now."""
        self._attempt("upgrade", self._service.upgrade)

    def reopen_logs(self) -> None:
        """Open the main log and the logs of all processes anew."""
        self._main_log.reopen()
        self._supervisor.log.info("supervisord logreopen")
        self._supervisor.reopen_logs()

    async def _apply(self) -> None:
        """A service manager that sent the signal waits for the end of it."""
        self._manager.reloading("Applying the configuration")
        try:
            await self._service.apply()
        finally:
            if not self.shutting_down:
                self._manager.ready()

    def _attempt(self, what: str, verb: Callable[[], Coroutine[Any, Any, object]]) -> None:
        before = self._attempts.get(what)
        if before is None or before.done():
            work = self._try(what, verb)
            self._attempts[what] = asyncio.get_running_loop().create_task(work)

    async def _try(self, what: str, verb: Callable[[], Coroutine[Any, Any, object]]) -> None:
        try:
            await verb()
        except Fault as fault:
            if not self.shutting_down:
                for reason in _reasons(fault):
                    text = f"cannot {what}, everything goes on as it was: {reason}"
                    self._supervisor.log.error(text)


def _reasons(fault: Fault) -> list[str]:
    """A line for each mistake in the files, else one."""
    if isinstance(fault.__cause__, ConfigError):
        problems = fault.__cause__.problems
        more = [f"{len(problems) - _MOST} more mistakes; `supervisord --check` shows all"]
        return [each.line() for each in problems[:_MOST]] + more * (len(problems) > _MOST)
    return ["; ".join(line.strip() for line in fault.detail.splitlines())]
