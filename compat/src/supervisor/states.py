"""States and their codes, as classes of constants."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

from proctor.core import states as _states
from supervisor.absent import absent

__getattr__ = absent(__name__)


def _constants(name: str, kind: type[IntEnum]) -> Any:
    """Plain numbers: the standard library's XML-RPC cannot send members of an enum."""
    return type(name, (), {one.name: int(one) for one in kind} | {"__module__": __name__})


def _describer(kind: type[IntEnum]) -> Callable[[int], str | None]:
    """From a code to its name; None for any other number."""
    return {int(one): one.name for one in kind}.get


def _codes(states: frozenset[_states.ProcessState], *first: int) -> tuple[int, ...]:
    """In the order in which plug-ins may have printed them: `first`, then the others."""
    return (*first, *sorted(int(state) for state in states if int(state) not in first))


ProcessStates = _constants("ProcessStates", _states.ProcessState)
SupervisorStates = _constants("SupervisorStates", _states.SupervisorState)
EventListenerStates = _constants("EventListenerStates", _states.ListenerState)
RUNNING_STATES = _codes(_states.RUNNING_STATES, 20, 30)
STOPPED_STATES = _codes(_states.STOPPED_STATES)
SIGNALLABLE_STATES = _codes(_states.SIGNALLABLE_STATES, 20)
getProcessStateDescription = _describer(_states.ProcessState)
getSupervisorStateDescription = _describer(_states.SupervisorState)
getEventListenerStateDescription = _describer(_states.ListenerState)
