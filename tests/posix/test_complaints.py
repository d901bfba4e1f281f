"""What is said about places for output, and how often (scenario row 12)."""

from __future__ import annotations

import errno

import pytest

from proctor.posix import complaints
from proctor.posix.complaints import Complaints

FULL = OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_is_full_again_and_again_is_told_once_an_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody else frees a little now and then: no line for each time, and no loss untold."""
    said: list[str] = []
    telling = Complaints(said.append)
    for _ in range(100):
        telling.failed("log", FULL)
        telling.lost("log", 10)
        telling.works("log")
    assert said == [
        "cannot write to log: No space left on device; will try again",
        "can write to log again; 10 bytes lost",
    ]
    monkeypatch.setattr(complaints, "INTERVAL", 0.0)
    telling.failed("log", FULL)
    telling.works("log")
    assert said[2:] == [
        "cannot write to log: No space left on device; will try again (990 bytes lost so far)",
        "can write to log again; 990 bytes lost",
    ]


def test_other_places_are_told_of_by_themselves() -> None:
    """One in trouble hides no other."""
    said: list[str] = []
    telling = Complaints(said.append)
    telling.failed("a", FULL)
    telling.lost("b", 1)
    telling.works("c")
    assert [text.split(":")[0] for text in said] == [
        "cannot write to a",
        "b takes no more output; some is lost",
    ]
