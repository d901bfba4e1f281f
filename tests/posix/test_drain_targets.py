"""Targets that do not take what they are given: full, stopped, gone (scenario rows 1 and 10)."""

from __future__ import annotations

import os
import socket
import tty
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from drain_desk import DrainDesk, numbered_lines
from proctor.posix.channel import Channel
from proctor.posix.drain import LINES
from proctor.posix.logfile import LogFile
from proctor.posix.sinks import StreamSink, open_sink
from support.waiting import until

DATA = numbered_lines(30_000)


@pytest.fixture
def desk() -> Iterator[DrainDesk]:
    with DrainDesk() as desk:
        yield desk


class Target:
    """Something to write into: `path` for open_sink, and the end at which it can be read."""

    def __init__(self, kind: str, directory: Path) -> None:
        self.fds: list[int] = []
        if kind == "pipe":
            self.reader, end = os.pipe()
        elif kind == "terminal":
            self.reader, end = os.openpty()
            tty.setraw(end)
        elif kind == "socket":
            left, right = socket.socketpair()
            self.reader, end = left.detach(), right.detach()
        else:
            self.path = str(directory / "fifo")
            os.mkfifo(self.path)
            self.reader = -1
            return
        self.fds = [self.reader, end]
        self.path = f"/dev/fd/{end}"

    def read_all(self, desk: DrainDesk, channel: Channel, count: int) -> bytes:
        """What comes out until it is `count` bytes and the channel is closed."""
        self.open_reader()
        data = b""
        while channel.open_sinks() or len(data) < count:
            try:
                data += os.read(self.reader, 1 << 20)
            except BlockingIOError:
                desk.turn()
        return data

    def open_reader(self) -> None:
        if self.reader < 0:
            self.reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
            self.fds.append(self.reader)
        os.set_blocking(self.reader, False)

    def close(self) -> None:
        for fd in self.fds:
            os.close(fd)


