"""Conversations on a real loop, with real pipes and a real drain thread."""

from __future__ import annotations

import asyncio
import os
import selectors
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from proctor.posix import conversation
from proctor.posix.conversation import Conversation, LogChannel, Talks
from proctor.posix.drain import Drain
from proctor.posix.logfile import LogFile
from proctor.posix.sinks import Sink
from support.waiting import until

PATIENCE = 100.0


def void(_: object) -> None:
    """Whatever it was."""


class Stage:
    """A loop, a drain, and the child's end of a pipe.  Everything that was heard is in `heard`."""

    def __init__(self, watch: Callable[[int, Sequence[Sink]], LogChannel] | None = None) -> None:
        selector = selectors.DefaultSelector()
        self.loop = asyncio.SelectorEventLoop(selector)
        self.drain = Drain(lambda callback: void(self.loop.call_soon_threadsafe(callback)))
        self.drain.start()
        self.problems: list[object] = []
        self.loop.set_exception_handler(lambda _, context: self.problems.append(context))
        self.reports: list[str] = []
        fileno: Callable[[], int] = getattr(selector, "fileno")  # noqa: B009
        self.talks = Talks(self.loop, fileno(), watch or self.drain.watch, self.reports.append)
        self.heard = b""
        self.child = -1

    def converse(self, *sinks: Sink, hear: Callable[[bytes], None] | None = None) -> Conversation:
        """A new pipe to a child."""
        ours, self.child = os.pipe()
        return self.talks.converse(ours, sinks, hear or self.hear)

    def hear(self, data: bytes) -> None:
        """Remember it."""
        self.heard += data

    def turn(self) -> None:
        """Let the loop turn for a moment."""
        self.loop.run_until_complete(asyncio.sleep(0.001))

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the loop turn until it is so."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, "it never became so"
            self.turn()

    def finish(self, talk: Conversation) -> None:
        """The process has ended; wait until that is done."""
        done: list[bool] = []
        talk.finish(lambda: done.append(True))
        self.until(lambda: bool(done))

    def close(self) -> None:
        """Give everything back."""
        if self.child >= 0:
            os.close(self.child)
        until(self.drain.stop, "the thread ends")
        self.loop.close()
        assert not self.problems


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.close()


def test_what_is_said_is_heard_and_logged(stage: Stage, tmp_path: Path) -> None:
    """Heard at once; in the log a moment later, before anybody hears of the end."""
    log = tmp_path / "log"
    talk = stage.converse(LogFile(str(log), 0, 0))
    os.write(stage.child, b"READY\n")
    stage.until(lambda: stage.heard == b"READY\n")
    stage.until(lambda: log.read_bytes() == b"READY\n")
    os.write(stage.child, b"last words")
    stage.finish(talk)
    assert stage.heard == log.read_bytes() == b"READY\nlast words"


def test_without_a_log(stage: Stage) -> None:
    """stdout_logfile=NONE."""
    talk = stage.converse()
    os.write(stage.child, b"a")
    stage.finish(talk)
    assert stage.heard == b"a"
    assert talk.open_sinks() == ()


def test_a_log_keeps_every_byte_of_a_flood(stage: Stage, tmp_path: Path) -> None:
    """A child that writes faster than the log is written has to wait; nothing is lost."""
    log = tmp_path / "log"
    talk = stage.converse(LogFile(str(log), 0, 0))
    os.set_blocking(stage.child, False)
    data, sent = os.urandom(5_000_000), 0
    while sent < len(data):
        try:
            sent += os.write(stage.child, data[sent : sent + 65536])
        except BlockingIOError:
            stage.turn()
    stage.until(lambda: stage.heard == data)
    stage.finish(talk)
    assert log.read_bytes() == data
    assert stage.reports == []


class FrozenLog:
    """A log that takes nothing: the disk is frozen."""

    bytes_seen = bytes_dropped = rotations = 0

    def __init__(self, fd: int, sinks: Sequence[Sink]) -> None:
        self.fd = fd
        self.sinks = sinks

    def open_sinks(self) -> Sequence[Sink]:
        """Its sinks."""
        return self.sinks

    def finish(self, done: Callable[[], None]) -> None:
        """At once."""
        os.close(self.fd)
        for sink in self.sinks:
            sink.close()
        done()


def test_a_frozen_log_does_not_stop_the_conversation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is to raise the alarm about the disk is still heard; the loss is told."""
    monkeypatch.setattr(conversation, "_FROZEN", 0.01)
    stage = Stage(FrozenLog)
    try:
        talk = stage.converse(LogFile(str(tmp_path / "log"), 0, 0))
        for number in range(20):
            os.write(stage.child, b"x" * 20_000)
            stage.until(lambda: len(stage.heard) == 20_000 * (number + 1))  # noqa: B023
        stage.finish(talk)
        (report,) = stage.reports
        assert "bytes were not logged" in report
    finally:
        stage.close()


def test_one_that_never_stops_talking_does_not_keep_others_waiting(stage: Stage) -> None:
    """Each word causes the next one: timers and other descriptors still have their turn."""
    words = 0
    other_read, other_write = os.pipe()
    seen: list[str] = []

    def hear(data: bytes) -> None:
        nonlocal words
        words += 1
        if words == 10:
            os.write(other_write, b"x")
        if len(seen) < 2 and words < 3_000_000:
            os.write(stage.child, b"again")

    talk = stage.converse(hear=hear)

    def served() -> None:
        os.read(other_read, 1)
        seen.append("descriptor")

    stage.loop.add_reader(other_read, served)
    stage.loop.call_later(0.001, seen.append, "timer")
    os.write(stage.child, b"first")
    stage.until(lambda: len(seen) == 2)
    assert words < 3_000_000
    stage.finish(talk)
    stage.loop.remove_reader(other_read)
    os.close(other_read)
    os.close(other_write)


def test_catching_up_hears_what_was_said(stage: Stage) -> None:
    """Without a turn of the loop, and without waiting for more."""
    stage.talks.catch_up()
    talk = stage.converse()
    stage.talks.catch_up()
    os.write(stage.child, b"READY")
    stage.talks.catch_up()
    assert stage.heard == b"READY"
    stage.talks.catch_up()
    stage.finish(talk)
    stage.talks.catch_up()


def test_a_bug_in_what_is_heard_is_told_and_goes_no_further(stage: Stage) -> None:
    """Whoever catches up has something else to do, and the others are heard."""

    def stumble(data: bytes) -> None:
        raise ZeroDivisionError(data)

    talks = []
    for hear in (stumble, stage.hear):
        talks.append(stage.converse(hear=hear))
        os.write(stage.child, b"READY")
        if hear is stumble:
            os.close(stage.child)
    stage.talks.catch_up()
    assert stage.heard == b"READY"
    (problem,) = stage.problems
    assert isinstance(problem, dict)
    assert isinstance(problem["exception"], ZeroDivisionError)
    stage.problems.clear()
    for talk in talks:
        stage.finish(talk)


def test_a_child_that_closes_its_stdout(stage: Stage) -> None:
    """The end of the pipe is not the end of the process, and costs nothing."""
    talk = stage.converse()
    os.write(stage.child, b"bye")
    os.close(stage.child)
    stage.child = -1
    stage.until(lambda: stage.heard == b"bye")
    stage.finish(talk)


def test_what_grandchildren_say_later_is_not_heard(stage: Stage) -> None:
    """A listener's child that outlives it must not break the protocol of the next one."""
    talk = stage.converse()
    os.write(stage.child, b"a")
    stage.finish(talk)
    with pytest.raises(BrokenPipeError):
        os.write(stage.child, b"b")
    assert stage.heard == b"a"
