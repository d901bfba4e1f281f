"""A daemon that cannot understand its keeper: the keeper lives, so there must be no second one."""

from __future__ import annotations

from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from xmlrpc.client import Fault

from support.daemon import Launch
from support.implementations import Implementation
from support.programs import program
from support.versions import Installation
from support.waiting import until

GARBLED = """
import os
listen = KeeperLine._listen
def garbled(_):
    raise BrokenWireError("garbage")
def first_garbled(self):
    if os.path.exists({flag!r}):
        os.unlink({flag!r})
        self._wire.receive = garbled
    listen(self)
KeeperLine._listen = first_garbled
"""


def test_another_daemon_goes_on_under_the_same_keeper(
    launch: Launch, ours: Implementation, scratch: Path
) -> None:
    """Two keepers would start two daemons, which both start what has ended."""
    flag, installation = scratch / "garbled", Installation(scratch)
    installation.install(posix__keeper_line=GARBLED.format(flag=str(flag)))
    daemon = launch(
        ours,
        program("cat") + program("other", autostart="false"),
        command=[*installation.command, "-c", "supervisord.conf"],
        environment=installation.environment,
    )
    daemon.until_state("cat", "RUNNING")
    keeper, pid = daemon.pid, daemon.call("supervisor.getProcessInfo", "cat")["pid"]
    flag.touch()
    with suppress(OSError, HTTPException, Fault):
        daemon.call("supervisor.startProcess", "other", False)
    daemon.until_logged("the daemon before this one has ended .exit status 1.; going on")
    until(lambda: daemon.call("supervisor.getPID") == keeper, "it answers")
    assert daemon.call("supervisor.getProcessInfo", "cat")["pid"] == pid
    assert "another keeper" not in daemon.log_text()
