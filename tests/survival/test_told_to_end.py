"""The daemon dies over an order to end: the next one finishes it."""

from __future__ import annotations

import os
import signal

from support.daemon import Launch, marked
from support.implementations import Implementation
from support.programs import program
from support.torture import daemon_pid
from support.waiting import until

STUBBORN = """/bin/sh -c 'trap "" TERM; while :; do sleep 0.1; done'"""


def test_children_are_stopped_by_the_daemon_that_comes_after(
    launch: Launch, ours: Implementation
) -> None:
    """It is told to end before it has taken its children over, and leaves none behind."""
    daemon = launch(ours, program("stubborn", STUBBORN, stopwaitsecs=2))
    daemon.until_state("stubborn", "RUNNING")
    keeper = daemon.pid
    daemon.signal(signal.SIGTERM)
    daemon.until_logged("waiting for stubborn to die")
    os.kill(daemon_pid(keeper), signal.SIGKILL)
    assert daemon.wait() == 0
    until(lambda: not marked(daemon.identifier), "nobody is left")
    assert "WARN stopped: stubborn (terminated by SIGKILL)" in daemon.log_lines()
