"""One timer of one connection, moved only when it would ring too late: idle ones cost nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Deadline:
    """`missed` is called when the time that was given last is over."""

    def __init__(self, loop: asyncio.AbstractEventLoop, missed: Callable[[], None]) -> None:
        self._loop = loop
        self._missed = missed
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def give(self, seconds: float | None) -> None:
        """So long from now; None: there is none."""
        if seconds is None:
            self._at = None
            return
        self._at = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(self._at, self._ring)

    def close(self) -> None:
        """It is not needed any more."""
        self._at = None
        if self._timer is not None:
            self._timer.cancel()
        # Nor is whoever waited: without a circle it is freed at once.
        self._missed = lambda: None

    def _ring(self) -> None:
        self._timer = None
        if self._at is None:
            return
        if self._loop.time() < self._at:
            self._timer = self._loop.call_at(self._at, self._ring)
        else:
            self._missed()
