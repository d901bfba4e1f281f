"""What waits in a pool, what is discarded, and when a rejected event comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proctor.duties.pools.pool import (
    LONGEST_DELAY,
    MAX_TRIES,
    START_UP_LIMIT,
    START_UP_SIZE,
    Letter,
    Pool,
)


def settled(buffer_size: int) -> Pool:
    """A pool whose listeners have said READY before."""
    pool = Pool(buffer_size)
    assert pool.settle() == []
    return pool


def take(pool: Pool, now: float = 0.0) -> Letter:
    letter = pool.next(now)
    assert letter is not None
    return letter


def test_events_leave_in_the_order_in_which_they_came() -> None:
    """Oldest first, with serials of the daemon and of the pool."""
    pool = settled(10)
    for serial in (3, 7, 8):
        pool.accept(serial, "TICK_5", "when:0")
    letters = [take(pool) for _ in range(3)]
    assert [(letter.serial, letter.poolserial) for letter in letters] == [(3, 0), (7, 1), (8, 2)]
    assert pool.next(0.0) is None


def test_the_oldest_is_discarded_when_the_buffer_is_full() -> None:
    """buffer_size bounds what waits, and what was lost is counted."""
    pool = settled(2)
    discarded = [pool.accept(serial, "E", "") for serial in range(4)]
    assert [[letter.serial for letter in lost] for lost in discarded] == [[], [], [0], [1]]
    assert pool.counts.overflowed == 2


def test_the_start_up_burst_waits_for_listeners_that_still_start() -> None:
    """More than buffer_size may wait until the first READY (G67), and all of it is delivered."""
    pool = Pool(2)
    for serial in range(50):
        assert pool.accept(serial, "E", "") == []
    pool.begin()
    assert [take(pool).serial for _ in range(50)] == list(range(50))


def test_after_the_burst_the_bound_holds() -> None:
    """buffer_size counts for what came after the first READY, while the burst is delivered."""
    pool = Pool(2)
    for serial in range(10):
        pool.accept(serial, "E", "")
    pool.begin()
    assert [take(pool).serial for _ in range(5)] == list(range(5))
    assert pool.accept(10, "E", "") == pool.accept(11, "E", "") == []
    assert [letter.serial for letter in pool.accept(12, "E", "")] == [5]
    while len(pool) > 2:
        take(pool)
    assert [letter.serial for letter in pool.accept(13, "E", "")] == [11]


def test_a_burst_that_nobody_will_take_is_cut_down() -> None:
    """No listener will be ready: the oldest go at once."""
    pool = Pool(2)
    for serial in range(5):
        pool.accept(serial, "E", "")
    assert [letter.serial for letter in pool.settle()] == [0, 1, 2]


def test_a_burst_of_much_text_is_cut_down() -> None:
    """Not the number of events fills the memory, but their size."""
    pool = Pool(2)
    lost: list[Letter] = []
    for serial in range(40):
        lost += pool.accept(serial, "E", "x" * (START_UP_SIZE // 20))
    assert [letter.serial for letter in lost] == list(range(38))


def test_even_the_start_up_burst_is_bounded() -> None:
    """A listener that never starts cannot fill the daemon's memory."""
    pool = Pool(2)
    for serial in range(START_UP_LIMIT + 5):
        pool.accept(serial, "E", "")
    assert len(pool) == START_UP_LIMIT
    assert pool.counts.overflowed == 5


def test_a_rejected_event_rests_while_others_go_on() -> None:
    """It comes back after a growing delay, and is dropped after MAX_TRIES (G1)."""
    pool = settled(10)
    pool.accept(0, "E", "")
    now, rests = 0.0, []
    while True:
        letter = take(pool, now)
        if not pool.rejected(letter, now):
            break
        deadline = pool.deadline
        assert deadline is not None
        assert pool.next(now) is None
        rests.append(deadline - now)
        now = deadline
    assert len(rests) == MAX_TRIES - 1
    assert rests == pytest.approx(sorted(rests))
    assert rests[0] == pytest.approx(0.1)
    assert rests[-1] == pytest.approx(LONGEST_DELAY)
    assert pool.counts.dropped == 1
    assert len(pool) == 0


def test_others_pass_a_resting_event() -> None:
    """One poisonous event does not hold up the rest."""
    pool = settled(10)
    pool.accept(0, "E", "")
    pool.accept(1, "E", "")
    assert pool.rejected(take(pool), 0.0)
    assert take(pool).serial == 1
    assert take(pool, 1.0).serial == 0


def test_an_event_whose_listener_died_is_next() -> None:
    """Redelivered at once, in front of what came later, with the same serials."""
    pool = settled(10)
    pool.accept(0, "E", "a")
    pool.accept(1, "E", "b")
    first = take(pool)
    assert pool.died(first, 0.0)
    again = take(pool)
    assert (again.serial, again.poolserial, again.payload) == (0, 0, "a")


def test_an_event_that_kills_a_second_listener_has_to_wait() -> None:
    """It counts as rejected then."""
    pool = settled(10)
    pool.accept(0, "E", "")
    pool.accept(1, "E", "")
    assert pool.died(take(pool), 0.0)
    assert pool.died(take(pool), 0.0)
    assert take(pool).serial == 1
    assert pool.next(0.0) is None
    assert pool.deadline is not None
    assert take(pool, pool.deadline).serial == 0


@given(st.lists(st.sampled_from(["accept", "take", "reject", "die", "pass", "begin"]), max_size=60))
def test_every_event_is_delivered_discarded_or_waiting(steps: list[str]) -> None:
    """Nothing vanishes and nothing is doubled, whatever the history; the buffer is bounded."""
    pool, now, accepted = Pool(3), 0.0, 0
    burst = 0
    held: list[Letter] = []
    delivered: list[int] = []
    lost: list[int] = []
    for step in steps:
        match step:
            case "accept":
                lost += [letter.serial for letter in pool.accept(accepted, "E", "")]
                accepted += 1
                assert pool.starting or len(pool) <= max(3, burst + 3)
            case "begin" if pool.starting:
                burst = len(pool) + len(held)
                pool.begin()
            case "take":
                letter = pool.next(now)
                held += [letter] if letter else []
            case "reject" if held:
                letter = held.pop()
                lost += [] if pool.rejected(letter, now) else [letter.serial]
            case "die" if held:
                letter = held.pop()
                lost += [] if pool.died(letter, now) else [letter.serial]
            case "pass":
                now += 1.0
                delivered += [letter.serial for letter in held]
                held.clear()
    waiting = []
    while (letter := pool.next(now + 100.0)) is not None:
        waiting.append(letter.serial)
    everything = delivered + lost + waiting + [letter.serial for letter in held]
    assert sorted(everything) == list(range(accepted))
