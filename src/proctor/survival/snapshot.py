"""What a daemon must know of a process to go on where another one was killed.  Plain data.

A process that rests (STOPPED, EXITED, FATAL and nothing pending) has to rest on; one that was being
stopped has to be stopped.  All others are found by the children that the keeper holds, or start as
at a first start.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from proctor.core.exits import ExitStatus
from proctor.core.lifecycle import Lifecycle
from proctor.core.states import ProcessState

_TEXT = 300


@dataclass(frozen=True, slots=True)
class Record:
    """One process at its last change.  `resting`: nothing was going to happen by itself.

    Times are seconds since the epoch, 0 = never.
    """

    key: str
    state: int
    resting: bool
    start: float
    stop: float
    spawnerr: str = ""
    code: int | None = None
    signal: int | None = None

    def as_bytes(self) -> bytes:
        """As `from_bytes` reads it."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Record | None:
        """None for what is no record (a slot that was never written whole)."""
        try:
            return cls(**json.loads(data))
        except (ValueError, TypeError):
            return None

    @property
    def was_stopping(self) -> bool:
        """Whether it had been asked to end."""
        return self.state == ProcessState.STOPPING


def record_of(key: str, lifecycle: Lifecycle, start: float, stop: float) -> Record:
    """The record of a process as it is now."""
    rests = lifecycle.state in (ProcessState.STOPPED, ProcessState.EXITED, ProcessState.FATAL)
    end = lifecycle.exit or ExitStatus()
    return Record(
        key,
        int(lifecycle.state),
        rests and lifecycle.deadline is None,
        start,
        stop,
        lifecycle.spawnerr[:_TEXT],
        end.code,
        end.signal,
    )


def restore(record: Record, lifecycle: Lifecycle) -> None:
    """Let a process that has not been touched yet rest as it rested."""
    lifecycle.state = ProcessState(record.state)
    lifecycle.spawnerr = record.spawnerr
    if (record.code, record.signal) != (None, None):
        lifecycle.exit = ExitStatus(record.code, record.signal)
