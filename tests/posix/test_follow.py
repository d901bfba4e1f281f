"""Following a log over everything that may happen to it (compat logging.md, section 10)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drain_desk import numbered_lines
from proctor.core.faults import Fault
from proctor.posix.follow import FIRST, MOST, TRUNCATED, Follower, Place, Range, read_placed
from proctor.posix.logfile import LogFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def follower(path: Path) -> Iterator[Follower]:
    """One that has read everything so far."""
    path.write_bytes(b"old\n")
    with closing(Follower(str(path))) as follower:
        assert everything(follower) == b"old\n"
        yield follower


def everything(follower: Follower) -> bytes:
    return b"".join(iter(follower.read, b""))


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


@pytest.mark.parametrize("size", [0, 10, FIRST, FIRST + 1, 10 * FIRST])
def test_it_begins_with_the_end_of_the_log(path: Path, size: int) -> None:
    """The last 1024 bytes."""
    data = os.urandom(size)
    path.write_bytes(data)
    with closing(Follower(str(path))) as follower:
        assert everything(follower) == data[-FIRST:]
        append(path, b"more")
        assert everything(follower) == b"more"


def test_it_waits_for_a_log_that_is_not_there(path: Path) -> None:
    """And reads it from its start."""
    with closing(Follower(str(path))) as follower:
        assert follower.read() == b""
        path.write_bytes(b"x" * 5000)
        assert everything(follower) == b"x" * 5000


def test_it_reads_much_in_pieces(path: Path, follower: Follower) -> None:
    """So that a long absence needs no memory."""
    append(path, b"x" * (3 * MOST + 1))
    assert [len(follower.read()) for _ in range(5)] == [MOST, MOST, MOST, 1, 0]


def test_what_was_written_before_a_rotation_comes_first(path: Path, follower: Follower) -> None:
    """The old file is read to its end."""
    append(path, b"last\n")
    path.rename(f"{path}.1")
    path.write_bytes(b"first\n")
    assert everything(follower) == b"last\nfirst\n"


def test_several_rotations_between_two_reads_are_no_gap(path: Path, follower: Follower) -> None:
    """The files between are found by their numbers."""
    with closing(LogFile(str(path), 1000, 20)) as log:
        log.write(numbered_lines(55))
    assert everything(follower) == numbered_lines(55)


def test_a_log_that_was_rotated_out_is_followed_by_the_newest(
    path: Path, follower: Follower
) -> None:
    """What no file holds any more cannot be read."""
    with closing(LogFile(str(path), 1000, 1)) as log:
        log.write(numbered_lines(55))
    assert everything(follower) == numbered_lines(9) + path.read_bytes()


def test_a_cleared_log_is_read_from_its_start(path: Path, follower: Follower) -> None:
    """After the rest of the old one; backups of before are not read again."""
    Path(f"{path}.1").write_bytes(b"long ago\n")
    append(path, b"rest\n")
    with closing(LogFile(str(path), 0, 0)) as log:
        log.clear()
        log.write(b"new\n")
    assert everything(follower) == b"rest\nnew\n"


def test_a_log_moved_away_is_followed_until_there_is_a_new_one(
    path: Path, follower: Follower
) -> None:
    """logrotate with SIGUSR2: the daemon still writes to the old file for a while."""
    moved = path.rename(path.with_name("elsewhere"))
    append(moved, b"still here\n")
    assert everything(follower) == b"still here\n"
    path.write_bytes(b"new\n")
    append(moved, b"late\n")
    assert everything(follower) == b"late\nnew\n"


def test_a_truncated_log_is_announced(path: Path, follower: Follower) -> None:
    """And read from its start."""
    os.truncate(path, 0)
    append(path, b"new")
    assert everything(follower) == TRUNCATED + b"new"


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    """A FIFO would have its data stolen, a directory has none."""
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", "."):
        with closing(Follower(str(tmp_path / name))) as follower:
            assert follower.read() == b""


@given(st.lists(st.one_of(st.none(), st.integers(1, 12)), max_size=40))
def test_any_order_of_writing_and_reading_gives_every_byte_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int | None]
) -> None:
    """None reads; a number writes so many lines, which rotates a small log again and again."""
    path = tmp_path_factory.mktemp("log") / "log"
    data, position, followed = numbered_lines(500, 20), 0, b""
    with closing(LogFile(str(path), 60, 1000)) as log, closing(Follower(str(path))) as follower:
        for step in steps:
            if step is None:
                followed += everything(follower)
            else:
                log.write(data[position : position + step * 20])
                position += step * 20
        followed += everything(follower)
    assert followed == data[:position]


@given(before=st.integers(0, 60), rotations=st.integers(0, 3), after=st.integers(0, 60))
def test_who_comes_back_with_a_place_goes_on_there(
    before: int, rotations: int, after: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Also when the log was rotated meanwhile: every byte once, in order."""
    path = tmp_path_factory.mktemp("log") / "log"
    log = LogFile(str(path), 0, 5)
    with closing(log):
        log.write(b"b" * before)
        found = read_placed(str(path), 0, 1000)
        assert found.data == b"b" * before
        place = Place.parse(str(found.end))
        log.write(b"x" * after)
        for number in range(rotations):
            log.rotate()
            log.write(b"%d" % number * after)
        with closing(Follower(str(path), place)) as follower:
            assert not follower.missed
            written = b"x" * after + b"".join(b"%d" % n * after for n in range(rotations))
            assert everything(follower) == written
            assert follower.place == read_placed(str(path), 0, 1000).end


def test_a_place_that_is_gone_is_said_to_be(path: Path, follower: Follower) -> None:
    """Then it begins with the log as it is now."""
    place = follower.place
    assert place is not None
    path.unlink()
    path.write_bytes(b"new\n")
    other = Place(place.inode + 1 if place.inode == path.stat().st_ino else place.inode, 3)
    with closing(Follower(str(path), other)) as back:
        assert back.missed
        assert everything(back) == b"new\n"


@pytest.mark.parametrize("text", ["", "-", "1-", "-1", "1-x", "x-1", "²-1", "1"])
def test_what_is_no_place(text: str) -> None:
    """Anything but two numbers."""
    assert Place.parse(text) is None


def test_a_range_says_where_it_lies(path: Path) -> None:
    """Beyond either end there is less of it, or nothing."""
    path.write_bytes(b"0123456789")
    inode = path.stat().st_ino
    assert read_placed(str(path), 2, 3) == Range(b"234", 2, Place(inode, 5), 10)
    assert read_placed(str(path), -3, 9) == Range(b"789", 7, Place(inode, 10), 10)
    assert read_placed(str(path), -99, 1) == Range(b"0", 0, Place(inode, 1), 10)
    assert read_placed(str(path), 99, 1) == Range(b"", 10, Place(inode, 10), 10)
    for nothing in (None, str(path.parent), str(path) + "x"):
        with pytest.raises(Fault, match="NO_FILE"):
            read_placed(nothing, 0, 1)
