"""Daemon and keeper are both killed: the next start finds the programs, and never makes two."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from proctor.keeper.identity import birth, this_boot
from proctor.posix import statefile
from proctor.survival.orphans import Orphan, alive, reopen
from support.daemon import Daemon, Launch
from support.daemon import alive as is_alive
from support.implementations import Implementation
from support.programs import program
from support.rpc import ask
from support.torture import daemon_pid
from support.waiting import until

ECHO = program("echo", stdout_logfile="%(here)s/echo.log")


SWAPS = """
import os, sys
pipe, other = os.dup(1), os.open(sys.argv[1], os.O_PATH)
while True:
    os.dup2(other, 1), os.dup2(pipe, 1)
"""


def kill_both(daemon: Daemon) -> None:
    """kill -9 of the daemon, then of the keeper before it can do anything about it."""
    keeper = daemon.pid
    os.kill(keeper, signal.SIGSTOP)
    below = daemon_pid(keeper)
    if below:
        os.kill(below, signal.SIGKILL)
    os.kill(keeper, signal.SIGKILL)
    daemon.wait()
    until(lambda: not below or not is_alive(below), "both are gone")


def registered(daemon: Daemon, pid: int) -> bool:
    """Whether the child is written down."""
    return f'"pid":{pid},' in daemon.file("supervisord.pid.state")


def started(daemon: Daemon) -> int:
    """The pid of `echo`, once it runs and is written down."""
    daemon.until_state("echo", "RUNNING")
    pid: int = daemon.call("supervisor.getProcessInfo", "echo")["pid"]
    until(lambda: registered(daemon, pid), "it is written down")
    return pid


def test_what_ends_with_its_pipes_is_started_anew(launch: Launch, ours: Implementation) -> None:
    """cat sees the end of its stdin when the keeper is gone: there is nobody to go on with."""
    daemon = launch(ours, ECHO)
    pid = started(daemon)
    kill_both(daemon)
    until(lambda: not is_alive(pid), "cat has ended")
    daemon.start()
    assert started(daemon) != pid
    assert "left by" not in daemon.log_text()


# Unlike cat it does not end when its stdin does.
SLEEPER = program(
    "echo",
    """/bin/sh -c 'trap "echo asked" USR1; echo up; while :; do sleep 0.1; done'""",
    stdout_logfile="%(here)s/echo.log",
)


@pytest.mark.parametrize("keeper", ["true", "false"])
def test_what_is_adopted_is_ours_again(launch: Launch, ours: Implementation, keeper: str) -> None:
    """It is signalled, its output is read again, its end is heard, and it is started anew."""
    daemon = launch(ours, SLEEPER, settings=f"keeper={keeper}")
    pid = started(daemon)
    daemon.until_file("echo.log", "up")  # Before that the signal would end it.
    kill_both(daemon)
    daemon.start()
    assert started(daemon) == pid
    daemon.until_logged(f"WARN 'echo:echo' .pid {pid}., left by a supervisord .* goes on with us$")
    assert ", left by a supervisord that is gone" in daemon.ctl("status", "echo").out
    told = daemon.ctl("why", "echo").out
    assert "The supervisord that started it was killed." in told
    assert "keeper" not in told  # there may never have been one
    daemon.call("supervisor.signalProcess", "echo", "USR1")
    daemon.until_file("echo.log", "asked")
    os.kill(pid, signal.SIGKILL)
    daemon.until_logged("WARN exited: echo")
    daemon.until_logged("spawned: 'echo'", times=2)
    assert started(daemon) != pid
    daemon.ctl("stop", "echo")
    daemon.until_state("echo", "STOPPED")


def test_kill(launch: Launch, ours: Implementation) -> None:
    """It is ended first, in the way of its program; then the program starts."""
    daemon = launch(ours, SLEEPER, settings="on_orphan=kill")
    pid = started(daemon)
    kill_both(daemon)
    daemon.start()
    daemon.until_logged(f"WARN 'echo:echo' .pid {pid}., left by .* is ended")
    daemon.until_logged("spawned: 'echo'", times=2)
    assert not is_alive(pid)
    assert daemon.log_text().index("stopped: echo") < daemon.log_text().rindex("spawned: 'echo'")
    told = daemon.ctl("why", "echo").out
    assert re.search("was stopped because a supervisord that is gone had left it .*kill", told), (
        told
    )
    assert "it was started in the place of one that a supervisord had left" in told
    assert "configuration" not in told
    first, second = daemon.ctl("history", "echo").lines[1:]
    assert first.endswith("terminated by SIGTERM, on_orphan=kill"), first
    assert "  on_orphan=kill  " in second


def test_leave(launch: Launch, ours: Implementation) -> None:
    """It is left alone, by every later start too, and nothing is started beside it."""
    daemon = launch(ours, SLEEPER, settings="on_orphan=leave")
    pid = started(daemon)
    try:
        kill_both(daemon)
        for times in (1, 2):
            daemon.start()
            daemon.until_logged("left by .* is left alone; nothing is started", times=times)
            daemon.until_state("echo", "STOPPED")
            assert is_alive(pid)
            until(lambda: registered(daemon, pid), "it is written down again")
            daemon.ctl("shutdown")
            daemon.wait()
    finally:
        os.kill(pid, signal.SIGKILL)
    daemon.start()
    daemon.until_state("echo", "RUNNING")


def test_what_is_left_is_named_and_never_doubled(launch: Launch, ours: Implementation) -> None:
    """`status` and `why` tell of it; a start is refused until it is gone, and says why."""
    daemon = launch(ours, SLEEPER, settings="on_orphan=leave")
    pid = started(daemon)
    try:
        kill_both(daemon)
        daemon.start()
        assert f"STOPPED   Not started, pid {pid} still runs (on_orphan=leave)" in (
            daemon.ctl("status", "echo").out
        )
        assert re.match(
            rf"echo is STOPPED, but pid {pid} still runs: .* on_orphan=leave",
            daemon.ctl("why", "echo").out,
        )
        ready = ask(daemon.socket, path="/readyz")
        assert (ready.status, ready.body) == (503, b"echo STOPPED\n")  # and nobody stopped it
        for words in (("start", "echo"), ("start", "all"), ("restart", "echo")):
            answer = daemon.ctl(*words)
            assert answer.code, words
            assert re.search(rf"^FAILED: echo: pid {pid} .* still runs", answer.out, re.MULTILINE)
        daemon.until_logged(f"WARN not started: echo: pid {pid} .* still runs", times=3)
        daemon.configure("")
        daemon.ctl("update")
        daemon.configure(SLEEPER)
        daemon.ctl("update")
        daemon.until_logged(f"WARN not started: echo: pid {pid} .* still runs", times=4)
        daemon.until_state("echo", "STOPPED")
    finally:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not is_alive(pid), "it is gone")
    assert "still runs" not in daemon.ctl("status", "echo").out
    assert daemon.ctl("start", "echo").out == "echo: started\n"
    daemon.ctl("stop", "echo")
    assert ask(daemon.socket, path="/readyz").status == 200  # somebody wants it so


def test_an_orderly_end_leaves_nothing(launch: Launch, ours: Implementation) -> None:
    """No file, and at the next start no word about orphans."""
    daemon = launch(ours, ECHO)
    started(daemon)
    daemon.ctl("shutdown")
    daemon.wait()
    assert not daemon.file("supervisord.pid.state")
    assert not list(daemon.directory.glob("*.state"))
    daemon.start()
    started(daemon)
    assert "left by" not in daemon.log_text()


@pytest.fixture
def sleeper() -> Iterator[Orphan]:
    """A process of which a record is right."""
    with subprocess.Popen(["/bin/sleep", "1000"]) as process:
        yield Orphan("a:a", process.pid, birth(process.pid), this_boot(), 1.0, 20, pipes=[0, 0, 0])
        process.kill()


def test_a_stranger_is_nobody_of_ours(sleeper: Orphan) -> None:
    """The same pid with another time of birth, or of another boot, or minded by somebody."""
    assert alive([sleeper.as_bytes(1024)], set()) == [sleeper]
    for other in (
        replace(sleeper, birth=sleeper.birth + 1),
        replace(sleeper, birth=0),
        replace(sleeper, boot="another"),
        replace(sleeper, pid=1),
    ):
        assert alive([other.as_bytes(1024)], set()) == []
    assert alive([sleeper.as_bytes(1024)], {sleeper.pid}) == []
    assert alive([b"", b"nonsense", b'{"key": 1}', sleeper.as_bytes(1024)[:-5]], set()) == []


def test_a_file_that_is_in_use_is_not_believed(tmp_path: Path) -> None:
    """The supervisord that wrote it lives; when its last descriptor is closed it does not."""
    path = str(tmp_path / "state")
    first = statefile.open_locked(path)
    kept = os.dup(first)
    os.close(first)
    with pytest.raises(OSError, match="another supervisord") as caught:
        statefile.open_locked(path)
    assert caught.value.errno == errno.EBUSY
    os.close(kept)
    os.close(statefile.open_locked(path))


def test_a_file_that_others_may_have_written_is_not_believed(tmp_path: Path) -> None:
    """A link, a file of everybody, a file with two names, a directory."""
    target = tmp_path / "target"
    target.write_text("")
    (tmp_path / "link").symlink_to(target)
    (tmp_path / "open").touch()
    (tmp_path / "open").chmod(0o666)
    (tmp_path / "one").touch(0o600)
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    for name in ("link", "open", "two", "."):
        with pytest.raises(OSError, match=r"."):
            statefile.open_locked(str(tmp_path / name))


def test_records_are_replaced_in_place(tmp_path: Path) -> None:
    """The file is never cut: whoever reads it at any moment finds the old or the new record."""
    fd = statefile.open_locked(str(tmp_path / "state"))
    slots = statefile.begin(fd, {"a": b"1", "b": b"2", "c": b"3"})
    assert statefile.read(fd) == [b"1", b"2", b"3"]
    size = os.fstat(fd).st_size
    statefile.write_all(slots, {"b": b"", "a": b"4"})
    assert statefile.read(fd) == [b"4", b"", b"3"]
    statefile.begin(fd, {"d": b"5"})
    assert statefile.read(fd) == [b"5", b"", b""]
    assert os.fstat(fd).st_size == size
    os.close(fd)


def test_only_the_pipe_that_was_looked_at_is_opened_again(tmp_path: Path) -> None:
    """A program that holds a place (O_PATH) in a file which it may not read, and puts that in the
    place of its pipe at the right moment, would have root read it into its log.
    """
    secret = tmp_path / "secret"
    secret.touch()
    command = [sys.executable, "-c", SWAPS, str(secret)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        stdout, inode = f"/proc/{child.pid}/fd/1", os.fstat(child.stdout.fileno()).st_ino
        until(lambda: os.stat(stdout).st_ino != inode, "it has begun")
        opened = set()
        for _ in range(5000):
            fd = reopen(stdout, inode, os.O_RDONLY)
            if fd is not None:
                opened.add(os.fstat(fd).st_ino)
                os.close(fd)
        child.kill()
    assert opened <= {inode}
