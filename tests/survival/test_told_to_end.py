"""The daemon dies over an order to end: the next one finishes it."""

from __future__ import annotations

import signal

from support.daemon import Launch, marked
from support.implementations import Implementation
from support.programs import program
from support.torture import kill_daemon
from support.waiting import until

STUBBORN = """/bin/sh -c 'trap "" TERM; echo deaf; while :; do sleep 0.1; done'"""


def test_children_are_stopped_by_the_daemon_that_comes_after(
    launch: Launch, ours: Implementation
) -> None:
    """It is told to end before it has taken its children over, and leaves none behind."""
    options = {"stopwaitsecs": 5, "stdout_logfile": "%(here)s/out"}
    daemon = launch(ours, program("stubborn", STUBBORN, **options))
    daemon.until_file("out", "deaf")
    keeper = daemon.pid
    daemon.signal(signal.SIGTERM)
    daemon.until_logged("waiting for stubborn to die")
    kill_daemon(keeper)
    assert daemon.wait() == 0
    until(lambda: not marked(daemon.identifier), "nobody is left")
    assert "WARN stopped: stubborn (terminated by SIGKILL)" in daemon.log_lines()


def test_a_keeper_whose_daemon_cannot_begin_is_told_to_end(
    launch: Launch, ours: Implementation
) -> None:
    """It waits for the next try no longer, and ends the programs itself."""
    daemon = launch(ours, program("a"))
    daemon.until_state("a", "RUNNING")
    keeper = daemon.pid
    daemon.log.unlink()
    daemon.log.mkdir()
    kill_daemon(keeper)
    daemon.until_file("console", "(?s)(ended unexpectedly.*){4}")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 1
    until(lambda: not marked(daemon.identifier), "nobody is left")
    daemon.log.rmdir()
