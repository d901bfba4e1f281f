"""What nobody expected is in the main log, and everything goes on."""

from __future__ import annotations

import socket
from pathlib import Path

from support.daemon import Launch
from support.implementations import Implementation
from support.programs import program
from support.torture import kill_daemon

PLUGIN = """\
import asyncio

class Interface:
    def stumble(self):
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        return True

def make(supervisord, **options):
    return Interface()
"""
SECTION = "[rpcinterface:clumsy]\nsupervisor.rpcinterface_factory=clumsy:make\n\n"


def test_an_exception_on_the_loop(launch: Launch, ours: Implementation, scratch: Path) -> None:
    """One line with the whole trace; asyncio would have written it to a stderr nobody sees."""
    (scratch / "clumsy.py").write_text(PLUGIN)
    daemon = launch(ours, SECTION + program("cat"), environment={"PYTHONPATH": str(scratch)})
    assert daemon.call("clumsy.stumble")
    daemon.until_logged("CRIT uncaught python exception: .*ZeroDivisionError")
    daemon.until_state("cat", "RUNNING")


def test_a_later_daemon_that_cannot_begin(launch: Launch, ours: Implementation) -> None:
    """The reason is in the log, since its stderr has no reader; programs run on."""
    daemon = launch(ours, program("cat"))
    daemon.until_state("cat", "RUNNING")
    pid = daemon.call("supervisor.getProcessInfo", "cat")["pid"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        daemon.configure(f"[inet_http_server]\nport=127.0.0.1:{port}\n\n" + program("cat"))
        kill_daemon(daemon.pid)
        daemon.until_logged("CRIT cannot begin: Another program is already listening")
    daemon.until_state("cat", "RUNNING")
    assert daemon.call("supervisor.getProcessInfo", "cat")["pid"] == pid
