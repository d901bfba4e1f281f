"""Attention: waits for the next word of a conversation, without falling asleep where that pays.

1. On several cores, falling asleep and being woken costs more than a listener needs to answer.  So
   the next word is looked for again and again for EAGER seconds, before we sleep until it comes.
2. Only while words come thick and fast: so many in a row must have come QUICK-ly that a look is
   hardly in vain (each that did not takes half of them off).  Each look in vain (the listener
   became slow, or has no core to run on) doubles that number, up to MOST; each word that was found
   takes one off, down to LEAST.
3. So a listener that answers slowly, or now and then, is never looked for, and one that is just
   quick enough to tempt us costs EAGER seconds in MOST words.

Why: docs/decisions/0019.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

EAGER = 60e-6
# Seconds in which a word came quickly, a wake-up included.
QUICK = 200e-6
LEAST = 8
MOST = 256
# Milliseconds to sleep until a word comes.
PATIENCE = 1

Ready = list[tuple[int, int]]


class Poll(Protocol):
    """What is needed of select.poll."""

    def poll(self, timeout: int, /) -> Ready: ...


class Attention:
    """One for a poll object.  `clock` tells seconds."""

    def __init__(self, poll: Poll, clock: Callable[[], float] = time.monotonic) -> None:
        self._poll = poll.poll
        self._clock = clock
        # Words in a row that came quickly, and how many of them make us eager.
        self._quick = 0
        self._needed = LEAST

    def wait(self, now: float) -> Ready:
        """What is ready, as `poll` says it; empty after PATIENCE.  `now` is what the clock says."""
        if self._quick < self._needed:
            return self._sleep(now)
        while not (ready := self._poll(0)):
            if self._clock() - now >= EAGER:
                self._quick, self._needed = 0, min(2 * self._needed, MOST)
                return self._poll(PATIENCE)
        if self._needed > LEAST:
            self._needed -= 1
        return ready

    def _sleep(self, now: float) -> Ready:
        ready = self._poll(PATIENCE)
        came_quickly = ready and self._clock() - now < QUICK
        # A busy machine makes us wait now and then: that is no reason to begin anew.
        self._quick = self._quick + 1 if came_quickly else self._quick // 2
        return ready
