"""From pipes to files: every byte, once, in order (compat logging.md; scenario rows 9, 11, 15)."""

from __future__ import annotations

import fcntl
import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from drain_desk import DrainDesk, log_files, numbered_lines, whole_log
from proctor.core.capture import BEGIN_TOKEN, END_TOKEN, Capture, Message, Piece, Text
from proctor.posix import courier, paths
from proctor.posix.drain import Drain
from proctor.posix.follow import Follower
from proctor.posix.logfile import LogFile
from proctor.posix.sinks import SyslogSink, open_sink
from support.waiting import until


@pytest.fixture
def desk() -> Iterator[DrainDesk]:
    with DrainDesk() as desk:
        yield desk


@pytest.fixture(params=[True, False], ids=["unseen", "seen"])
def seen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to a file: through splice, and through our memory (as on systems without it)."""
    if not request.param:
        monkeypatch.setattr("proctor.posix.linux.HAS_SPLICE", False)


def text(pieces: Sequence[Piece]) -> bytes:
    return b"".join(piece.data for piece in pieces if isinstance(piece, Text))


@pytest.mark.usefixtures("seen")
def test_everything_a_child_writes_is_in_its_log(desk: DrainDesk, tmp_path: Path) -> None:
    """10 MB at full speed, in uneven writes."""
    path, data = tmp_path / "log", random.Random(1).randbytes(10_000_000)
    writer, channel = desk.watch(LogFile(str(path), 0, 0))
    position = 0
    for size in (1, 100_000, 4096, 3_000_000, 7, 1_000_000, 10_000_000):
        writer.write(data[position : position + size])
        position += size
    writer.close()
    desk.until_closed(channel)
    assert path.read_bytes() == data
    assert channel.bytes_seen == len(data)
    assert channel.bytes_dropped == 0


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize(
    ("length", "limit", "count"), [(14, 1000, 5000), (100, 300_000, 30_000), (5003, 65_536, 1000)]
)
def test_rotation_keeps_every_line_whole(
    desk: DrainDesk, tmp_path: Path, length: int, limit: int, count: int
) -> None:
    """Each line once and in order, each file ends in a newline, none is far over the limit."""
    path, data = tmp_path / "log", numbered_lines(count, length)
    writer, channel = desk.watch(LogFile(str(path), limit, 10_000))
    writer.write(data)
    writer.close()
    desk.until_closed(channel)
    files = log_files(path)
    assert whole_log(path) == data
    assert all(file.read_bytes().endswith(b"\n") for file in files[:-1])
    assert all(limit - length < file.stat().st_size < limit + length for file in files[:-1])
    assert len(files) >= len(data) // (limit + length)


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize("backups", [0, 1, 3])
def test_only_as_many_files_stay_as_configured(
    desk: DrainDesk, tmp_path: Path, backups: int
) -> None:
    """The names are Supervisor's, and what stays is the end of the stream."""
    path, data = tmp_path / "log", numbered_lines(2050)
    writer, channel = desk.watch(LogFile(str(path), 10_000, backups))
    writer.write(data)
    writer.close()
    desk.until_closed(channel)
    names = [f"log.{number}" for number in range(backups, 0, -1)]
    assert [file.name for file in log_files(path)] == [*names, "log"]
    assert data.endswith(whole_log(path))
    assert len(whole_log(path)) == backups * 10_000 + 5000


@pytest.mark.usefixtures("seen")
def test_anything_may_be_in_the_stream(desk: DrainDesk, tmp_path: Path) -> None:
    """NUL, escapes, broken UTF-8, 10 MB without a newline, rotated all the while (row 11)."""
    path = tmp_path / "log"
    data = b"\0\x1b[31m\xff\xfe\xe4\xb8" + b"\xf0\x9f\x98\x80" * 2_500_000
    writer, channel = desk.watch(LogFile(str(path), 500_000, 100))
    writer.write(data)
    writer.close()
    desk.until_closed(channel)
    assert whole_log(path) == data


def test_a_loud_child_gets_a_larger_pipe(desk: DrainDesk, tmp_path: Path) -> None:
    """So that the thread may rest instead of waking up for each line."""
    if sys.platform != "linux":
        pytest.skip("pipes of other systems cannot be resized")
    writer, _channel = desk.watch(LogFile(str(tmp_path / "log"), 0, 0))
    before = fcntl.fcntl(writer.fd, fcntl.F_GETPIPE_SZ)

    def has_grown() -> bool:
        # What is loud is so within a second: on a busy machine that may take some attempts.
        for _ in range(10):
            writer.write_all(b"x" * 65536)
        return fcntl.fcntl(writer.fd, fcntl.F_GETPIPE_SZ) > before

    desk.until(has_grown)


