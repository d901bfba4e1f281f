"""Events for plug-ins and result handlers: classes, and who wants to hear of them.

1. The daemon's own events are values without live objects; here they become what plug-ins know,
   with a `process` and so on.  Their text is the daemon's, whatever became of the process since.
2. What a plug-in notifies goes over the daemon's bus, so that listeners hear it too; an event of a
   class without a name is told to plug-ins only.
3. Outside the daemon (`link` was never called) everything stays within this module.

Callbacks run inside the transition and must not block.
Source: compat plugins.md, sections 3 to 5; events.md, section 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from proctor.core.events import PARENTS
from proctor.core.events import Event as CoreEvent
from proctor.core.states import ProcessState
from supervisor.absent import absent
from supervisor.compat import as_string
from supervisor.states import getProcessStateDescription

__getattr__ = absent(__name__)


class Event:
    """Base of all."""

    def payload(self) -> str:
        """What listeners read after the header line."""
        return ""


class ProcessStateEvent(Event):
    """A process went to another state.  `from_state` is a code."""

    _extra: tuple[str, ...] = ()

    def __init__(self, process: Any, from_state: int, expected: bool = True) -> None:
        self.process, self.from_state, self.expected = process, from_state, expected
        known = {
            "pid": getattr(process, "pid", 0),
            "tries": getattr(process, "backoff", 0),
            "expected": int(expected),
        }
        self.extra_values = [(name, known[name]) for name in self._extra]

    def payload(self) -> str:
        """Names, the state it comes from, and what belongs to the new one."""
        state = getProcessStateDescription(self.from_state)
        more = "".join(f" {name}:{value}" for name, value in self.extra_values)
        return f"{_names(self.process)} from_state:{state}{more}"


class _ProcessOutput(Event):
    _channel = ""
    channel: str | None = None

    def __init__(self, process: Any, pid: int, data: bytes) -> None:
        self.process, self.pid, self.data = process, pid, data

    def payload(self) -> str:
        """A header line, then the data as text."""
        try:
            text = as_string(self.data)
        except UnicodeDecodeError:
            text = f"Undecodable: {self.data!r}"
        return f"{_names(self.process)} pid:{self.pid}{self._channel}\n{text}"


class ProcessLogEvent(_ProcessOutput):
    """Output of a process; `data` is bytes."""


class ProcessCommunicationEvent(_ProcessOutput):
    """What a process wrote between the tokens; `data` is bytes."""

    BEGIN_TOKEN = b"<!--XSUPERVISOR:BEGIN-->"
    END_TOKEN = b"<!--XSUPERVISOR:END-->"


class RemoteCommunicationEvent(Event):
    """What a client sent."""

    def __init__(self, type: str, data: str) -> None:
        self.type, self.data = type, data

    def payload(self) -> str:
        """The type, then the data."""
        return f"type:{self.type}\n{self.data}"


class SupervisorStateChangeEvent(Event):
    """The daemon began to run, or to stop."""


class ProcessGroupEvent(Event):
    """A group, by its name, came or went."""

    def __init__(self, group: str) -> None:
        self.group = group

    def payload(self) -> str:
        """The name."""
        return f"groupname:{self.group}\n"


class TickEvent(Event):
    """A period has passed; `when` is a multiple of it, in seconds since the epoch."""

    period = 0

    def __init__(self, when: int, supervisord: Any) -> None:
        self.when, self.supervisord = when, supervisord

    def payload(self) -> str:
        """When."""
        return f"when:{self.when}"


def _names(process: Any) -> str:
    return f"processname:{process.config.name} groupname:{process.group.config.name}"


class EventTypes:
    """Every event that has a name, by that name."""

    EVENT = Event
    PROCESS_STATE = ProcessStateEvent
    PROCESS_LOG = ProcessLogEvent
    PROCESS_COMMUNICATION = ProcessCommunicationEvent
    REMOTE_COMMUNICATION = RemoteCommunicationEvent
    SUPERVISOR_STATE_CHANGE = SupervisorStateChangeEvent
    PROCESS_GROUP = ProcessGroupEvent
    TICK = TickEvent


E = TypeVar("E", bound=Event)


def _leaf(name: str, kind: str, parent: type[E], **attributes: object) -> type[E]:
    made = type(kind, (parent,), {"__module__": __name__, "__doc__": name, **attributes})
    setattr(EventTypes, name, made)
    return made


def _state(state: str, *extra: str) -> type[ProcessStateEvent]:
    kind = f"ProcessState{state.capitalize()}Event"
    return _leaf(f"PROCESS_STATE_{state}", kind, ProcessStateEvent, _extra=extra)


def _output(kind: str, channel: str, parent: type[E], header: str = "") -> type[E]:
    name = f"PROCESS_{kind}_{channel}".upper()
    title = f"Process{kind}{channel.capitalize()}Event"
    return _leaf(name, title, parent, channel=channel, _channel=header)


ProcessStateStoppedEvent = _state("STOPPED", "pid")
ProcessStateStartingEvent = _state("STARTING", "tries")
ProcessStateRunningEvent = _state("RUNNING", "pid")
ProcessStateBackoffEvent = _state("BACKOFF", "tries")
ProcessStateStoppingEvent = _state("STOPPING", "pid")
ProcessStateExitedEvent = _state("EXITED", "expected", "pid")
ProcessStateFatalEvent = _state("FATAL")
ProcessStateUnknownEvent = _state("UNKNOWN")
ProcessLogStdoutEvent = _output("Log", "stdout", ProcessLogEvent, " channel:stdout")
ProcessLogStderrEvent = _output("Log", "stderr", ProcessLogEvent, " channel:stderr")
ProcessCommunicationStdoutEvent = _output("Communication", "stdout", ProcessCommunicationEvent)
ProcessCommunicationStderrEvent = _output("Communication", "stderr", ProcessCommunicationEvent)
SupervisorRunningEvent = _leaf(
    "SUPERVISOR_STATE_CHANGE_RUNNING", "SupervisorRunningEvent", SupervisorStateChangeEvent
)
SupervisorStoppingEvent = _leaf(
    "SUPERVISOR_STATE_CHANGE_STOPPING", "SupervisorStoppingEvent", SupervisorStateChangeEvent
)
ProcessGroupAddedEvent = _leaf("PROCESS_GROUP_ADDED", "ProcessGroupAddedEvent", ProcessGroupEvent)
ProcessGroupRemovedEvent = _leaf(
    "PROCESS_GROUP_REMOVED", "ProcessGroupRemovedEvent", ProcessGroupEvent
)
Tick5Event = _leaf("TICK_5", "Tick5Event", TickEvent, period=5)
Tick60Event = _leaf("TICK_60", "Tick60Event", TickEvent, period=60)
Tick3600Event = _leaf("TICK_3600", "Tick3600Event", TickEvent, period=3600)


def getEventNameByType(requested: type[Event]) -> str | None:
    """The name of a class; None if it has none."""
    return next((name for name, kind in vars(EventTypes).items() if kind is requested), None)


def register(name: str, event: type[Event]) -> None:
    """Give a class of your own a name, which `events=` of a listener may then use."""
    parents = (getEventNameByType(kind) for kind in event.__mro__[1:])
    PARENTS[name] = next(filter(None, parents), "EVENT")
    setattr(EventTypes, name, event)


# Who hears what


@dataclass(frozen=True, slots=True)
class _Notified:
    """An event of a plug-in on the daemon's bus."""

    name: str
    event: Event

    @property
    def payload(self) -> str:
        return as_string(self.event.payload())


