"""Pool: the events that wait for a pool's listeners.

The rules (compat events.md, sections 5 and 6; gotchas G1, G18, G67):
1. An event is accepted once, at the end of the queue, whatever the number of matching
   subscriptions.
2. At most `buffer_size` events wait; the oldest is discarded for a new one.
3. While listeners are still starting more may wait (up to START_UP_LIMIT events of together
   START_UP_SIZE characters).  When one of them is ready (`begin`) this burst stays until it was
   delivered, and `buffer_size` counts for what comes after it.  When none ever will be (`settle`)
   it is cut down at once.
4. A rejected event comes back to this pool only, after a growing delay, MAX_TRIES times; then it is
   dropped.  Events behind it go on meanwhile.
5. An event whose listener died while it was busy is due again at once, in front of all others.  If
   the next listener dies of it too it is treated as rejected, so that it cannot kill them all.
6. Serials never change on a retry.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from proctor.core.values import dataclass

START_UP_LIMIT = 10_000
START_UP_SIZE = 8 * 1024 * 1024
FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0
MAX_TRIES = 20


class Letter(NamedTuple):
    """An event on its way to one pool.  `due` is the earliest time of delivery (Host.now())."""

    serial: int
    poolserial: int
    eventname: str
    payload: str
    tries: int = 0
    due: float = 0.0


@dataclass(slots=True)
class Counts:
    """What went wrong in a pool since it was made.

    `overflowed` events were discarded for newer ones, `dropped` ones given up; `rejections` are the
    times that a listener said no, `violations` those that one broke the protocol.
    """

    overflowed: int = 0
    dropped: int = 0
    rejections: int = 0
    violations: int = 0


class Pool:
    """The waiting events of one pool.  Holds no listener and no clock."""

    def __init__(self, buffer_size: int) -> None:
        self.buffer_size = buffer_size
        self.starting = True
        self.counts = Counts()
        self._next_serial = 0
        self._waiting: deque[Letter] = deque()
        self._resting: list[Letter] = []
        self._burst_size = 0  # Characters that came while listeners were starting.
        self._spare = 0  # Places for the burst, beyond buffer_size; each delivery takes one away.

    def __len__(self) -> int:
        return len(self._waiting) + len(self._resting)

    def accept(self, serial: int, eventname: str, payload: str) -> list[Letter]:
        """Queue a new event; answers with those that had to be discarded for it."""
        self._waiting.append(Letter(serial, self._next_serial, eventname, payload))
        self._next_serial += 1
        if self.starting:
            self._burst_size += len(payload)
            if self._burst_size > START_UP_SIZE:
                return self.settle()
        return self._trim()

    def begin(self) -> None:
        """The first listener is ready: all that waits is delivered, the bound is for the rest."""
        self.starting = False
        self._spare = len(self)

    def settle(self) -> list[Letter]:
        """The listeners had their chance: from now on the buffer is bounded as configured."""
        self.starting = False
        return self._trim()

    def next(self, now: float) -> Letter | None:
        """Take the oldest event that is due; hand it over or give it back with `untake`."""
        if self._resting:
            due = [letter for letter in self._resting if letter.due <= now]
            self._resting = [letter for letter in self._resting if letter.due > now]
            self._waiting.extendleft(sorted(due, key=lambda letter: -letter.poolserial))
        if not self._waiting:
            return None
        if self._spare:
            self._spare -= 1
        return self._waiting.popleft()

    def upcoming(self) -> Letter | None:
        """What `next` will probably hand over; None when nothing waits."""
        return self._waiting[0] if self._waiting else None

    def untake(self, letter: Letter) -> None:
        """Nobody could take it after all: it is the next one again."""
        self._waiting.appendleft(letter)

    def died(self, letter: Letter, now: float) -> bool:
        """Its listener died over it: due again at once.  False when it was dropped instead."""
        if letter.tries:
            return self.rejected(letter, now)
        self.untake(letter._replace(tries=1))
        return True

    def rejected(self, letter: Letter, now: float) -> bool:
        """The listener said no: due again after a rest.  False when it was dropped instead."""
        self.counts.rejections += 1
        if letter.tries + 1 >= MAX_TRIES:
            self.counts.dropped += 1
            return False
        delay = min(FIRST_DELAY * 2**letter.tries, LONGEST_DELAY)
        self._resting.append(letter._replace(tries=letter.tries + 1, due=now + delay))
        return True

    @property
    def deadline(self) -> float | None:
        """When the first resting event becomes due, or None."""
        return min(letter.due for letter in self._resting) if self._resting else None

    def waiting(self) -> list[Letter]:
        """Everything that is not delivered, oldest first."""
        return sorted((*self._waiting, *self._resting), key=lambda letter: letter.poolserial)

    def _trim(self) -> list[Letter]:
        limit = self.buffer_size + self._spare
        if self.starting:
            limit = max(limit, START_UP_LIMIT)
        excess = len(self) - limit
        if excess <= 0:
            return []
        discarded = [
            self._waiting.popleft() if self._waiting else self._resting.pop(0)
            for _ in range(excess)
        ]
        self.counts.overflowed += len(discarded)
        return discarded
