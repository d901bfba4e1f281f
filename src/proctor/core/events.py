"""Events: facts for others.  Their names, their family and their payloads, byte for byte.

An event is a value; it holds no live object.  `payload` is text: a listener is told its length in
characters (gotcha G6).  Source: compat events.md, section 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Protocol

from proctor.core.cause import Cause
from proctor.core.exits import ExitStatus
from proctor.core.states import ProcessState
from proctor.core.values import dataclass

# Each name with its parent; a subscription to a name hears all its descendants.
PARENTS: dict[str, str] = {
    "PROCESS_STATE": "EVENT",
    **{f"PROCESS_STATE_{state.name}": "PROCESS_STATE" for state in ProcessState},
    "PROCESS_LOG": "EVENT",
    "PROCESS_LOG_STDOUT": "PROCESS_LOG",
    "PROCESS_LOG_STDERR": "PROCESS_LOG",
    "PROCESS_COMMUNICATION": "EVENT",
    "PROCESS_COMMUNICATION_STDOUT": "PROCESS_COMMUNICATION",
    "PROCESS_COMMUNICATION_STDERR": "PROCESS_COMMUNICATION",
    "REMOTE_COMMUNICATION": "EVENT",
    "SUPERVISOR_STATE_CHANGE": "EVENT",
    "SUPERVISOR_STATE_CHANGE_RUNNING": "SUPERVISOR_STATE_CHANGE",
    "SUPERVISOR_STATE_CHANGE_STOPPING": "SUPERVISOR_STATE_CHANGE",
    "TICK": "EVENT",
    **{f"TICK_{seconds}": "TICK" for seconds in (5, 60, 3600)},
    "PROCESS_GROUP": "EVENT",
    "PROCESS_GROUP_ADDED": "PROCESS_GROUP",
    "PROCESS_GROUP_REMOVED": "PROCESS_GROUP",
}

# What faces are told beyond that.  Not EVENTs: a listener that hears everything hears none of them.
NOTES: dict[str, str] = {
    "NOTE_PROCESS_SPAWNED": "NOTE",
    "NOTE_GROUP_RESHAPED": "NOTE",
    # Measured only while somebody asks for it by name.
    "USAGE_SAMPLED": "USAGE",
}


def family(name: str) -> tuple[str, ...]:
    """The name itself and everything it descends from, EVENT (or NOTE) last.  Unknown names: just
    EVENT above.
    """
    if name in NOTES:
        return name, NOTES[name]
    names = [name]
    while names[-1] not in ("EVENT", "NOTE", "USAGE"):
        names.append(PARENTS.get(names[-1], "EVENT"))
    return tuple(names)


class Event(Protocol):
    """Anything that can be published."""

    @property
    def name(self) -> str:
        """Its type, a key of PARENTS."""

    @property
    def payload(self) -> str:
        """What listeners read after the header line."""


def _as_text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return f"Undecodable: {data!r}"


@dataclass(frozen=True, slots=True)
class ProcessStateChanged:
    """A process went from one state to another.  `pid` is the child it is about, 0 if none.

    `cause` and the `status` of a child that ended are for us; listeners never heard of them.
    """

    process: str
    group: str
    state: ProcessState
    from_state: ProcessState
    tries: int = 0
    pid: int = 0
    expected: bool = True
    status: ExitStatus | None = None
    cause: Cause | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """PROCESS_STATE_ and the new state."""
        return f"PROCESS_STATE_{self.state.name}"

    @property
    def payload(self) -> str:
        """The first three fields, then what belongs to the state."""
        return (
            f"processname:{self.process} groupname:{self.group} from_state:{self.from_state.name}"
            + self._extra()
        )

    def _extra(self) -> str:
        match self.state:
            case ProcessState.STARTING | ProcessState.BACKOFF:
                return f" tries:{self.tries}"
            case ProcessState.RUNNING | ProcessState.STOPPING | ProcessState.STOPPED:
                return f" pid:{self.pid}"
            case ProcessState.EXITED:
                return f" expected:{int(self.expected)} pid:{self.pid}"
            case _:
                return ""


# The names of what comes by the thousand, by channel.
_LOGGED = {"stdout": "PROCESS_LOG_STDOUT", "stderr": "PROCESS_LOG_STDERR"}
_COMMUNICATED = {
    "stdout": "PROCESS_COMMUNICATION_STDOUT",
    "stderr": "PROCESS_COMMUNICATION_STDERR",
}


@dataclass(frozen=True, slots=True)
class ProcessLogged:
    """Output of a process.  `channel` is stdout or stderr."""

    process: str
    group: str
    pid: int
    channel: str
    data: bytes

    @property
    def name(self) -> str:
        """PROCESS_LOG_STDOUT or PROCESS_LOG_STDERR."""
        return _LOGGED[self.channel]

    @property
    def payload(self) -> str:
        """A header line, then the output as it came."""
        return (
            f"processname:{self.process} groupname:{self.group} pid:{self.pid}"
            f" channel:{self.channel}\n{_as_text(self.data)}"
        )


@dataclass(frozen=True, slots=True)
class ProcessCommunicated:
    """What a process wrote between the capture tokens.  `channel` is stdout or stderr."""

    process: str
    group: str
    pid: int
    channel: str
    data: bytes

    @property
    def name(self) -> str:
        """PROCESS_COMMUNICATION_STDOUT or PROCESS_COMMUNICATION_STDERR."""
        return _COMMUNICATED[self.channel]

    @property
    def payload(self) -> str:
        """A header line, then the message."""
        return (
            f"processname:{self.process} groupname:{self.group} pid:{self.pid}"
            f"\n{_as_text(self.data)}"
        )


@dataclass(frozen=True, slots=True)
class RemoteCommunication:
    """What a client sent by sendRemoteCommEvent."""

    type: str
    data: str

    @property
    def name(self) -> str:
        """REMOTE_COMMUNICATION."""
        return "REMOTE_COMMUNICATION"

    @property
    def payload(self) -> str:
        """The type in a line of its own, then the data."""
        return f"type:{self.type}\n{self.data}"


@dataclass(frozen=True, slots=True)
class SupervisorStateChanged:
    """The daemon began to run, or to stop (`stopping`; also before a restart)."""

    stopping: bool = False

    @property
    def name(self) -> str:
        """SUPERVISOR_STATE_CHANGE_RUNNING or SUPERVISOR_STATE_CHANGE_STOPPING."""
        return f"SUPERVISOR_STATE_CHANGE_{'STOPPING' if self.stopping else 'RUNNING'}"

    @property
    def payload(self) -> str:
        """Empty."""
        return ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A multiple of `period` seconds since the epoch has passed: `when`."""

    period: int
    when: int

    @property
    def name(self) -> str:
        """TICK_5, TICK_60 or TICK_3600."""
        return f"TICK_{self.period}"

    @property
    def payload(self) -> str:
        """The multiple."""
        return f"when:{self.when}"