def test_a_silent_child_costs_nothing(desk: DrainDesk, tmp_path: Path) -> None:
    """After its output is written there is no timer left: the thread sleeps until more comes."""
    writer, _channel = desk.watch(LogFile(str(tmp_path / "log"), 0, 0))
    writer.write_all(numbered_lines(10_000))
    desk.until(lambda: len(whole_log(tmp_path / "log")) == 1_000_000)
    desk.settle()
    writer.write_all(b"more\n")
    desk.until(lambda: whole_log(tmp_path / "log").endswith(b"more\n"))
    desk.settle()


def test_without_a_log_output_is_discarded(desk: DrainDesk) -> None:
    """The child never waits for a log it does not have."""
    writer, channel = desk.watch()
    writer.write_all(b"x" * 5_000_000)
    writer.close()
    desk.until(lambda: channel.bytes_seen == 5_000_000)


def test_several_targets_get_the_same(desk: DrainDesk, tmp_path: Path) -> None:
    """A file, a syslog that is not there (it may lose), and the loop."""
    path, data, heard = tmp_path / "log", numbered_lines(20_000), list[Piece]()
    syslog = SyslogSink("supervisord", "web", str(tmp_path / "nobody"))
    writer, channel = desk.watch(LogFile(str(path), 0, 0), syslog, deliver=heard.extend)
    writer.write(data)
    writer.close()
    desk.until_closed(channel)
    desk.until(lambda: len(text(heard)) == len(data))
    assert path.read_bytes() == data == text(heard)
    assert syslog.lost == 20_000


def test_messages_go_to_the_loop_and_not_to_the_log(desk: DrainDesk, tmp_path: Path) -> None:
    """Capture mode, with what was held back at the end (gotcha G22)."""
    path, heard = tmp_path / "log", list[Piece]()
    read, write = os.pipe()
    sinks, decoder = [LogFile(str(path), 0, 0)], Capture(1000)
    channel = desk.drain.watch(read, sinks, decoder, heard.extend)
    os.write(write, b"a" + BEGIN_TOKEN + b"told" + END_TOKEN + b"b<!--X")
    os.close(write)
    desk.finish(channel)
    assert path.read_bytes() == b"ab<!--X"
    assert text(heard) == b"ab<!--X"
    assert [piece for piece in heard if isinstance(piece, Message)] == [Message(b"told")]


def test_a_loop_that_lags_makes_the_child_wait(desk: DrainDesk) -> None:
    """Memory stays bounded, and nothing is lost when the loop goes on."""
    heard = list[Piece]()
    writer, channel = desk.watch(deliver=heard.extend)
    data = numbered_lines(80_000)
    writer.write(data)
    desk.drain.call(lambda: None, lambda _: None)
    seen = -1
    while seen != channel.bytes_seen or seen < courier.BOUND:
        seen = channel.bytes_seen
        writer._idle.wait(0.05)
    assert writer.blocked
    assert channel.bytes_seen <= courier.BOUND + paths.READ
    desk.until(lambda: len(text(heard)) == len(data))
    assert text(heard) == data


def test_the_last_words_are_in_the_log_before_the_end_is_told(
    desk: DrainDesk, tmp_path: Path
) -> None:
    """`finish` calls back when the log has everything, and the loop heard everything before."""
    for number in range(20):
        path, heard = tmp_path / f"log{number}", list[Piece]()
        looks = heard.extend if number % 2 else None
        writer, channel = desk.watch(LogFile(str(path), 0, 0), deliver=looks)
        writer.write_all(b"last words\n")
        desk.finish(channel)
        assert path.read_bytes() == b"last words\n"
        assert not looks or text(heard) == b"last words\n"
        writer.close()
        desk.until_closed(channel)


def test_a_silent_grandchild_does_not_hold_up_the_end(desk: DrainDesk, tmp_path: Path) -> None:
    """The pipe is still open on the other side; its time is limited (row 9, gotcha G35)."""
    writer, channel = desk.watch(LogFile(str(tmp_path / "log"), 0, 0))
    writer.write_all(b"parent\n")
    desk.finish(channel, grace=0.01)
    desk.until_closed(channel)
    writer.write_all(b"too late\n")
    assert (tmp_path / "log").read_bytes() == b"parent\n"


