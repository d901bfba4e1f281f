"""A daemon that was started with some of its standard streams closed (`supervisord >&- 2>&-`)."""

from __future__ import annotations

import shlex

import pytest

from support.daemon import Launch
from support.implementations import Implementation
from support.programs import OBEDIENT, program


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(launch: Launch, ours: Implementation, closed: str) -> None:
    """It starts, nothing of its own gets the free numbers, and what is sent there goes nowhere."""
    programs = program("a", OBEDIENT, stdout_logfile="/dev/stdout", stdout_logfile_maxbytes=0)
    words = f"exec {shlex.quote(ours.program('supervisord'))} -c supervisord.conf -n {closed}"
    daemon = launch(ours, programs, command=["/bin/sh", "-c", words], arguments=())
    daemon.until_state("a", "RUNNING")
    daemon.call("supervisor.sendProcessStdin", "a", "echo hello\n")
    assert daemon.ctl("status").code == 0
    assert "Traceback" not in daemon.log_text()
    assert "cannot" not in daemon.log_text()
