"""AUTO logs: their names, and whose are cleared away (compat logging.md, section 3; gotcha G21)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from proctor.posix import autolog


@pytest.fixture
def another() -> Iterator[int]:
    """The pid of another instance that lives."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid


def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


def test_the_name_is_supervisors(tmp_path: Path) -> None:
    """And the file is nobody else's to read, whatever the umask."""
    path = autolog.create(str(tmp_path), "supervisor", "web", "stdout")
    assert re.fullmatch(r"web-stdout---supervisor-[a-z0-9_]{8}\.log", Path(path).name)
    assert Path(path).stat().st_mode & 0o777 == 0o600
    assert Path(path).read_bytes() == b""


def test_each_has_a_name_of_its_own(tmp_path: Path) -> None:
    """Also in great numbers."""
    paths = {autolog.create(str(tmp_path), "i", "p", "stdout") for _ in range(300)}
    assert len(paths) == 300


def test_files_of_a_life_before_are_cleared_with_their_backups(tmp_path: Path) -> None:
    """Our own pid means an earlier life: in a container it is always 1."""
    for owner in (dead_pid(), os.getpid()):
        path = autolog.create(str(tmp_path), "supervisor", "web", "stdout", owner)
        for number in (1, 2, 10):
            Path(f"{path}.{number}").touch()
    (tmp_path / "old-stderr---supervisor-_x3k9v7a.log").touch()
    autolog.clean(str(tmp_path), "supervisor")
    assert list(tmp_path.iterdir()) == []


def test_files_of_a_living_instance_stay(tmp_path: Path, another: int) -> None:
    """Two daemons with the defaults share directory and identifier (gotcha G21)."""
    path = autolog.create(str(tmp_path), "supervisor", "web", "stdout", another)
    Path(f"{path}.1").touch()
    autolog.clean(str(tmp_path), "supervisor")
    assert sorted(map(str, tmp_path.iterdir())) == [path, f"{path}.1"]


def test_a_pid_used_again_does_not_keep_old_files(tmp_path: Path, another: int) -> None:
    """The process with that pid is younger than the last word in the log."""
    path = autolog.create(str(tmp_path), "supervisor", "web", "stdout", another)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    autolog.clean(str(tmp_path), "supervisor")
    assert list(tmp_path.iterdir()) == []


def test_files_of_an_instance_that_nobody_has_reaped_yet_are_cleared(tmp_path: Path) -> None:
    """It has ended, although its pid is still there: a start may follow at once."""
    with subprocess.Popen(["/bin/true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        autolog.create(str(tmp_path), "supervisor", "web", "stdout", ended.pid)
        autolog.clean(str(tmp_path), "supervisor")
        assert not list(tmp_path.iterdir())


def test_other_files_are_not_touched(tmp_path: Path) -> None:
    """Other identifiers, and names that only look alike."""
    names = ["web-stdout---other-abcdefgh.log", "---supervisor-abcdefgh.log", "web.log", "a.b"]
    for name in names:
        (tmp_path / name).touch()
    autolog.clean(str(tmp_path), "supervisor")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_what_cannot_be_cleared_is_told(tmp_path: Path) -> None:
    """In the original's words; the rest is cleared."""
    said = list[str]()
    stubborn = tmp_path / "a-stdout---i-aaaaaaaa.log"
    stubborn.mkdir()
    (tmp_path / "b-stdout---i-aaaaaaaa.log").touch()
    autolog.clean(str(tmp_path), "i", said.append)
    autolog.clean(str(tmp_path / "missing"), "i", said.append)
    assert said == [f"Failed to clean up '{stubborn}'", "Could not clear childlog dir"]
    assert list(tmp_path.iterdir()) == [stubborn]


def test_a_removed_log_takes_its_backups_along(tmp_path: Path) -> None:
    """And nothing else (gotcha G60)."""
    path = autolog.create(str(tmp_path), "i", "web", "stdout")
    other = autolog.create(str(tmp_path), "i", "web", "stderr")
    for suffix in (".1", ".2", ".gz"):
        Path(path + suffix).touch()
    autolog.remove(path)
    assert sorted(map(str, tmp_path.iterdir())) == sorted([other, path + ".gz"])


def test_somebody_else_cleans_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that is gone meanwhile is no failure."""
    for process in "ab":
        autolog.create(str(tmp_path), "supervisor", process, "stdout", owner=os.getppid())

    scandir = os.scandir

    def late(directory: str) -> list[os.DirEntry[str]]:
        found = list(scandir(directory))
        for entry in found:
            os.unlink(entry.path)
        return found

    complaints: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", late)
        autolog.clean(str(tmp_path), "supervisor", complaints.append)
    assert complaints == []
