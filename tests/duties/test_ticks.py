"""TICK events: by the wall clock, and only for somebody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from builders import Heart, a_heart
from fakes import EPOCH
from proctor.core.events import Event, Tick
from proctor.duties.ticks import Ticks


class Clock:
    """Ticks on a fake machine, with those who listen."""

    def __init__(self, heart: Heart) -> None:
        self.host = heart.host
        self.bus = heart.bus
        # The heart of the tests hears everything; here nobody listens before a test says so.
        self.bus._subscriptions.clear()
        self.ticks = Ticks(heart.host, heart.bus)
        self.heard: list[Event] = []

    def when(self, period: int) -> list[int]:
        """The moments that were told, as seconds since the start."""
        ticks = (event for event in self.heard if isinstance(event, Tick))
        return [tick.when - int(EPOCH) for tick in ticks if tick.period == period]


@pytest.fixture
def clock() -> Iterator[Clock]:
    with a_heart() as heart:
        yield Clock(heart)


def test_nobody_listens_nothing_is_planned(clock: Clock) -> None:
    """An idle daemon sleeps."""
    assert clock.host.next_timer() is None
    clock.bus.subscribe(clock.heard.append, ["PROCESS_STATE"])
    assert clock.host.next_timer() is None


def test_ticks_come_at_multiples_and_none_at_the_start(clock: Clock) -> None:
    """EPOCH is a multiple of 5: the start itself is none that was passed."""
    clock.bus.subscribe(clock.heard.append, ["TICK_5"])
    clock.host.until(17)
    assert clock.when(5) == [5, 10, 15]
    assert clock.when(60) == []


def test_all_three(clock: Clock) -> None:
    """TICK hears all periods."""
    clock.host.until(2)
    clock.bus.subscribe(clock.heard.append, ["TICK"])
    clock.host.until(7300)
    first = -int(EPOCH) % 3600
    assert clock.when(5)[:2] == [5, 10]
    assert all((when + int(EPOCH)) % 60 == 0 for when in clock.when(60))
    assert clock.when(3600) == [first, first + 3600]
    assert len(clock.when(60)) in (121, 122)


def test_they_end_with_the_last_who_listens(clock: Clock) -> None:
    """And begin anew with the next, without one for the time between."""
    forget = clock.bus.subscribe(clock.heard.append, ["TICK_5"])
    clock.host.until(6)
    forget()
    assert clock.host.next_timer() is None
    clock.host.until(101)
    clock.bus.subscribe(clock.heard.append, ["TICK_5"])
    clock.host.until(104)
    assert clock.when(5) == [5]
    clock.host.until(105)
    assert clock.when(5) == [5, 105]


def test_a_clock_that_was_set_is_followed_within_a_minute(clock: Clock) -> None:
    """Hours that were jumped over are one tick."""
    clock.bus.subscribe(clock.heard.append, ["TICK_3600"])
    real = clock.host.wall
    clock.host.wall = lambda: real() + 2 * 3600  # type: ignore[method-assign]
    clock.host.until(61)
    first = -int(EPOCH) % 3600
    assert clock.when(3600) == [first + 3600]


def test_the_payload(clock: Clock) -> None:
    """The multiple, in seconds since the epoch."""
    clock.bus.subscribe(clock.heard.append, ["TICK_5"])
    clock.host.until(5)
    (event,) = clock.heard
    assert (event.name, event.payload) == ("TICK_5", f"when:{int(EPOCH) + 5}")
