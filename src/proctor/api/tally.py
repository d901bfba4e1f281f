"""Tally: what has happened to each process since this daemon began, in numbers.

It hears every change of state, so it does next to nothing: one look-up and a few additions.  Only
what cannot be asked of the process itself is kept: how often it was started and how it ended.
A start is a child that came to run: neither a try without one nor a child that was taken over.
A process that was removed is forgotten when a process of its name comes again, or never: a name is
small, and a counter that goes back to nothing would look like a restart of the daemon.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from proctor.core.events import Event, ProcessSpawned, ProcessStateChanged
from proctor.core.exits import ExitStatus
from proctor.core.states import ProcessState
from proctor.core.values import dataclass
from proctor.daemon.bus import EventBus

# Beyond this many names the oldest go: numprocs and names that change with every update.
MAX_NAMES = 20_000


@dataclass(slots=True)
class Counts:
    """Of one process.  `ended` is wall time, 0.0 for never.

    `taken_over`: an earlier daemon had started it, and it has ended since.
    """

    starts: int = 0
    taken_over: bool = False
    expected_exits: int = 0
    unexpected_exits: int = 0
    signal_exits: int = 0
    failures: int = 0
    last: ExitStatus | None = None
    last_expected: bool = True
    ended: float = 0.0

    @property
    def restarts(self) -> int:
        """Starts beyond the first; of a child that was taken over that one was not ours."""
        return self.starts if self.taken_over else max(0, self.starts - 1)


_NOTHING = Counts()


@dataclass(slots=True)
class Tally:
    """Counts of all processes, by `group:name`.  `wall` gives seconds since the epoch."""

    wall: Callable[[], float]
    by_key: dict[str, Counts] = field(default_factory=dict)

    def attach(self, bus: EventBus) -> None:
        """Count from now on."""
        bus.subscribe(self._hear, ["PROCESS_STATE"])
        bus.subscribe(self._hear_spawn, ["NOTE_PROCESS_SPAWNED"])

    def of(self, key: str) -> Counts:
        """The counts of a process; all zero for one that never ran."""
        return self.by_key.get(key, _NOTHING)

    def _hear(self, event: Event) -> None:
        assert isinstance(event, ProcessStateChanged)
        status, state = event.status, event.state
        if status is None and state is not ProcessState.FATAL:
            return
        counts = self._counts(f"{event.group}:{event.process}")
        if state is ProcessState.FATAL:
            counts.failures += 1
        # RUNNING with a status says only that it had been up; its end follows.
        if status is not None and state is not ProcessState.RUNNING:
            self._ended(counts, status, event.expected or state is ProcessState.STOPPED)

    def _hear_spawn(self, event: Event) -> None:
        assert isinstance(event, ProcessSpawned)
        self._counts(f"{event.group}:{event.process}").starts += 1

    def _counts(self, key: str) -> Counts:
        counts = self.by_key.get(key)
        if counts is None:
            if len(self.by_key) >= MAX_NAMES:
                del self.by_key[next(iter(self.by_key))]
            counts = self.by_key[key] = Counts()
        return counts

    def _ended(self, counts: Counts, status: ExitStatus, expected: bool) -> None:
        counts.taken_over = counts.taken_over or not counts.starts
        counts.last, counts.last_expected, counts.ended = status, expected, self.wall()
        if status.signal is not None:
            counts.signal_exits += 1
        elif expected:
            counts.expected_exits += 1
        else:
            counts.unexpected_exits += 1
