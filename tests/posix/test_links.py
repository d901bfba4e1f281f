"""Symbolic links in the place of a log: whose they are decides whether they are followed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proctor.core.faults import Fault
from proctor.posix.links import open_trusted
from proctor.posix.logfile import LogFile, read_range

NOBODY = 65534
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes links of others")


def planted(path: Path, target: Path) -> Path:
    """A link that belongs to somebody else."""
    path.symlink_to(target)
    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    return path


def test_links_of_our_own_are_followed(tmp_path: Path) -> None:
    """Also to where nothing is yet, and one after the other, relative and absolute."""
    real = tmp_path / "real"
    (tmp_path / "second").symlink_to(real)
    (tmp_path / "first").symlink_to("second")
    file = LogFile(str(tmp_path / "first"), 0, 0)
    file.write(b"hello\n")
    file.close()
    assert real.read_bytes() == b"hello\n"
    assert read_range(str(tmp_path / "first"), 0, 0) == b"hello\n"


@AS_ROOT
def test_a_link_that_somebody_else_planted_is_not_written_through(tmp_path: Path) -> None:
    """Else whoever owns the directory of a log could let root write anywhere."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    link = planted(tmp_path / "web.log", victim)
    with pytest.raises(OSError, match="a symbolic link that belongs to uid 65534"):
        LogFile(str(link), 0, 0)
    assert victim.read_bytes() == b"precious"


@AS_ROOT
def test_nor_is_one_that_takes_the_place_of_an_open_log(tmp_path: Path) -> None:
    """Rotation and reopening look again; what was open stays."""
    victim, log = tmp_path / "victim", tmp_path / "web.log"
    file = LogFile(str(log), 0, 0)
    log.unlink()
    planted(log, victim)
    with pytest.raises(OSError, match="belongs to uid"):
        file.reopen()
    file.close()
    assert not victim.exists()


@AS_ROOT
def test_nor_is_it_read_through(tmp_path: Path) -> None:
    """Else `tail` would show what only root may read."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"secret")
    link = planted(tmp_path / "web.log", victim)
    with pytest.raises(Fault, match="FAILED"):
        read_range(str(link), 0, 0)


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    """As the system ends them."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="Too many levels"):
        open_trusted(str(tmp_path / "a"), os.O_RDONLY)


def test_what_the_kernel_shows_of_open_files_is_opened_as_it_is(tmp_path: Path) -> None:
    """/proc/self/fd/N of a file that has no name any more."""
    path = tmp_path / "gone"
    with path.open("w+b") as file:
        file.write(b"still here")
        file.flush()
        path.unlink()
        fd = open_trusted(f"/proc/self/fd/{file.fileno()}", os.O_RDONLY)
        assert os.read(fd, 100) == b"still here"
        os.close(fd)
