"""Logs are opened for a run that comes, not for one that may come: to open one is to make it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.programs import OBEDIENT, program
from support.torture import daemon_pid
from support.waiting import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def started(launch: Launch, ours: Implementation, autorestart: str) -> tuple[Daemon, Path]:
    """A daemon, and the log of its only program, which does what it is told."""
    options = {"stdout_logfile": "%(here)s/web.log", "redirect_stderr": True}
    daemon = launch(ours, program("web", OBEDIENT, autorestart=autorestart, **options))
    daemon.until_state("web", "RUNNING")
    # Then its log is not only open but watched, too: before that it would be made again.
    daemon.call("supervisor.sendProcessStdin", "web", "echo up\n")
    daemon.until_file("web.log", "up")
    return daemon, daemon.directory / "web.log"


def is_held(daemon: Daemon, log: Path) -> bool:
    """Whether the daemon has the log open, under this name or the one to which it was moved."""
    fds = Path(f"/proc/{daemon_pid(daemon.pid)}/fd")
    return any(os.readlink(fd).startswith(str(log)) for fd in fds.iterdir())


def test_a_program_that_closes_its_output_has_no_log_open(
    launch: Launch, ours: Implementation
) -> None:
    """One that is moved away and deleted gives its place back; the next run has one again."""
    daemon, log = started(launch, ours, "true")
    until(lambda: is_held(daemon, log), "the log is open")
    daemon.call("supervisor.sendProcessStdin", "web", f"mv {log} {log}.old; exec >&- 2>&-\n")
    until(lambda: not is_held(daemon, log), "the log is closed")
    assert not log.exists()

    daemon.call("supervisor.sendProcessStdin", "web", "exit 0\n")
    daemon.until_logged("spawned: 'web'", times=2)
    daemon.call("supervisor.sendProcessStdin", "web", "echo hello\n")
    daemon.until_file("web.log", "hello")


def test_a_program_that_is_not_started_again_leaves_no_log(
    launch: Launch, ours: Implementation
) -> None:
    """It moved its log away when it was done, and that was the last of it."""
    daemon, log = started(launch, ours, "unexpected")
    daemon.call("supervisor.sendProcessStdin", "web", f"mv {log} {log}.old; exit 0\n")
    daemon.until_state("web", "EXITED")
    until(lambda: not is_held(daemon, log), "the log is closed")
    assert not log.exists()
