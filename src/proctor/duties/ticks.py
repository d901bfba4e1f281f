"""Ticks: TICK_5, TICK_60 and TICK_3600, for as long as somebody wants them.

1. A tick says that a multiple of its period since the epoch was passed, by the wall clock; so there
   is none at the start.
2. One timer, set to the next multiple; no timer while nobody subscribes.
3. The wall clock may be set: the timer rings at least once a minute and looks again.
   Several multiples that were passed together are one tick, the last.

Source: compat events.md, section 1.
"""

from __future__ import annotations

from proctor.core.events import Tick
from proctor.daemon.bus import EventBus
from proctor.daemon.host import Host, Timer

PERIODS = (5, 60, 3600)
_LOOK_AGAIN = 60.0


class Ticks:
    """Rings on the bus.  Made before anybody subscribes."""

    def __init__(self, host: Host, bus: EventBus) -> None:
        self._host = host
        self._bus = bus
        self._last: dict[int, int] = {}  # The last multiple of each period that somebody wants.
        self._timer: Timer | None = None
        bus.when_changed(self._subscriptions_changed)

    def close(self) -> None:
        """No more ticks."""
        self._last.clear()
        self._arm()

    def _subscriptions_changed(self) -> None:
        wall = self._host.wall()
        wanted = [period for period in PERIODS if self._bus.wants(f"TICK_{period}")]
        if wanted != list(self._last):
            self._last = {each: self._last.get(each, _multiple(each, wall)) for each in wanted}
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._last:
            wall = self._host.wall()
            rest = min(period - wall % period for period in self._last)
            self._timer = self._host.call_at(self._host.now() + min(rest, _LOOK_AGAIN), self._ring)

    def _ring(self) -> None:
        self._timer = None
        wall = self._host.wall()
        passed = [
            (period, _multiple(period, wall))
            for period, last in self._last.items()
            if last != _multiple(period, wall)
        ]
        self._last.update(passed)
        self._arm()
        for period, when in passed:
            self._bus.publish(Tick(period, when))


def _multiple(period: int, wall: float) -> int:
    return int(wall) - int(wall) % period
