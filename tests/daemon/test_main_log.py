"""The main log of a real daemon."""

from __future__ import annotations

import signal
from pathlib import Path

from support.daemon import Launch
from support.implementations import Implementation
from support.programs import program


def test_a_main_log_that_cannot_be_reopened(
    launch: Launch, ours: Implementation, scratch: Path
) -> None:
    """The old file stays in use, and says why."""
    logs = scratch / "logs"
    logs.mkdir()
    daemon = launch(ours, settings=f"logfile={logs}/main")
    daemon.log = logs.rename(scratch / "moved") / "main"
    daemon.signal(signal.SIGUSR2)
    daemon.until_logged("ERRO cannot reopen .*logs/main: .*No such file")


def test_the_first_lines_come_in_the_order_of_the_start(
    either: Implementation, launch: Launch
) -> None:
    """What was collected before by its weight, then the servers, then the background; at a restart
    again, but for the background (compat config.md, section 12)."""
    daemon = launch(
        either, "[include]\nfiles=nowhere*\n", settings="directory=/\nminfds=100", arguments=()
    )
    first = ["CRIT Super", "WARN No fi", "INFO RPC i", "CRIT Serve"]
    background, running = ["INFO daemo", "INFO set c"], ["INFO super"]
    daemon.until_logged("supervisord started")
    assert [line[:10] for line in daemon.log_lines()] == first + background + running
    count = len(daemon.log_lines())
    daemon.signal(signal.SIGHUP)
    daemon.until_logged("supervisord started", times=2)
    assert [line[:10] for line in daemon.log_lines()[count + 1 :]] == first + running


def test_programs_have_the_directory_and_umask_of_the_background(
    either: Implementation, launch: Launch
) -> None:
    """A program that says nothing about them has those of [supervisord]."""
    command = "/bin/sh -c 'pwd; umask; exec cat'"
    daemon = launch(
        either,
        program("where", command, stdout_logfile="%(here)s/out"),
        settings="directory=/usr\numask=027",
        arguments=(),
    )
    assert daemon.until_file("out", r"(?s).+\n.+\n") == "/usr\n0027\n"
