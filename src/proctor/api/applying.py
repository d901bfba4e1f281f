"""Apply: read the files and change what differs, nothing else.

Rules:
1. Files with mistakes are refused whole, as in every re-reading.
2. A dry run and a run make the same plan by the same function.
3. Groups that go are stopped first, then the changed ones, then new ones are added; one after the
   other, so that what a program waits for at its end is still there.
4. One group's failure is its own: it is told, and the others are carried out.
5. One apply at a time; a second one waits, reads the files again and finds little left to do.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from proctor.api.plans import LIVE, make_plan, taken_over
from proctor.api.room import ServiceContext
from proctor.api.updates import Updates
from proctor.config.load import Configuration
from proctor.core.cause import CauseKind, because
from proctor.core.changes import Change, GroupChange, Plan
from proctor.core.faults import Fault, FaultCode
from proctor.core.spec import GroupSpec
from proctor.daemon.supervisor import Supervisor


class Applying(Updates):
    """The configuration, shown and carried out as one plan."""

    def __init__(self, supervisor: Supervisor, context: ServiceContext) -> None:
        super().__init__(supervisor, context)
        self._applying = asyncio.Lock()

    async def diff(self) -> Plan:
        """What `apply` would do now; nothing is changed, not even what `add` would find.

        Raises CANT_REREAD with all mistakes of the files.
        """
        self._require_running()
        return self._plan(await self._reread())

    async def apply(self) -> Plan:
        """Take over everything that can be taken over without a restart; the plan, carried out.

        Answers when what had to stop has stopped and what starts by itself was started.  Raises
        CANT_REREAD with all mistakes of the files; SHUTDOWN_STATE when a shutdown comes between.
        """
        async with self._applying:
            self._require_running()
            new = await self._reread()
            self._require_running()
            plan = self._plan(new)
            self._take_over(new)
            settings = taken_over(LIVE, self.supervisor.settings, new.daemon)
            self.context.use_settings(settings)
            specs = {spec.name: spec for spec in new.groups}
            with because(CauseKind.UPDATE):
                said = [await self._carry_out(each, specs.get(each.group)) for each in plan.groups]
            return replace(plan, problems=tuple(problem for problem in said if problem))

    def _plan(self, new: Configuration) -> Plan:
        supervisor = self.supervisor
        return make_plan(supervisor.groups, supervisor.settings, self.context.begun, new)

    async def _carry_out(self, change: GroupChange, spec: GroupSpec | None) -> str:
        """What went wrong; "" for nothing."""
        name = change.group
        try:
            if spec is None:
                await self._bring_to_rest(lambda: self._group(name).unstopped())
                self.supervisor.remove_group(name)
            elif change.change is Change.CHANGED:
                await self._bring_in_line(spec)
            else:
                self.supervisor.autostart(self.supervisor.add_group(spec))
        except Fault as fault:
            if fault.code == FaultCode.SHUTDOWN_STATE:
                raise
            # Somebody else added, removed or started it meanwhile.
            return f"{name}: {fault.text}"
        self.supervisor.log.info(f"applied: {name} {change.change.value}")
        return ""