@pytest.mark.usefixtures("seen")
def test_a_grandchild_that_writes_on_is_heard_until_its_grace_is_over(
    desk: DrainDesk, tmp_path: Path
) -> None:
    """It neither holds up the end of its parent nor is it lost (row 9)."""
    path = tmp_path / "log"
    writer, channel = desk.watch(LogFile(str(path), 0, 0))
    data = numbered_lines(100_000)
    writer.write(data)
    desk.finish(channel)
    desk.until(lambda: channel.bytes_seen == len(data))
    assert path.read_bytes() == data
    writer.close()
    desk.until_closed(channel)


def test_a_channel_can_be_closed_at_once(desk: DrainDesk, tmp_path: Path) -> None:
    """The child's next write fails; closing again does no harm."""
    writer, channel = desk.watch(LogFile(str(tmp_path / "log"), 0, 0))
    channel.close()
    channel.close()
    desk.until_closed(channel)
    writer.write_all(b"nobody reads this")
    desk.finish(channel)


@pytest.mark.usefixtures("seen")
def test_a_log_moved_away_is_written_on_until_it_is_reopened(
    desk: DrainDesk, tmp_path: Path
) -> None:
    """logrotate: rename, then SIGUSR2.  No byte is lost between the two (row 15)."""
    path, data = tmp_path / "log", numbered_lines(100_000)
    sink = LogFile(str(path), 0, 0)
    writer, channel = desk.watch(sink)
    writer.write(data)
    for number in range(1, 20):
        desk.until(lambda: (path.exists() and path.stat().st_size > 0) or not writer.blocked)
        path.rename(tmp_path / f"old.{number}")
        assert desk.call(sink.reopen) is None
    writer.close()
    desk.until_closed(channel)
    moved = log_files(tmp_path / "old")[:-1]
    assert b"".join(file.read_bytes() for file in [*reversed(moved), path]) == data


@pytest.mark.usefixtures("seen")
def test_a_deleted_log_is_made_again(desk: DrainDesk, tmp_path: Path) -> None:
    """At the next line, with its old mode (row 15)."""
    path = tmp_path / "log"
    path.touch(0o640)
    writer, _channel = desk.watch(LogFile(str(path), 0, 0))
    writer.write_all(b"one\n")
    desk.until(lambda: path.read_bytes() == b"one\n")
    path.unlink()
    writer.write_all(b"two\n")
    desk.until(lambda: path.exists() and path.read_bytes() == b"two\n")
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.usefixtures("seen")
def test_a_truncated_log_has_no_hole(desk: DrainDesk, tmp_path: Path) -> None:
    """logrotate's copytruncate (row 15)."""
    path = tmp_path / "log"
    writer, _channel = desk.watch(LogFile(str(path), 0, 0))
    writer.write_all(b"before\n")
    desk.until(lambda: path.read_bytes() == b"before\n")
    os.truncate(path, 0)
    writer.write_all(b"after\n")
    desk.until(lambda: path.read_bytes() == b"after\n")


@pytest.mark.usefixtures("seen")
def test_two_streams_may_share_a_log(desk: DrainDesk, tmp_path: Path) -> None:
    """stdout and stderr in one rotated file, which corrupts it in the original (seed C4)."""
    path = tmp_path / "log"
    streams = (
        b"".join(b"%06d\n" % number for number in range(40_000)),
        b"".join(b"abcdefghij"[n % 10 : n % 10 + 1] * 6 + b"\n" for n in range(40_000)),
    )
    channels = []
    for stream in streams:
        writer, channel = desk.watch(LogFile(str(path), 10_000, 1000))
        writer.write(stream)
        writer.close()
        channels.append(channel)
    desk.until_closed(*channels)
    log = whole_log(path)
    assert len(log) == sum(map(len, streams))
    assert log.translate(None, b"\nabcdefghij") == streams[0].translate(None, b"\n")
    assert log.translate(None, b"\n0123456789") == streams[1].translate(None, b"\n")
    # A line may be torn by the other stream, so a file may be over its limit, but not by much.
    assert all(file.stat().st_size <= 20_000 for file in log_files(path))


