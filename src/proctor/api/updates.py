"""Bring an active group in line with the configuration, touching no more than what is different.

The original stops a whole group when one of its members changes (scenario row 19).
"""

from __future__ import annotations

from collections.abc import Callable

from proctor.api.processes import Processes
from proctor.api.system import System
from proctor.core.cause import CauseKind, because
from proctor.core.info import ActionResult
from proctor.core.spec import GroupSpec
from proctor.core.states import STOPPED_STATES
from proctor.daemon import waiters
from proctor.daemon.group import touched
from proctor.daemon.process import Process


class Updates(Processes, System):
    """Changes to what is running that follow from the files."""

    async def update_process_group(self, name: str) -> list[ActionResult]:
        """Stop what is different, replace it, and start what starts by itself.

        Answers with the results of the stops.  Raises BAD_NAME when the group is not active or not
        configured.
        """
        self._require_running()
        self._group(name)
        return await self._bring_in_line(self._configured(name))

    async def _bring_in_line(self, spec: GroupSpec) -> list[ActionResult]:
        with because(CauseKind.UPDATE):
            results = await self._bring_to_rest(lambda: touched(self._group(spec.name), spec))
            self.supervisor.autostart_only(self.supervisor.reshape_group(spec))
        return results

    async def _bring_to_rest(self, whom: Callable[[], list[Process]]) -> list[ActionResult]:
        results: list[ActionResult] = []
        while restless := [p for p in whom() if p.state not in STOPPED_STATES]:
            results += await self._stop_each(restless, True)
            # Somebody else may be stopping it, or it started again by itself meanwhile.
            await waiters.until(restless[0], STOPPED_STATES.__contains__)
            self._require_running()
        return results
