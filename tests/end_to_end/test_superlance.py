"""superlance 2.0.0 as it comes from PyPI, as listeners under our daemon."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from support.daemon import Launch
from support.implementations import Implementation
from support.listeners import eventlistener
from support.programs import OBEDIENT, program
from support.rpc import free_port
from support.waiting import until

pytestmark = pytest.mark.oracle

MAIL = "-s /bin/true -m root@localhost"
SMTP = "-t a@localhost -f b@localhost -H 127.0.0.1:1"


def test_all_six_take_events(
    launch: Launch, ours: Implementation, original: Implementation
) -> None:
    """None breaks the protocol, with the options of its manual."""
    commands = {
        "crashmail": ("PROCESS_STATE", f"-a {MAIL}"),
        "httpok": ("PROCESS_STATE", f"-p web {MAIL} http://127.0.0.1:{free_port()}/"),
        "memmon": ("PROCESS_STATE", "-p web=200MB -m root@localhost -s /bin/true"),
        "crashmailbatch": ("PROCESS_STATE", SMTP),
        "fatalmailbatch": ("PROCESS_STATE", SMTP),
        "crashsms": ("PROCESS_STATE", SMTP),
    }
    listeners = "".join(
        eventlistener(name, f"{original.program(name)} {words}", events, buffer_size=100)
        for name, (events, words) in commands.items()
    )
    daemon = launch(ours, listeners + program("web", OBEDIENT), settings="loglevel=debug")
    for name in commands:
        daemon.until_logged(f"DEBG {name}: event was processed", 3)
    daemon.call("supervisor.sendProcessStdin", "web", "exit 0\n")
    daemon.until_logged(r"exited: web \(exit status 0; expected\)")
    for name in commands:
        daemon.until_logged(f"DEBG {name}: event was processed", 4)
    assert "UNKNOWN" not in daemon.log_text()
    assert {daemon.client.state(name) for name in commands} == {"RUNNING"}


def test_httpok_restarts_what_does_not_answer(
    launch: Launch, ours: Implementation, original: Implementation
) -> None:
    """By a tick, and by calls to us while it is BUSY."""
    words = f"-p web -t 1 http://127.0.0.1:{free_port()}/"
    listener = eventlistener("httpok", f"{original.program('httpok')} {words}", "TICK_5")
    daemon = launch(ours, listener + program("web"))
    daemon.until_state("web", "RUNNING")
    before = daemon.client.pid("web")
    until(lambda: daemon.client.pid("web") not in (0, before), "web was restarted")
    assert "UNKNOWN" not in daemon.log_text()


def test_memmon_restarts_what_has_grown(
    launch: Launch, ours: Implementation, original: Implementation
) -> None:
    """It asks us for pids, reads what ps says, and tells us to restart."""
    eater = f"{sys.executable} -c \"import time; food = b'x' * 50_000_000; time.sleep(1000)\""
    listener = eventlistener("memmon", f"{original.program('memmon')} -p eater=30MB", "TICK_5")
    daemon = launch(ours, listener + program("eater", eater) + program("web"))
    daemon.until_state("eater", "RUNNING")
    daemon.until_state("web", "RUNNING")
    before, web = daemon.client.pid("eater"), daemon.client.pid("web")
    until(lambda: daemon.client.pid("eater") not in (0, before), "eater was restarted")
    assert daemon.client.pid("web") == web


def test_crashmail_survives_a_crash_of_its_own(
    launch: Launch, ours: Implementation, original: Implementation
) -> None:
    """Killed and started again it goes on."""
    listener = eventlistener(
        "crashmail", f"{original.program('crashmail')} -a {MAIL}", "PROCESS_STATE_EXITED"
    )
    daemon = launch(ours, listener + program("web"), settings="loglevel=debug")
    daemon.until_state("crashmail", "RUNNING")
    daemon.until_state("web", "RUNNING")
    os.kill(daemon.client.pid("crashmail"), signal.SIGKILL)
    daemon.until_logged("exited: crashmail")
    os.kill(daemon.client.pid("web"), signal.SIGKILL)
    # Its own end, and that of web.
    daemon.until_logged("DEBG crashmail: event was processed", 2)
