"""A daemon is killed in the middle of something: the next one goes on with it."""

from __future__ import annotations

import os
import signal

from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.programs import program
from support.torture import kill_daemon
from support.waiting import until

FLAKY = """
[program:flaky]
command=/bin/sh -c 'exit 3'
startretries=2
"""


def test_the_tries_that_are_left(launch: Launch, ours: Implementation) -> None:
    """A program that waits for its last try has one, and then is given up."""
    daemon = launch(ours, FLAKY)
    daemon.until_logged("spawned: 'flaky'", times=2)
    daemon.until_state("flaky", "BACKOFF")
    kill_and_wait(daemon)
    daemon.until_state("flaky", "FATAL")
    spawned = [line for line in daemon.log_lines() if "spawned: 'flaky'" in line]
    assert len(spawned) == 3
    assert len([line for line in daemon.log_lines() if "gave up: flaky" in line]) == 1


def test_another_configuration(launch: Launch, ours: Implementation) -> None:
    """What changed in the files meanwhile is started again as it is now; the rest is untouched."""
    same, job = program("same"), program("job", stdout_logfile="%(here)s/job.log")
    daemon = launch(ours, same + job)
    daemon.until_state("same", "RUNNING")
    daemon.until_state("job", "RUNNING")
    before = {name: pid_of(daemon, name) for name in ("same", "job")}
    daemon.configure(same + program("job", "/bin/sh -c 'echo new; exec cat'", **OTHER))
    kill_and_wait(daemon)
    daemon.until_file("job.log", "new")
    daemon.until_state("job", "RUNNING")
    assert pid_of(daemon, "same") == before["same"]
    assert pid_of(daemon, "job") != before["job"]


OTHER = {"stdout_logfile": "%(here)s/job.log"}


def test_an_end_in_the_gap_is_told_once(launch: Launch, ours: Implementation) -> None:
    """With its status; and what ran before is not said to have started."""
    daemon = launch(ours, program("stays") + program("ends", autorestart="false"))
    daemon.until_state("stays", "RUNNING")
    daemon.until_state("ends", "RUNNING")
    pid = pid_of(daemon, "ends")
    stopped = kill_daemon(daemon.pid)
    os.kill(pid, signal.SIGUSR1)
    until(lambda: daemon.call("supervisor.getPID"), f"it answers again after {stopped}")
    daemon.until_state("ends", "EXITED")
    told = [line for line in daemon.log_lines() if "ends" in line and "exited" in line]
    assert told == ["WARN exited: ends (terminated by SIGUSR1; not expected)"]
    assert len([line for line in daemon.log_lines() if "success: stays" in line]) == 1


def kill_and_wait(daemon: Daemon) -> None:
    dead = kill_daemon(daemon.pid)
    until(lambda: daemon.call("supervisor.getPID"), f"it answers again after {dead}")
    daemon.until_logged("the daemon before this one has ended")


def pid_of(daemon: Daemon, name: str) -> int:
    pid: int = daemon.call("supervisor.getProcessInfo", name)["pid"]
    return pid
