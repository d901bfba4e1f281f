"""What a daemon must know of a process to go on where another one was killed.  Plain data.

A record is written at every change of state.  The children that are held say the rest: which of
them belongs to the record is found by pid, or, for one that was on its way, by its time of birth.
An end that the record knows of was announced; one that it does not know of is announced now, so
everybody hears of every change once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import field

from proctor.core.exits import ExitStatus
from proctor.core.lifecycle import Effects, Lifecycle, Spawn
from proctor.core.states import ProcessState
from proctor.core.values import dataclass

_encode = json.JSONEncoder(separators=(",", ":")).encode
_TEXT = 300
_WITH_A_CHILD = (
    ProcessState.STARTING,
    ProcessState.RUNNING,
    ProcessState.STOPPING,
    ProcessState.UNKNOWN,
)
OVERTAKEN = "a stop came first"

# In the place of the fingerprint of a configuration: what runs is to be ended, then started anew.
ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Record:
    """One process at its last change.

    `start` and `stop` are seconds since the epoch, 0 = never; `at` (when this was written) and
    `deadline` are monotonic.  `pid` 0: no child, or one on its way.  `spec` is the fingerprint of
    the configuration, `logs` are the AUTO logs by channel.
    """

    key: str
    state: int
    start: float
    stop: float
    at: float = 0.0
    pid: int = 0
    tries: int = 0
    deadline: float | None = None
    before: int = 0
    spawnerr: str = ""
    code: int | None = None
    signal: int | None = None
    spec: str = ""
    logs: Mapping[str, str] = field(default_factory=dict)

    def as_bytes(self, most: int) -> bytes:
        """As `from_bytes` reads it, in at most `most` bytes: what is long and dear to nobody goes
        first.
        """
        told = {name: getattr(self, name) for name in self.__slots__}
        return fitting(told, ({"spawnerr": ""}, {"spawnerr": "", "logs": {}}), most)

    @classmethod
    def from_bytes(cls, data: bytes) -> Record | None:
        """None for what is no record (a slot that was never written whole)."""
        try:
            return cls(**json.loads(data))
        except (ValueError, TypeError):
            return None

    def is_about(self, pid: int, started: float) -> bool:
        """Whether the child of this pid, born at `started`, is the one of this record."""
        if self.state not in _WITH_A_CHILD:
            return False
        return pid == self.pid if self.pid else started >= self.at


def fitting(told: Mapping[str, object], less: Iterable[Mapping[str, object]], most: int) -> bytes:
    """`told` as JSON of at most `most` bytes, shortened by the first of `less` that does it; b""
    when none does.
    """
    data = _encode(told).encode()
    for shorter in less:
        if len(data) <= most:
            break
        data = _encode({**told, **shorter}).encode()
    return data if len(data) <= most else b""


def record_of(
    key: str,
    lifecycle: Lifecycle,
    start: float,
    stop: float,
    *,
    at: float,
    spec: str = "",
    logs: Mapping[str, str] | None = None,
) -> Record:
    """The record of a process as it is now."""
    end = lifecycle.exit or ExitStatus()
    return Record(
        key,
        int(lifecycle.state),
        start,
        stop,
        at,
        lifecycle.pid,
        lifecycle.tries,
        lifecycle.deadline,
        int(lifecycle.before_start),
        lifecycle.spawnerr[:_TEXT],
        end.code,
        end.signal,
        spec,
        logs or {},
    )


def go_on_with_child(
    record: Record,
    lifecycle: Lifecycle,
    pid: int,
    started: float,
    *,
    signalled: float | None,
    now: float,
) -> Effects:
    """Let a process that has not been touched yet go on with its child; what is left to do.

    `signalled` is when the child was last sent the signal that is to end it, None for never.
    """
    _put_back(record, lifecycle)
    lifecycle.pid, lifecycle.started = pid, started
    stop = lifecycle.spec.stop
    match lifecycle.state:
        case ProcessState.STARTING:
            lifecycle.deadline = started + lifecycle.spec.start.startsecs
        case ProcessState.STOPPING:
            asked = started if record.deadline is None else record.deadline - stop.stopwaitsecs
            if signalled is None or signalled < asked:
                return lifecycle.ask_to_end(now)
            lifecycle.deadline = record.deadline or signalled + stop.stopwaitsecs
        case _:
            lifecycle.deadline = None
    return ()


def go_on_alone(record: Record, lifecycle: Lifecycle, now: float) -> Effects:
    """The same for a process of which no child is there."""
    _put_back(record, lifecycle)
    if lifecycle.state not in _WITH_A_CHILD:
        return ()
    if record.pid:
        lifecycle.pid, lifecycle.started = record.pid, record.at
        return lifecycle.exited(ExitStatus(), now)
    if lifecycle.state is ProcessState.UNKNOWN:
        return ()
    lifecycle.spawning = True
    if lifecycle.state is ProcessState.STOPPING:
        return lifecycle.spawn_failed(OVERTAKEN, now)
    return (Spawn(),)


def _put_back(record: Record, lifecycle: Lifecycle) -> None:
    lifecycle.state = ProcessState(record.state)
    lifecycle.before_start = ProcessState(record.before)
    lifecycle.tries, lifecycle.deadline = record.tries, record.deadline
    lifecycle.spawnerr = record.spawnerr
    if (record.code, record.signal) != (None, None):
        lifecycle.exit = ExitStatus(record.code, record.signal)
