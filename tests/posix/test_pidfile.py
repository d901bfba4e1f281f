"""The pidfile: written for scripts, never taken from a twin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from proctor.posix import pidfile


def test_the_file_holds_the_pid_and_a_newline(tmp_path: Path) -> None:
    """Scripts do `kill $(cat file)`; the newline is the original's."""
    path = tmp_path / "x.pid"
    pidfile.write(str(path), 4711)
    assert path.read_bytes() == b"4711\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes links of others")
def test_the_file_is_not_written_through_a_planted_link(tmp_path: Path) -> None:
    """Else whoever may write into its directory could have root empty any file."""
    path, victim = tmp_path / "x.pid", tmp_path / "victim"
    victim.write_text("precious")
    path.symlink_to(victim)
    os.chown(path, 65534, 65534, follow_symlinks=False)
    with pytest.raises(OSError, match="belongs to uid 65534"):
        pidfile.write(str(path), 4711)
    assert victim.read_text() == "precious"


def test_a_twins_file_is_left_alone(tmp_path: Path) -> None:
    """Only the pid we wrote is removed."""
    path = tmp_path / "x.pid"
    pidfile.write(str(path), 4711)
    pidfile.remove(str(path), 4712)
    assert path.exists()
    pidfile.remove(str(path), 4711)
    assert not path.exists()


@pytest.mark.parametrize("content", [None, "", "x\n", "-"])
def test_no_number_is_no_pid(tmp_path: Path, content: str | None) -> None:
    """A missing or mangled file names nobody."""
    path = tmp_path / "x.pid"
    if content is not None:
        path.write_text(content)
    assert pidfile.read(str(path)) is None
    assert pidfile.living_supervisor(str(path)) is None


def test_a_living_supervisor_is_recognised_and_a_stranger_is_not(tmp_path: Path) -> None:
    """The pid in the file must live and must look like a supervisor (gotcha G42)."""
    path = tmp_path / "x.pid"
    waits = "import sys; print('up', flush=True); sys.stdin.read()"
    words = (("supervisord", True), ("/opt/proctor/worker", False), ("x/supervisord.conf", False))
    for word, expected in words:
        with subprocess.Popen(
            [sys.executable, "-c", waits, word], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            pidfile.write(str(path), process.pid)
            assert (pidfile.living_supervisor(str(path)) == process.pid) is expected
            process.communicate()
    assert pidfile.living_supervisor(str(path)) is None


def test_a_supervisor_that_only_has_the_number_is_a_stranger(tmp_path: Path) -> None:
    """It began after the file was written: the one that wrote it is gone."""
    path = tmp_path / "x.pid"
    waits = "import sys; print('up', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", waits, "supervisord"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        pidfile.write(str(path), process.pid)
        assert pidfile.living_supervisor(str(path)) == process.pid
        os.utime(path, (0, path.stat().st_mtime - 3600))
        assert pidfile.living_supervisor(str(path)) is None
        process.communicate()


def test_we_are_not_our_own_twin(tmp_path: Path) -> None:
    """After a restart the file may still hold our own pid."""
    path = tmp_path / "x.pid"
    pidfile.write(str(path), os.getpid())
    assert pidfile.living_supervisor(str(path)) is None
