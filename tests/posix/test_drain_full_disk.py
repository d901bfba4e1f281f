"""A disk that is full, and then is not (scenario row 12)."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from drain_desk import DrainDesk, numbered_lines, whole_log
from proctor.posix.logfile import LogFile

MIB = 1 << 20


@pytest.fixture
def desk() -> Iterator[DrainDesk]:
    with DrainDesk() as desk:
        yield desk


@pytest.fixture(params=[True, False], ids=["unseen", "seen"])
def seen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to a file: through splice, and through our memory."""
    if not request.param:
        monkeypatch.setattr("proctor.posix.linux.HAS_SPLICE", False)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB."""
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "proctor-test", str(tmp_path)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def fill(ballast: Path) -> None:
    """Take all the room there is."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


@pytest.fixture
def file_limit() -> Iterator[Callable[[int], None]]:
    """Sets how large a file of this process may be: EFBIG is a full disk for everybody."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("seen")
def test_a_full_disk_stops_nobody_and_logging_resumes(desk: DrainDesk, small_disk: Path) -> None:
    """The child goes on; one line tells of the trouble, one of its end; the loss is counted."""
    path, ballast = small_disk / "log", small_disk / "ballast"
    writer, channel = desk.watch(LogFile(str(path), 0, 0))
    writer.write_all(b"before\n")
    desk.until(lambda: path.read_bytes() == b"before\n")
    fill(ballast)

    data = numbered_lines(40_000)
    writer.write_all(data)
    desk.until(lambda: bool(desk.reports))
    assert desk.reports == [f"cannot write to {path}: No space left on device; will try again"]

    ballast.unlink()
    desk.until(lambda: len(desk.reports) == 2)
    assert "again" in desk.reports[1]
    writer.write_all(b"after\n")
    desk.finish(channel)
    log = path.read_bytes()
    assert log.startswith(b"before\n00000000 ")
    assert log.endswith(b"\nafter\n")
    assert channel.bytes_dropped > 0
    # What was not dropped is there, once, and at most the end of the torn line is added.
    added = len(log) + channel.bytes_dropped - len(b"before\n" + data + b"after\n")
    assert added in (0, 1)


@pytest.mark.usefixtures("seen")
def test_output_is_kept_while_the_pipe_has_room(
    desk: DrainDesk, tmp_path: Path, file_limit: Callable[[int], None]
) -> None:
    """A child that writes little loses nothing, however long it takes."""
    path = tmp_path / "log"
    path.write_bytes(b"x" * MIB)
    file_limit(MIB)
    writer, channel = desk.watch(LogFile(str(path), 0, 0))
    writer.write_all(numbered_lines(50))
    desk.until(lambda: bool(desk.reports))
    desk.finish(channel)
    writer.write_all(b"more\n")
    assert path.stat().st_size == MIB
    file_limit(resource.RLIM_INFINITY)
    desk.until(lambda: path.stat().st_size > MIB + 5000)
    assert path.read_bytes()[MIB:] == numbered_lines(50) + b"more\n"
    assert channel.bytes_dropped == 0


@pytest.mark.usefixtures("seen")
def test_a_disk_that_fills_during_rotation_loses_no_file(desk: DrainDesk, small_disk: Path) -> None:
    """The log goes on when there is room again, on a new line where one was torn."""
    path = small_disk / "log"
    writer, channel = desk.watch(LogFile(str(path), 100_000, 5))
    for start in range(0, 40_000, 400):
        writer.write_all(numbered_lines(40_000)[start * 100 : (start + 400) * 100])
        if (small_disk / "log.5").exists():
            break
    fill(small_disk / "ballast")
    writer.write_all(numbered_lines(3000))
    desk.until(lambda: bool(desk.reports))
    (small_disk / "ballast").unlink()
    writer.write_all(b"after\n")
    desk.until(lambda: whole_log(path).endswith(b"after\n"))
    desk.finish(channel)
    lines = whole_log(path).splitlines()
    assert sum(len(line) != 99 for line in lines[:-1]) <= 2
    assert max(map(len, lines)) == 99
    assert lines[-1] == b"after"


@pytest.mark.usefixtures("seen")
def test_a_rotation_that_is_refused_leaves_the_log_as_it_is(
    desk: DrainDesk, tmp_path: Path
) -> None:
    """It grows over its limit, complete, and one line says why."""
    path = tmp_path / "log"
    (tmp_path / "log.1").mkdir()
    (tmp_path / "log.1" / "occupied").touch()
    writer, channel = desk.watch(LogFile(str(path), 10_000, 1))
    data = numbered_lines(1000)
    writer.write_all(data)
    desk.finish(channel)
    assert path.read_bytes() == data
    assert len(desk.reports) == 1
    assert desk.reports[0].startswith(f"cannot rotate {path}: ")


def test_a_directory_that_is_gone_is_told(desk: DrainDesk, tmp_path: Path) -> None:
    """The log cannot be made again; when the directory is back, it is."""
    directory = tmp_path / "logs"
    directory.mkdir()
    log = directory / "log"
    writer, channel = desk.watch(LogFile(str(log), 0, 0))
    writer.write_all(b"in time\n")  # Before that a file that has gone is simply made again.
    desk.until(lambda: log.read_bytes() == b"in time\n")
    os.unlink(log)
    directory.rmdir()
    writer.write_all(b"kept\n")
    desk.until(lambda: bool(desk.reports))
    assert "No such file or directory" in desk.reports[0]
    directory.mkdir()
    desk.until(lambda: log.exists() and len(desk.reports) == 2)
    desk.finish(channel)
    assert log.read_bytes() == b"kept\n"
