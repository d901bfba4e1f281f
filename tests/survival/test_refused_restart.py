"""A restart that this process could not carry out stops nothing."""

from __future__ import annotations

import os
import signal

from support.daemon import Launch
from support.implementations import Implementation
from support.programs import program


def test_another_user(launch: Launch, ours: Implementation) -> None:
    """The keeper cannot become somebody else with children at hand; it says what to do instead."""
    daemon = launch(ours, program("cat"))
    daemon.until_state("cat", "RUNNING")
    before = daemon.call("supervisor.getProcessInfo", "cat")["pid"]
    text = daemon.conf.read_text()
    other = "nobody" if os.getuid() == 0 else "root"
    daemon.conf.write_text(text.replace("[supervisord]", f"[supervisord]\nuser={other}"))
    daemon.signal(signal.SIGHUP)
    daemon.until_logged("ERRO cannot restart, everything goes on as it was: .*user")
    assert daemon.client.outcome("supervisor.restart")[0] == 92
    assert daemon.call("supervisor.getProcessInfo", "cat")["pid"] == before
