"""Happenings: the last events, numbered, so that a follower who lost the connection can go on.

1. Nothing is kept until somebody has asked once (`cursor`); from then on the last MAX_KEPT events
   are, as small tuples: a deque append an event.
2. Kept are changes of state, of groups and of the daemon.  Output, communications and ticks are
   told to those who listen at that moment; they may be large, and nobody replays them.
3. An id is `<epoch>-<number>`.  Each daemon has an epoch of its own, so the numbers of an earlier
   one lead nowhere instead of to the wrong events.
"""

from __future__ import annotations

import time
from collections import deque

from proctor.core.events import Event, family
from proctor.daemon.bus import EventBus

MAX_KEPT = 1000
KEPT = frozenset({"PROCESS_STATE", "SUPERVISOR_STATE_CHANGE", "PROCESS_GROUP", "NOTE"})

Kept = tuple[int, float, Event]


class Happenings:
    """The last events of a bus."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._epoch = f"{time.time_ns() // 1_000_000:x}"
        self._number = 0
        self._kept: deque[Kept] | None = None

    def begin(self) -> None:
        """Keep events from now on.  Whoever subscribes to the bus later hears them numbered."""
        if self._kept is None:
            self._kept = deque(maxlen=MAX_KEPT)
            self._bus.subscribe(self._hear, KEPT)

    def cursor(self) -> str:
        """The id of the last event; `since` of it gives what happened after this call."""
        self.begin()
        return self.id_of(self._number)

    def id_of(self, number: int) -> str:
        """The id of a kept event."""
        return f"{self._epoch}-{number}"

    @property
    def number(self) -> int:
        """Of the kept event that was published last."""
        return self._number

    def since(self, cursor: str) -> list[Kept] | None:
        """The kept events after that id; None when not all of them are known any more."""
        epoch, _, digits = cursor.partition("-")
        if epoch != self._epoch or not digits.isdecimal() or self._kept is None:
            return None
        after = int(digits[:20])
        if after > self._number or self._number - after > len(self._kept):
            return None
        count = self._number - after
        return list(self._kept)[-count:] if count else []

    def _hear(self, event: Event) -> None:
        assert self._kept is not None
        self._number += 1
        self._kept.append((self._number, time.time(), event))


def is_kept(name: str) -> bool:
    """Whether an event of this name has an id."""
    return not KEPT.isdisjoint(family(name))
