"""The keeper itself is killed: the daemon goes on, and puts itself under another one."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from support.daemon import Daemon, Launch, marked
from support.implementations import Implementation
from support.programs import program
from support.torture import daemon_pid, holds_pipes
from support.versions import Installation
from support.waiting import until

ENDED = r"WARN exited: {} \((terminated by SIGUSR1|exit status unknown); not expected\)"


def kill_keeper(daemon: Daemon) -> int:
    """kill -9 of the keeper; the pid that users know from then on."""
    old = daemon.pid
    os.kill(old, signal.SIGKILL)
    daemon.wait()

    def other() -> int:
        # Empty in the moment in which it is written.
        text = daemon.pidfile.read_text().strip()
        return int(text) if text not in ("", str(old)) else 0

    return until(other, "another keeper is in the pidfile")


def pid_of(daemon: Daemon, name: str) -> int:
    pid: int = daemon.call("supervisor.getProcessInfo", name)["pid"]
    return pid


def test_programs_run_on_and_new_ones_start(launch: Launch, ours: Implementation) -> None:
    """Nothing dies, everything can be done, everybody is told which pid to signal now."""
    daemon = launch(ours, program("stays") + program("ends", autorestart="false"))
    for name in ("stays", "ends"):
        daemon.until_state(name, "RUNNING")
    before = {name: pid_of(daemon, name) for name in ("stays", "ends")}
    keeper = kill_keeper(daemon)
    assert daemon.call("supervisor.getPID") == keeper
    daemon.until_logged("CRIT the keeper .* is gone; programs run on")
    daemon.until_logged(f"WARN another keeper runs with pid {keeper}")
    assert {name: pid_of(daemon, name) for name in before} == before
    assert "its keeper was lost" in daemon.ctl("status", "stays").out
    meaning = "Its keeper was lost: .* `supervisorctl restart stays`, makes it a child of the new"
    assert re.search(meaning, daemon.ctl("why", "stays").lines[0])
    os.kill(before["ends"], signal.SIGUSR1)
    daemon.until_logged(ENDED.format("ends"))
    daemon.ctl("start", "ends")
    assert "its keeper" not in daemon.ctl("status", "ends").out
    assert "Its keeper" not in daemon.ctl("why", "ends").out
    daemon.ctl("stop", "stays")
    daemon.until_state("stays", "STOPPED")
    os.kill(keeper, signal.SIGTERM)
    until(lambda: not marked(daemon.identifier), "the new pid obeys signals, and all end")


def test_the_daemon_may_be_killed_then(launch: Launch, ours: Implementation) -> None:
    """The new keeper starts it again; programs of the old keeper have their pipes and records."""
    daemon = launch(ours, program("echo", stdout_logfile="%(here)s/echo.log"))
    daemon.until_state("echo", "RUNNING")
    pid = pid_of(daemon, "echo")
    daemon.call("supervisor.sendProcessStdin", "echo", "one\n")
    daemon.until_file("echo.log", "one")
    keeper = kill_keeper(daemon)
    # It is not the new keeper's child, but the only supervisord beside it.
    (old,) = (each for each in marked(daemon.identifier) if each not in (pid, keeper))
    until(lambda: holds_pipes(keeper, pid), "everything was handed over")
    os.kill(old, signal.SIGKILL)
    until(lambda: daemon_pid(keeper) not in (0, old), "there is another daemon")
    until(lambda: daemon.call("supervisor.getPID") == keeper, "it answers")
    daemon.until_logged("the daemon before this one has ended")
    assert pid_of(daemon, "echo") == pid
    assert daemon.client.state("echo") == "RUNNING"
    assert "its keeper was lost" in daemon.ctl("status", "echo").out
    daemon.call("supervisor.sendProcessStdin", "echo", "two\n")
    daemon.until_file("echo.log", "one\ntwo")
    assert len([line for line in daemon.log_lines() if "spawned: 'echo'" in line]) == 1


def test_another_keeper_may_be_killed_too(launch: Launch, ours: Implementation) -> None:
    """Again and again; whoever was started meanwhile is handed on."""
    daemon = launch(ours, program("one") + program("two", autostart="false"))
    daemon.until_state("one", "RUNNING")
    kill_keeper(daemon)
    daemon.ctl("start", "two")
    before = {name: pid_of(daemon, name) for name in ("one", "two")}
    kill_keeper(daemon)
    assert {name: pid_of(daemon, name) for name in ("one", "two")} == before
    daemon.ctl("restart", "all")
    for name in ("one", "two"):
        assert daemon.until_state(name, "RUNNING")
        assert pid_of(daemon, name) != before[name]


@pytest.fixture
def uninstalled(launch: Launch, ours: Implementation, scratch: Path) -> tuple[Daemon, Path, Path]:
    """A daemon with a program whose keeper was killed after its files had gone; where they are,
    and where they were.
    """
    installation = Installation(scratch)
    daemon = launch(
        ours,
        program("cat"),
        command=[*installation.command, "-c", "supervisord.conf"],
        environment=installation.environment,
    )
    daemon.until_state("cat", "RUNNING")
    files = installation.root / "proctor/keeper"
    away = files.rename(scratch / "away")
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.wait()
    return daemon, away, files


def test_a_keeper_that_does_not_come_up_is_tried_again_later(
    uninstalled: tuple[Daemon, Path, Path],
) -> None:
    """Less and less often, and not ten times a second; the daemon goes on under one that does."""
    daemon, away, files = uninstalled
    daemon.until_logged(r"has ended at once: nothing can be started; trying again in 2 seconds")
    assert daemon.client.state("cat") == "RUNNING"
    away.rename(files)
    own = daemon.pid
    until(lambda: daemon.pid != own, "another keeper is in the pidfile")
    until(lambda: daemon.ctl("restart", "cat").lines[-1] == "cat: started", "it can start programs")


def test_without_a_keeper_signals_are_for_the_daemon(
    uninstalled: tuple[Daemon, Path, Path],
) -> None:
    """Users have its own pid as long as no other obeys."""
    daemon, _, _ = uninstalled
    daemon.until_logged("has ended at once: nothing can be started; trying again in 4 seconds")
    until(lambda: daemon.call("supervisor.getPID") == daemon.pid, "the pidfile is right")
    daemon.signal(signal.SIGTERM)
    until(lambda: not marked(daemon.identifier), "all end")