@dataclass(frozen=True, slots=True)
class GroupChanged:
    """A group was added or removed."""

    group: str
    added: bool

    @property
    def name(self) -> str:
        """PROCESS_GROUP_ADDED or PROCESS_GROUP_REMOVED."""
        return f"PROCESS_GROUP_{'ADDED' if self.added else 'REMOVED'}"

    @property
    def payload(self) -> str:
        """The group's name, with a newline (gotcha G70)."""
        return f"groupname:{self.group}\n"


@dataclass(frozen=True, slots=True)
class ProcessSpawned:
    """A process has a child now.  No event of Supervisor's: those are about states only."""

    process: str
    group: str
    pid: int

    @property
    def name(self) -> str:
        """NOTE_PROCESS_SPAWNED."""
        return "NOTE_PROCESS_SPAWNED"

    @property
    def payload(self) -> str:
        """As that of a change of state."""
        return f"processname:{self.process} groupname:{self.group} pid:{self.pid}"


@dataclass(frozen=True, slots=True)
class GroupReshaped:
    """An active group has other processes than before."""

    group: str

    @property
    def name(self) -> str:
        """NOTE_GROUP_RESHAPED."""
        return "NOTE_GROUP_RESHAPED"

    @property
    def payload(self) -> str:
        """As that of a group that came."""
        return f"groupname:{self.group}\n"


@dataclass(frozen=True, slots=True)
class UsageSampled:
    """What the children use now: by group and name, percent of a CPU (None: not known yet) and
    bytes of memory.
    """

    usage: Mapping[str, Mapping[str, tuple[float | None, int]]]

    @property
    def name(self) -> str:
        """USAGE_SAMPLED."""
        return "USAGE_SAMPLED"

    @property
    def payload(self) -> str:
        """Listeners are told the number of children only; nobody can subscribe to it anyway."""
        return f"processes:{sum(map(len, self.usage.values()))}"
