"""Rows 1, 9, 10, 11, 12 and 15 of scenarios.md: output that goes wrong."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.programs import OBEDIENT, program
from support.rpc import UnixConnection
from support.waiting import GENEROUS, until

TO_STDOUT = {"stdout_logfile": "/dev/stdout", "stdout_logfile_maxbytes": 0}


def _is_healthy(daemon: Daemon) -> None:
    """It answers, and a program beside the trouble still works and is logged."""
    assert daemon.ctl("status").code in (0, 3)
    text = f"still here {os.urandom(4).hex()}"
    daemon.call("supervisor.sendProcessStdin", "beside", f"echo {text}\n")
    daemon.until_file("beside.log", text)
    assert "Traceback" not in daemon.log_text()


def _complaints(daemon: Daemon) -> list[str]:
    """What the main log says by itself, and not about those who ask something."""
    return [line for line in daemon.log_lines() if not line.startswith("INFO audit: ")]


BESIDE = program("beside", OBEDIENT, stdout_logfile="%(here)s/beside.log")


def test_row_1_nobody_reads_our_stdout(launch: Launch, ours: Implementation) -> None:
    """Our stdout is a pipe that nobody reads and a program writes 20 MB to it: only that program
    suffers; everything is answered, and SIGTERM is obeyed."""
    flood = "/bin/sh -c 'echo begun >&2; exec head -c 20000000 /dev/zero'"
    programs = BESIDE + program(
        "flood", flood, autorestart="false", stderr_logfile="%(here)s/flood.err", **TO_STDOUT
    )
    reader, writer = os.pipe()
    try:
        daemon = launch(ours, programs, stdout=writer)
        daemon.until_file("flood.err", "begun")
        for _ in range(3):
            _is_healthy(daemon)
        daemon.signal(signal.SIGTERM)
        assert daemon.wait() == 0
    finally:
        os.close(reader)
        os.close(writer)


def test_row_9_a_grandchild_keeps_the_pipes(launch: Launch, ours: Implementation) -> None:
    """The exit is noticed and the program starts again, while a silent grandchild holds the
    pipe; the lines of another one that writes a moment later are still logged."""
    silent = "/bin/sh -c 'echo up; sleep 300 & echo $! >> grandchildren; read x; exit 0'"
    writing = "/bin/sh -c '(sleep 0.1; echo late words) & exit 0'"
    programs = (
        program("silent", silent, autorestart="true", directory="%(here)s")
        + program("writing", writing, autorestart="false", stdout_logfile="%(here)s/writing.log")
        + BESIDE
    )
    daemon = launch(ours, programs)
    try:
        for round_number in range(1, 4):
            daemon.until_file("grandchildren", rf"(\d+\n){{{round_number}}}")
            daemon.until_state("silent", "RUNNING")
            pid = daemon.client.pid("silent")
            daemon.call("supervisor.sendProcessStdin", "silent", "end\n")
            until(partial(_runs_as_another, daemon, pid), "it runs again")
        daemon.until_state("writing", "EXITED")
        daemon.until_file("writing.log", "late words")
        _is_healthy(daemon)
    finally:
        daemon.ctl("stop", "silent")
        for grandchild in daemon.file("grandchildren").split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(grandchild), signal.SIGKILL)


def _runs_as_another(daemon: Daemon, pid: int) -> bool:
    return daemon.client.pid("silent") not in (0, pid)


@contextlib.contextmanager
def _stdout_of_kind(kind: str) -> Iterator[int]:
    if kind == "tty":
        ours, theirs = pty.openpty()
        # Nobody needs the text, but a terminal that nobody reads fills up: that is row 1.
        thread = threading.Thread(target=_swallow, args=(ours,), daemon=True)
        thread.start()
        yield theirs
        os.close(theirs)
        thread.join(GENEROUS)
        os.close(ours)
    elif kind == "socket":
        left, right = socket.socketpair()
        with left, right:
            yield right.fileno()
    else:
        reader, writer = os.pipe()
        yield writer
        os.close(writer)
        os.close(reader)


def _swallow(fd: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(fd, 65536):
            pass


@pytest.mark.parametrize("limit", ["0", "50MB"])
@pytest.mark.parametrize("kind", ["pipe", "tty", "socket"])
def test_row_10_stdout_that_is_no_file(
    launch: Launch, ours: Implementation, kind: str, limit: str
) -> None:
    """/dev/stdout as a pipe, a terminal or a socket, with and without a limit: no complaint per
    line, no attempt to rotate."""
    programs = BESIDE + program(
        "loud", OBEDIENT, stdout_logfile="/dev/stdout", stdout_logfile_maxbytes=limit
    )
    with _stdout_of_kind(kind) as stdout:
        daemon = launch(ours, programs, stdout=stdout)
        daemon.until_state("loud", "RUNNING")
        for number in range(20):
            daemon.call("supervisor.sendProcessStdin", "loud", f"echo line {number}\n")
        _is_healthy(daemon)
        assert daemon.client.state("loud") == "RUNNING"
        assert len(_complaints(daemon)) < 40
        daemon.stop()


def test_row_10_files_that_cannot_be_written(launch: Launch, ours: Implementation) -> None:
    """/dev/full, and a FIFO without a reader: the daemon stays well and says so once."""
    programs = (
        BESIDE
        + program("full", OBEDIENT, stdout_logfile="/dev/full", stdout_logfile_maxbytes=0)
        + program("fullest", OBEDIENT, stdout_logfile="/dev/full")
        + program("fifo", OBEDIENT, stdout_logfile="%(here)s/fifo", startretries=0)
        + "[include]\nfiles=%(here)s/nothing/*\n"
    )
    daemon = launch(ours, programs.replace("startsecs=0", "startsecs=0\nautostart=false"))
    os.mkfifo(daemon.directory / "fifo")
    for name in ("beside", "full", "fullest", "fifo"):
        daemon.client.outcome("supervisor.startProcess", name)
    for number in range(20):
        for name in ("full", "fullest", "fifo"):
            daemon.client.outcome("supervisor.sendProcessStdin", name, f"echo {number}\n")
    _is_healthy(daemon)
    assert len(_complaints(daemon)) < 60, daemon.log_text()


NASTY = r"""
import os, sys
parts = [b"\0nul\n", b"\x1b[31mred\x1b[0m\n", b"\xff\xfe bad\n", "四字节 😀\n".encode()]
parts.append(b"x" * 200000)
for part in parts:
    os.write(1, part)