Callback = Callable[[Any], object]
callbacks: list[tuple[type[Event], Callback]] = []
_endings: dict[tuple[type[Event], Callback], Callable[[], None]] = {}
_daemons: list[Any] = []  # the facade, once there is one


def link(supervisord: Any) -> None:
    """The daemon lives: from now on its events are heard here, and ours there."""
    _daemons[:] = [supervisord]
    for entry in callbacks:
        _endings.pop(entry, lambda: None)()
        _join(*entry)


def subscribe(type: type[Event], callback: Callback) -> None:
    """Hear every event of a class and its subclasses."""
    callbacks.append((type, callback))
    _join(type, callback)


def unsubscribe(type: type[Event], callback: Callback) -> None:
    """Hear it no more.  Raises ValueError for what was not subscribed."""
    callbacks.remove((type, callback))
    _endings.pop((type, callback), lambda: None)()


def clear() -> None:
    """Nobody hears anything any more."""
    for entry in tuple(callbacks):
        unsubscribe(*entry)


def notify(event: Event) -> None:
    """Tell everybody who wants to hear it."""
    name = getEventNameByType(type(event))
    if name is not None and _daemons:
        _daemons[0].service.supervisor.bus.publish(_Notified(name, event))
        return
    for kind, callback in tuple(callbacks):
        if isinstance(event, kind):
            callback(event)


def _join(kind: type[Event], callback: Callback) -> None:
    if _daemons:
        bus = _daemons[0].service.supervisor.bus
        hear = partial(_hear, kind, callback)
        _endings[kind, callback] = bus.subscribe(hear, [getEventNameByType(kind) or "EVENT"])


def _hear(kind: type[Event], callback: Callback, said: CoreEvent) -> None:
    event = said.event if isinstance(said, _Notified) else made(said.name, said.payload, said)
    if isinstance(event, kind):
        callback(event)


def made(name: str, payload: str, said: object = None) -> Event:
    """The daemon's event of this name and text; `said` has its `data`, if that is still there."""
    kind: type[Event] = getattr(EventTypes, name)
    event: Event = kind.__new__(kind)
    head, _, rest = payload.partition("\n")
    if isinstance(event, RemoteCommunicationEvent):
        event.__init__(head.removeprefix("type:"), rest)  # type: ignore[misc]
    elif kind.__module__ == __name__:
        fields = dict(word.split(":", 1) for word in head.split())
        _fill(event, fields, getattr(said, "data", rest.encode()))
    vars(event)["payload"] = lambda: payload
    return event


def _fill(event: Event, fields: dict[str, str], data: bytes) -> None:
    daemon = _daemons[0] if _daemons else None
    process = None
    if daemon is not None and "processname" in fields:
        process = daemon.find(fields["groupname"], fields["processname"])
    match event:
        case ProcessStateEvent():
            event.process, event.from_state = process, int(ProcessState[fields["from_state"]])
            event.expected = fields.get("expected") != "0"
            event.extra_values = [(name, int(fields[name])) for name in event._extra]
        case _ProcessOutput():
            event.process, event.pid, event.data = process, int(fields["pid"]), data
        case ProcessGroupEvent():
            event.group = fields["groupname"]
        case TickEvent():
            event.when, event.supervisord = int(fields["when"]), daemon