@pytest.fixture(params=["pipe", "terminal", "socket", "fifo"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    target = Target(request.param, tmp_path)
    yield target
    target.close()


@pytest.mark.parametrize("maxbytes", [0, 50 << 20])
def test_a_target_that_nobody_reads_stops_only_its_own_child(
    desk: DrainDesk, target: Target, tmp_path: Path, maxbytes: int
) -> None:
    """The child waits; others are logged; nothing is lost once somebody reads (row 1)."""
    writer, channel = desk.watch(open_sink(target.path, maxbytes, 10))
    writer.write(DATA)
    writer.close()

    other, other_channel = desk.watch(LogFile(str(tmp_path / "other"), 0, 0))
    other.write_all(DATA)
    other.close()
    desk.until(lambda: not other_channel.open_sinks())
    assert (tmp_path / "other").read_bytes() == DATA
    desk.settle()
    assert writer.blocked

    assert target.read_all(desk, channel, len(DATA)) == DATA
    assert channel.bytes_dropped == 0
    assert desk.reports == []


def test_a_limit_on_what_cannot_be_rotated_is_told_once(desk: DrainDesk, target: Target) -> None:
    """Not once a line, and data goes on (gotcha G19)."""
    target.open_reader()
    for _ in range(3):
        writer, channel = desk.watch(open_sink(target.path, 1000, 10))
        writer.write(b"x" * 1500)
        writer.close()
        target.read_all(desk, channel, 1500)
    desk.until(lambda: bool(desk.advice))
    assert desk.reports == []
    assert desk.advice == [f"{target.path} cannot be rotated, only regular files can"]


def test_the_end_of_a_child_does_not_wait_for_its_target(desk: DrainDesk, target: Target) -> None:
    """It is told at once; what the target has not taken when the grace is over is counted."""
    writer, channel = desk.watch(open_sink(target.path, 0, 0))
    writer.write(DATA)
    desk.until_stuck(writer)
    desk.finish(channel, grace=0.01)
    desk.until(lambda: not channel.open_sinks())
    assert channel.bytes_dropped > 0
    desk.until(lambda: not writer.blocked)
    assert any("takes no more output" in report for report in desk.reports)


def test_stopping_does_not_wait_for_a_target(target: Target) -> None:
    """The daemon ends whatever becomes of the last lines (row 1: SIGTERM is obeyed)."""
    with DrainDesk() as desk:
        writer, _channel = desk.watch(open_sink(target.path, 0, 0))
        writer.write(DATA)
        desk.until_stuck(writer)
        until(lambda: desk.drain.stop(patience=0.01), "the thread ends")
        assert not desk.drain._thread.is_alive()
        desk.drain.stop = lambda patience=0.0: True  # type: ignore[method-assign]


def test_a_full_device_stops_nobody(desk: DrainDesk) -> None:
    """Like a full disk: the child goes on, its output is lost and counted, one line says so."""
    writer, channel = desk.watch(open_sink("/dev/full", 50 << 20, 10))
    writer.write_all(DATA)
    desk.finish(channel, grace=0.01)
    writer.close()
    desk.until(lambda: not channel.open_sinks())
    assert channel.bytes_dropped == channel.bytes_seen == len(DATA)
    assert desk.reports == ["cannot write to /dev/full: No space left on device; will try again"]


def test_a_reader_that_is_gone_stops_nobody(desk: DrainDesk) -> None:
    """As with `supervisord -n | head`: the child goes on, the loss is told once."""
    reader, end = os.pipe()
    sink = open_sink(f"/dev/fd/{end}", 0, 0)
    os.close(end)
    os.close(reader)
    writer, channel = desk.watch(sink)
    writer.write_all(DATA)
    writer.close()
    desk.finish(channel, grace=0.01)
    desk.until(lambda: not channel.open_sinks())
    assert len(desk.reports) == 1
    assert "Broken pipe" in desk.reports[0]


def test_the_daemons_own_lines_wait_for_a_slow_target(desk: DrainDesk, target: Target) -> None:
    """In order and whole; the loop that writes them never waits."""
    sink = open_sink(target.path, 0, 0)
    lines = DATA.splitlines(keepends=True)[:5000]
    for line in lines:
        desk.drain.write(sink, line)
    desk.settle()
    data = b""
    target.open_reader()
    while len(data) < 500_000:
        with suppress(BlockingIOError):
            data += os.read(target.reader, 1 << 20)
        desk.turn()
    assert data == b"".join(lines)
    desk.call(sink.close)


def test_the_daemons_own_lines_are_bounded(desk: DrainDesk, tmp_path: Path) -> None:
    """A target that takes nothing for long loses lines; that is told, once."""
    os.mkfifo(tmp_path / "fifo")
    sink = open_sink(str(tmp_path / "fifo"), 0, 0)
    for _ in range(5 * LINES // 100_000):
        desk.drain.write(sink, b"x" * 99_999 + b"\n")
        desk.settle()
    assert desk.drain._outboxes[sink].size < LINES + 200_000
    desk.until(lambda: bool(desk.reports))
    assert desk.reports == [f"{sink.name} takes no more output; some is lost"]
    desk.call(sink.close)


def test_our_own_descriptor_stays_as_it_was(target: Target) -> None:
    """Making it non-blocking would surprise whoever shares it."""
    if target.fds:
        end = target.fds[1]
        sink = open_sink(target.path, 0, 0)
        assert os.get_blocking(end)
        sink.close()


def test_a_description_that_cannot_be_had_anew_is_written_politely(
    desk: DrainDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe of another user: shared, blocking, and still nobody waits for it."""
    reader, end = os.pipe()

    def refused(*_: object) -> int:
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr("proctor.posix.sinks.os.open", refused)
        sink = open_sink(f"/dev/fd/{end}", 0, 0)
    assert isinstance(sink, StreamSink)
    writer, channel = desk.watch(sink)
    writer.write(DATA)
    writer.close()
    desk.settle()
    assert writer.blocked
    data = b""
    os.set_blocking(reader, False)
    while channel.open_sinks() or len(data) < len(DATA):
        try:
            data += os.read(reader, 1 << 20)
        except BlockingIOError:
            desk.turn()
    assert data == DATA
    os.close(reader)
    os.close(end)


def test_a_file_behind_dev_stdout_is_appended_to_through_it(
    desk: DrainDesk, tmp_path: Path
) -> None:
    """`supervisord -n > file`: one offset for all, so nothing is overwritten (gotcha G20)."""
    end = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    os.write(end, b"first\n")
    writer, channel = desk.watch(open_sink(f"/dev/fd/{end}", 0, 0))
    writer.write_all(b"second\n")
    desk.finish(channel)
    os.write(end, b"third\n")
    os.close(end)
    assert (tmp_path / "file").read_bytes() == b"first\nsecond\nthird\n"


def test_a_fifo_may_change_its_readers(desk: DrainDesk, tmp_path: Path) -> None:
    """Nothing is lost between two of them, and reopening it is harmless."""
    path = str(tmp_path / "fifo")
    os.mkfifo(path)
    sink = open_sink(path, 0, 0)
    writer, _channel = desk.watch(sink)
    for text in (b"one\n", b"two\n", b"three\n"):
        writer.write_all(text)
        reader = os.open(path, os.O_RDONLY)
        assert os.read(reader, 100) == text
        os.close(reader)
        assert desk.call(sink.reopen) is None
