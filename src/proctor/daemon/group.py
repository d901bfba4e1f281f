"""Group: processes that share a name and a priority."""

from __future__ import annotations

from dataclasses import dataclass, field

from proctor.core.spec import GroupSpec
from proctor.core.states import STOPPED_STATES
from proctor.daemon.process import Process


@dataclass(slots=True)
class Group:
    """`processes` by name, in the order in which they were created."""

    spec: GroupSpec
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name."""
        return self.spec.name

    @property
    def priority(self) -> int:
        """Its place among the groups."""
        return self.spec.priority

    def unstopped(self) -> list[Process]:
        """The processes that have something running or planned (BACKOFF and STOPPING count)."""
        return [p for p in self.processes.values() if p.state not in STOPPED_STATES]
