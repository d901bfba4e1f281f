"""What children inherit is the same after a restart."""

from __future__ import annotations

import signal

import pytest

from support.daemon import Launch
from support.implementations import Implementation
from support.programs import program

COMMAND = "/bin/sh -c 'ulimit -Sn; exec cat'"


@pytest.mark.parametrize("keeper", ["true", "false"])
def test_the_limit_of_descriptors(launch: Launch, ours: Implementation, keeper: str) -> None:
    """Our own is raised to what the system allows; theirs is what supervisord was started with."""
    limited = ["/bin/sh", "-c", 'ulimit -Sn 1500; exec "$0" -c supervisord.conf "$@"']
    daemon = launch(
        ours,
        program("cat", COMMAND, stdout_logfile="%(here)s/out"),
        settings=f"keeper={keeper}",
        command=[*limited, ours.program("supervisord")],
    )
    daemon.until_file("out", "^1500\n")
    daemon.signal(signal.SIGHUP)
    assert daemon.until_file("out", r"(?s)\n.+\n") == "\n1500\n"
