"""What the journal's loop side hands to its thread: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from proctor.core.cause import Cause
from proctor.core.exits import ExitStatus
from proctor.core.history import Birth, Change
from proctor.core.values import dataclass


@dataclass(frozen=True, slots=True)
class Turned:
    """A process went from one state to another."""

    change: Change


@dataclass(frozen=True, slots=True)
class Spawned:
    """A run began at `start` (wall time).  `logs` are the places in its logs, by channel."""

    birth: Birth
    start: float
    cause: Cause
    config: str = ""
    logs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ended:
    """A run ended at `end` (wall time).  `spawned` in case its beginning was not written down.

    `memory` and `last` are filled in by the thread, for a run that `crashed`: they need files.
    """

    spawned: Spawned
    end: float
    status: ExitStatus
    cause: Cause
    expected: bool
    crashed: bool = False
    memory: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """A daemon has begun; these (process, pid) go on, and no others of those before."""

    alive: frozenset[tuple[str, int]]
    now: float


Entry = Turned | Spawned | Ended | Left
