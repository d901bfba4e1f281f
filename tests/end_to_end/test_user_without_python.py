"""A user who may not execute this Python can still be the one that programs run as."""

from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path

import pytest

from support.daemon import Daemon
from support.implementations import Implementation

PYTHON = Path(sys.executable).resolve()
CLOSED = any(not folder.stat().st_mode & 0o001 for folder in PYTHON.parents)


@pytest.mark.skipif(os.getuid() != 0 or not CLOSED, reason="only with a Python closed to others")
def test_there_is_no_keeper_but_everything_else(scratch: Path, ours: Implementation) -> None:
    """It starts, as the original does, says loudly what is missing, and refuses to restart."""
    scratch.chmod(0o777)
    text = "[program:cat]\ncommand=/bin/cat\nstartsecs=0\n"
    daemon = Daemon(ours, scratch, text, settings="user=nobody")
    try:
        check(daemon.start())
    finally:
        daemon.stop()


def check(daemon: Daemon) -> None:
    """Everything but the keeper is there."""
    daemon.until_state("cat", "RUNNING")
    daemon.until_logged(r"CRIT going on without a keeper: this user may not execute")
    uid = os.stat(f"/proc/{daemon.call('supervisor.getPID')}").st_uid
    assert uid == pwd.getpwnam("nobody").pw_uid
    answer = daemon.ctl("reload")
    assert answer.code == 1
    assert "may not execute" in answer.out
    assert daemon.client.state("cat") == "RUNNING"
    assert daemon.ctl("why", "cat").code == 0, "the journal was written and can be read"