sys.stdin.read()
"""


def test_row_11_bytes_that_are_no_text(launch: Launch, ours: Implementation) -> None:
    """NUL, colours, invalid UTF-8, characters cut by an offset, and a very long line: every
    reply is valid, through every way of reading."""
    programs = program("nasty", f"{sys.executable} %(here)s/nasty.py", autostart="false")
    daemon = launch(ours, programs)
    (daemon.directory / "nasty.py").write_text(NASTY)
    daemon.ctl("start", "nasty")
    size = 200000 + len("\0nul\n\x1b[31mred\x1b[0m\n四字节 😀\n".encode()) + 7
    until(
        lambda: daemon.call("supervisor.tailProcessLog", "nasty", 0, 0)[1] == size,
        lambda: f"all is logged: {daemon.call('supervisor.tailProcessLog', 'nasty', 0, 0)}",
    )
    for offset in range(50):
        text = daemon.call("supervisor.readProcessStdoutLog", "nasty", offset, 20)
        assert isinstance(text, str)
    for length in range(199990, 200050, 3):
        text, end, _ = daemon.call("supervisor.tailProcessStdoutLog", "nasty", 0, length)
        assert end == size
        assert text.endswith("xxx")
    for words in (["-40", "nasty"], ["-200040", "nasty"], ["nasty"]):
        assert daemon.ctl("tail", *words).code == 0
    assert "red" in daemon.ctl("tail", "-200050", "nasty").out


@pytest.fixture
def small_disk(scratch: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    disk = scratch / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=777", "none", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no mount(8)")
    if done.returncode:
        pytest.skip(f"may not mount a small disk: {done.stderr.decode().strip()}")
    yield disk
    # Lazily: when the test has failed, its daemon still runs.
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_row_12_a_full_disk(launch: Launch, ours: Implementation, small_disk: Path) -> None:
    """The program keeps running, the daemon complains a few times at most, and logging goes on once
    there is room."""
    programs = BESIDE + program("big", OBEDIENT, stdout_logfile=small_disk / "big.log")
    daemon = launch(ours, programs)
    daemon.until_state("big", "RUNNING")
    line = "y" * 999
    for _ in range(100):
        daemon.call("supervisor.sendProcessStdin", "big", f"echo {line}\n")
    until(lambda: (small_disk / "big.log").stat().st_size > 50000, "the disk is full")
    _is_healthy(daemon)
    assert daemon.client.state("big") == "RUNNING"
    assert len(_complaints(daemon)) < 40, daemon.log_text()

    daemon.call("supervisor.clearProcessLogs", "big")
    daemon.call("supervisor.sendProcessStdin", "big", "echo the end\n")
    until(lambda: "the end" in (small_disk / "big.log").read_text(), "logging goes on")
    daemon.stop()


def _lines(directory: Path, name: str) -> list[str]:
    """The lines of a log and its backups, oldest first."""
    backups = sorted(
        directory.glob(f"{name}.*"), key=lambda path: int(path.suffix[1:]), reverse=True
    )
    return [line for path in [*backups, directory / name] for line in path.read_text().split("\n")]


def test_row_15_rotation_loses_nothing(launch: Launch, ours: Implementation) -> None:
    """100,000 numbered lines through some hundred rotations: each is there once and in order, and
    no line is cut by a file's end."""
    count = 100000
    programs = program(
        "counter",
        f"/bin/sh -c 'seq 1 {count}; exec cat'",
        stdout_logfile="%(here)s/count.log",
        stdout_logfile_maxbytes=4096,
        stdout_logfile_backups=500,
    )
    daemon = launch(ours, programs)
    daemon.until_file("count.log", f"^{count}$")
    numbers = [line for line in _lines(daemon.directory, "count.log") if line]
    assert numbers == [str(number) for number in range(1, count + 1)]
    assert len(list(daemon.directory.glob("count.log.*"))) > 100


