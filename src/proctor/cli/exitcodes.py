"""Exit codes of supervisorctl.  Source: compat supervisorctl.md, section 2."""

from __future__ import annotations

from proctor.core.faults import FaultCode

SUCCESS = 0
GENERAL = 1
INVALID_ARGUMENTS = 2
UNIMPLEMENTED = 3
CONNECTION_REFUSED = 4
VERSION_DIFFERS = 5
NOT_RUNNING = 7

# `status` has meanings of its own.
STATUS_NOT_RUNNING = 3
STATUS_UNKNOWN = 4

_NOT_RUNNING_FAULTS = frozenset(
    {FaultCode.SPAWN_ERROR, FaultCode.ABNORMAL_TERMINATION, FaultCode.NOT_RUNNING}
)


def of_fault(code: int) -> int:
    """What a failed start, stop, signal or clear makes of the exit code."""
    return NOT_RUNNING if code in _NOT_RUNNING_FAULTS else GENERAL
