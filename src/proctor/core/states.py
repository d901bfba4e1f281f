"""States of processes, of the daemon and of event listeners, and every legal transition.

EDGES is the only place that says which state may follow which; `core.lifecycle` asserts it and the
diagram in docs/architecture.md is made from it.  Codes and classes are Supervisor's (compat
process.md, section 1).
"""

from __future__ import annotations

from enum import IntEnum


class ProcessState(IntEnum):
    """The state of one process, with the code that XML-RPC clients see."""

    STOPPED = 0
    STARTING = 10
    RUNNING = 20
    BACKOFF = 30
    STOPPING = 40
    EXITED = 100
    FATAL = 200
    UNKNOWN = 1000


class SupervisorState(IntEnum):
    """What the daemon itself is doing, with the code that XML-RPC clients see."""

    FATAL = 2
    RUNNING = 1
    RESTARTING = 0
    SHUTDOWN = -1


class ListenerState(IntEnum):
    """Where an event listener stands in its protocol (compat events.md, section 3)."""

    READY = 10
    BUSY = 20
    ACKNOWLEDGED = 30
    UNKNOWN = 40


_S = ProcessState

RUNNING_STATES = frozenset({_S.RUNNING, _S.BACKOFF, _S.STARTING})
STOPPED_STATES = frozenset({_S.STOPPED, _S.EXITED, _S.FATAL, _S.UNKNOWN})
SIGNALLABLE_STATES = frozenset({_S.RUNNING, _S.STARTING, _S.STOPPING})

EDGES: dict[ProcessState, frozenset[ProcessState]] = {
    _S.STOPPED: frozenset({_S.STARTING}),
    _S.STARTING: frozenset({_S.RUNNING, _S.BACKOFF, _S.STOPPING, _S.UNKNOWN}),
    _S.RUNNING: frozenset({_S.EXITED, _S.STOPPING, _S.UNKNOWN}),
    _S.BACKOFF: frozenset({_S.STARTING, _S.FATAL, _S.STOPPED}),
    _S.STOPPING: frozenset({_S.STOPPED, _S.UNKNOWN}),
    _S.EXITED: frozenset({_S.STARTING}),
    _S.FATAL: frozenset({_S.STARTING}),
    # Ours: the original's daemon dies when a process in UNKNOWN ends (HOUSE.md, section 9).
    _S.UNKNOWN: frozenset({_S.EXITED}),
}
