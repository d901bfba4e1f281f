"""Reactor: what the drain thread waits for: descriptors, moments, and calls from the loop.

Everything but `call_soon` belongs to the thread that runs it.  With nothing to do it sleeps: there
is no tick.
"""

from __future__ import annotations

import heapq
import itertools
import os
import selectors
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

Callback = Callable[[], None]


class Timer:
    """A call that is due at a moment of the monotonic clock."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callback) -> None:
        self.when = when
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        """Do not make the call."""
        self.callback = None


class Reactor:
    """A selector, a heap of timers, and a queue that other threads may add to."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._serial = itertools.count()
        self._calls: deque[Callback] = deque()
        # Whether a wake-up is on its way, so that a thousand calls in a row cost one.
        self._woken = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._swallow_wake)

    def call_soon(self, callback: Callback) -> None:
        """Call back in the thread that runs this, in order.  From any thread."""
        self.queue(callback)
        self.wake()

    def queue(self, callback: Callback) -> None:
        """The same, but the thread need not wake up for it before it is told to `wake`."""
        self._calls.append(callback)

    def wake(self) -> None:
        """Let the thread wake up, if it sleeps."""
        # First the call, then the question: `_swallow_wake` answers it before the calls are made.
        if not self._woken:
            self._woken = True
            os.write(self._wake_write, b"\0")

    def call_later(self, seconds: float, callback: Callback) -> Timer:
        """Call back after `seconds`."""
        timer = Timer(time.monotonic() + seconds, callback)
        heapq.heappush(self._timers, (timer.when, next(self._serial), timer))
        return timer

    def when_readable(self, fd: int, callback: Callback) -> None:
        """Call back while `fd` is readable or at its end.  Raises PermissionError for files."""
        self._selector.register(fd, selectors.EVENT_READ, callback)

    def when_writable(self, fd: int, callback: Callback) -> None:
        """Call back while `fd` is writable or broken.  Raises PermissionError for files."""
        self._selector.register(fd, selectors.EVENT_WRITE, callback)

    def forget(self, fd: int) -> None:
        """Wait no longer for `fd`, which must still be open."""
        self._selector.unregister(fd)

    def turn(self) -> None:
        """Wait for something, and do it."""
        for key, _mask in self._selector.select(self._patience()):
            # An earlier callback of this turn may have given up waiting for this one.
            if self._selector.get_map().get(key.fd) is key:
                key.data()
        self._run_timers()
        for _ in range(len(self._calls)):
            self._calls.popleft()()

    def close(self) -> None:
        """Give everything back.  No call_soon may follow."""
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _patience(self) -> float | None:
        if self._calls:
            return 0.0
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None

    def _run_timers(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            callback = heapq.heappop(self._timers)[2].callback
            if callback is not None:
                callback()

    def _swallow_wake(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        self._woken = False
