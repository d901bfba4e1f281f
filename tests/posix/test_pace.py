"""Pace, move by move, on a real pipe that nobody writes to unless it is said."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from proctor.posix import linux
from proctor.posix.pace import LARGE, LOUD, RESTS, Pace
from proctor.posix.paths import MOST


@pytest.fixture
def pace() -> Iterator[Pace]:
    """Of a pipe that has become large: its child was loud."""
    ours, theirs = os.pipe()
    pace = Pace(ours)
    pace.rest(LOUD + 1)
    assert pace.size == LARGE
    yield pace
    os.close(ours)
    os.close(theirs)


def test_a_quiet_child_is_never_left_alone() -> None:
    """Nor is its pipe another one."""
    ours, theirs = os.pipe()
    pace = Pace(ours)
    size = pace.size
    assert [pace.rest(1000) for _ in range(5)] == [0.0] * 5
    assert linux.pipe_size(ours) == size
    os.close(ours)
    os.close(theirs)


def test_a_loud_child_is_left_alone_after_a_small_move(pace: Pace) -> None:
    """After a large one there may be more at once."""
    assert pace.rest(1) == RESTS[-1]
    assert pace.rest(LARGE // 2) == 0.0


def test_how_long_depends_on_what_gathers_meanwhile(pace: Pace) -> None:
    """Longer while it is little; less where it fills the largest pipe, since its child would have
    to wait."""
    slower = [pace.rest(1) for _ in range(len(RESTS) + 1)]
    assert slower == [*reversed(RESTS), RESTS[0]]
    pace.rest(LARGE)
    assert pace.size == MOST
    for seconds in (RESTS[0], *RESTS[1:], RESTS[-1]):
        assert pace.rest(1) == seconds
        pace.rest(MOST)
