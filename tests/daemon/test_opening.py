"""Logs opened before there is a child, by the real drain thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from drain_desk import PATIENCE, DrainDesk
from proctor.daemon.opening import Opened, Opening
from proctor.posix.sinks import Sink, open_sink


@pytest.fixture
def desk() -> Iterator[DrainDesk]:
    with DrainDesk() as desk:
        yield desk


class SlowDisk:
    """Opens `log` for each channel; the thread is held up between the open and its answer."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.begun, self.go_on = threading.Event(), threading.Event()

    def open_sinks(self, _channel: str) -> Iterator[Sink]:
        yield open_sink(str(self.log), 0, 0)
        self.begun.set()
        assert self.go_on.wait(PATIENCE), "the test goes on"


def held(log: Path) -> int:
    """How many descriptors of this log there are."""
    names = []
    for fd in os.listdir("/dev/fd"):
        try:
            names.append(os.path.samefile(f"/dev/fd/{fd}", log))
        except OSError:
            continue  # The one of the directory itself, or a socket.
    return sum(names)


def test_what_is_abandoned_while_the_thread_opens_it_is_closed(
    desk: DrainDesk, tmp_path: Path
) -> None:
    """The loop does not wait for the thread; what comes of it later is not forgotten."""
    disk = SlowDisk(tmp_path / "log")
    opening = Opening(desk.drain, ["stdout", "stderr"], disk.open_sinks)
    assert disk.begun.wait(PATIENCE)
    assert held(disk.log) == 1
    opening.abandon()
    disk.go_on.set()
    desk.until(lambda: held(disk.log) == 0)


def test_what_is_asked_for_while_the_thread_opens_it_is_told_once(
    desk: DrainDesk, tmp_path: Path
) -> None:
    """As soon as it is there; who abandons it afterwards has it closed."""
    disk = SlowDisk(tmp_path / "log")
    opening = Opening(desk.drain, ["stdout", "stderr"], disk.open_sinks)
    answers: list[Opened | OSError] = []
    assert disk.begun.wait(PATIENCE)
    opening.tell(answers.append)
    assert not answers
    disk.go_on.set()
    desk.until(lambda: bool(answers))
    desk.settle()
    [opened] = answers
    assert isinstance(opened, Opened)
    assert held(disk.log) == 2
    opening.abandon()
    desk.until(lambda: held(disk.log) == 0)
