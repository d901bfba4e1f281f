"""States and their codes, as classes of constants."""

from __future__ import annotations

from proctor.core import states as _states


class ProcessStates:
    """Codes of the states of a process."""

    STOPPED = 0
    STARTING = 10
    RUNNING = 20
    BACKOFF = 30
    STOPPING = 40
    EXITED = 100
    FATAL = 200
    UNKNOWN = 1000


class SupervisorStates:
    """Codes of the states of the daemon."""

    FATAL = 2
    RUNNING = 1
    RESTARTING = 0
    SHUTDOWN = -1


class EventListenerStates:
    """Codes of the states of an event listener."""

    READY = 10
    BUSY = 20
    ACKNOWLEDGED = 30
    UNKNOWN = 40


RUNNING_STATES = tuple(sorted(int(state) for state in _states.RUNNING_STATES))
STOPPED_STATES = tuple(sorted(int(state) for state in _states.STOPPED_STATES))
SIGNALLABLE_STATES = tuple(sorted(int(state) for state in _states.SIGNALLABLE_STATES))


def getProcessStateDescription(code: int) -> str | None:
    """The name of a process state; None for any other number."""
    return _name(_states.ProcessState, code)


def getSupervisorStateDescription(code: int) -> str | None:
    """The name of a state of the daemon; None for any other number."""
    return _name(_states.SupervisorState, code)


def getEventListenerStateDescription(code: int) -> str | None:
    """The name of a listener state; None for any other number."""
    return _name(_states.ListenerState, code)


def _name(
    kind: type[_states.ProcessState] | type[_states.SupervisorState] | type[_states.ListenerState],
    code: int,
) -> str | None:
    return next((state.name for state in kind if state == code), None)