def test_row_15_followers_stay_with_the_log(launch: Launch, ours: Implementation) -> None:
    """A follower sees every line while the file is moved away and reopened, deleted and made again,
    cleared, and rotated."""
    programs = program(
        "talk",
        OBEDIENT,
        stdout_logfile="%(here)s/talk.log",
        stdout_logfile_maxbytes=2000,
        stdout_logfile_backups=3,
    )
    daemon = launch(ours, programs)
    daemon.until_state("talk", "RUNNING")
    log = daemon.directory / "talk.log"
    connection = UnixConnection(str(daemon.socket))
    connection.request("GET", "/logtail/talk")
    followed = bytearray()
    with contextlib.closing(connection), connection.getresponse() as stream:
        assert stream.status == 200

        def say(number: int) -> None:
            line = f"<{number}>{'.' * 400}"
            daemon.call("supervisor.sendProcessStdin", "talk", f"echo '{line}'\n")
            while f"{line}\n".encode() not in followed:
                chunk = stream.read1(65536)
                assert chunk, f"the stream ended before {line}: {followed!r}"
                followed.extend(chunk)

        for number in range(5):
            say(number)
        log.rename(daemon.directory / "moved")
        daemon.signal(signal.SIGUSR2)
        until(log.exists, "the log was made again")
        for number in range(5, 10):
            say(number)
        log.unlink()
        daemon.signal(signal.SIGUSR2)
        until(log.exists, "the log was made again")
        for number in range(10, 15):
            say(number)
        daemon.call("supervisor.clearProcessLogs", "talk")
        for number in range(15, 40):
            say(number)
    seen = [int(number) for number in re.findall(rb"<(\d+)>", bytes(followed))]
    assert seen == list(range(40))
