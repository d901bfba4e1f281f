"""Merged: one kind of log line that may come by the thousand.

The first is written at once, then at most one an interval, with the number of those it stands for.
Without such lines there is no timer.
"""

from __future__ import annotations

from collections.abc import Callable

from proctor.daemon.host import Host, Timer

# Seconds between two lines of a kind.
INTERVAL = 60.0


class Merged:
    """`write` gets the lines that remain."""

    def __init__(self, host: Host, write: Callable[[str], None]) -> None:
        self._host = host
        self._write = write
        self._last = ""
        self._count = 0
        self._timer: Timer | None = None

    def say(self, text: str) -> None:
        """Write this line, now or together with others like it."""
        if self._timer is None:
            self._write(text)
            self._rest()
        else:
            self._last = text
            self._count += 1

    def flush(self) -> None:
        """Write what was not written yet, and forget the interval."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        count, self._count = self._count, 0
        if count:
            times = f" ({count} times in the last {INTERVAL:g} seconds)" if count > 1 else ""
            self._write(self._last + times)

    def _rest(self) -> None:
        self._timer = self._host.call_at(self._host.now() + INTERVAL, self._ring)

    def _ring(self) -> None:
        pending = self._count
        self.flush()
        if pending:
            self._rest()
