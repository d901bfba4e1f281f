"""What the outside may see of a process: values for every face of the daemon.

Keys and caps are those of compat xmlrpc.md, sections 7 to 9.
"""

from __future__ import annotations

from dataclasses import asdict

from proctor.core.faults import Fault, FaultCode
from proctor.core.values import dataclass

MAX_XMLRPC_INT = 2**31 - 1


def capped(seconds: float) -> int:
    """A time as an integer that 32-bit XML-RPC clients can read (gotcha G79)."""
    return min(int(seconds), MAX_XMLRPC_INT)


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """One process at one moment.  Times: whole seconds since the epoch, 0 = never; pid 0 = none."""

    name: str
    group: str
    start: int
    stop: int
    now: int
    state: int
    statename: str
    spawnerr: str
    exitstatus: int
    logfile: str
    stdout_logfile: str
    stderr_logfile: str
    pid: int
    description: str

    def as_struct(self) -> dict[str, object]:
        """The XML-RPC struct, keys in the original's order."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What became of one process in an action over many (compat xmlrpc.md, section 8)."""

    name: str
    group: str
    status: int = FaultCode.SUCCESS
    description: str = "OK"

    @classmethod
    def refused(cls, name: str, group: str, fault: Fault) -> ActionResult:
        """The entry for a process whose action failed with `fault`."""
        return cls(name, group, fault.code, fault.text)

    def as_struct(self) -> dict[str, object]:
        """The XML-RPC struct."""
        return {
            "name": self.name,
            "group": self.group,
            "status": int(self.status),
            "description": self.description,
        }