@pytest.mark.usefixtures("seen")
def test_hundreds_of_rotations_under_load_and_somebody_follows(
    desk: DrainDesk, tmp_path: Path
) -> None:
    """The files and what the follower was given are both complete (row 15)."""
    path, data = tmp_path / "log", numbered_lines(12_000)
    writer, channel = desk.watch(LogFile(str(path), 4000, 400))
    follower, followed = Follower(str(path)), b""
    writer.write(data)
    writer.close()
    while channel.open_sinks() or followed[-100:] != data[-100:]:
        followed += follower.read()
    follower.close()
    assert len(log_files(path)) == 301
    assert whole_log(path) == data
    assert followed == data


def test_an_ended_channel_leaves_no_descriptor(tmp_path: Path) -> None:
    """Neither the pipe nor the log, nor those of the thread."""
    before = set(os.listdir("/dev/fd"))
    with DrainDesk() as desk:
        for number in range(50):
            writer, channel = desk.watch(LogFile(str(tmp_path / f"log{number}"), 0, 0))
            writer.write(b"hello\n")
            writer.close()
            desk.finish(channel)
            writer._thread.join()
    assert set(os.listdir("/dev/fd")) <= before


@pytest.mark.usefixtures("seen")
def test_a_log_that_was_moved_away_before_its_child_came_is_made_again(
    desk: DrainDesk, tmp_path: Path
) -> None:
    """Between the opening of its logs and its first word nobody can reopen them for it."""
    path, moved = tmp_path / "log", tmp_path / "moved"
    log = LogFile(str(path), 0, 0)
    path.rename(moved)
    writer, channel = desk.watch(log)
    writer.write_all(b"hello\n")
    desk.finish(channel)
    assert path.read_bytes() == b"hello\n"
    assert moved.read_bytes() == b""


def test_a_decoder_with_a_bug_stops_nobody_else(desk: DrainDesk, tmp_path: Path) -> None:
    """It is told once, and others are logged."""

    class Broken:
        def feed(self, data: bytes) -> Sequence[Piece]:
            raise ZeroDivisionError(data)

        def flush(self) -> Sequence[Piece]:
            return []

    read, write = os.pipe()
    desk.drain.watch(read, [], Broken())
    os.write(write, b"boom")
    desk.until(lambda: any("ZeroDivisionError" in report for report in desk.reports))
    writer, channel = desk.watch(LogFile(str(tmp_path / "log"), 0, 0))
    writer.write_all(b"fine\n")
    desk.finish(channel)
    assert (tmp_path / "log").read_bytes() == b"fine\n"
    os.close(write)


def test_the_lines_of_a_moment_wake_the_thread_once(tmp_path: Path) -> None:
    """When the loop says so; nothing comes of that after the end."""
    later: list[Callable[[], None]] = []
    drain = Drain(lambda _callback: None, soon=later.append)
    drain.start()
    sink = open_sink(str(tmp_path / "log"), 0, 0)
    for line in (b"one\n", b"two\n", b"three\n"):
        drain.write(sink, line)
    assert len(later) == 1
    later.pop()()
    until(lambda: (tmp_path / "log").read_bytes() == b"one\ntwo\nthree\n", "all is written")
    drain.write(sink, b"four\n")
    until(drain.stop, "the thread ends")
    assert (tmp_path / "log").read_bytes().endswith(b"four\n")
    later.pop()()
    sink.close()


def test_a_line_that_comes_after_the_end_is_lost(tmp_path: Path) -> None:
    """Whoever hears of its last answers may want to say something; that is no error."""
    later: list[Callable[[], None]] = []
    drain = Drain(lambda _callback: None, soon=later.append)
    drain.start()
    sink = open_sink(str(tmp_path / "log"), 0, 0)
    until(drain.stop, "the thread ends")
    taken = drain.write(sink, b"late\n")
    for wake in later:
        wake()
    assert not taken
    sink.close()


def test_a_pipe_that_ended_is_over(desk: DrainDesk, tmp_path: Path) -> None:
    """Then all is in the log, and nobody need ask; not if the loop has still to hear of it."""
    path = tmp_path / "log"
    writer, channel = desk.watch(LogFile(str(path), 0, 0))
    heard, other = desk.watch(deliver=lambda _pieces: None)
    assert not channel.is_over
    for end in (writer, heard):
        end.write(b"last words")
        end.close()
    desk.until(lambda: channel.is_over)
    assert path.read_bytes() == b"last words"
    assert not other.is_over


def test_a_call_that_is_impossible_is_answered(desk: DrainDesk) -> None:
    """A path that no system call takes: whoever asked must not wait for ever."""
    error = desk.call(lambda: os.stat("no\0path"))
    assert isinstance(error, OSError)
    assert "null" in str(error.strerror)
