"""Somebody removes the socket file of a running daemon: a cleaner of /tmp, or a person."""

from __future__ import annotations

import signal

from support.daemon import Launch
from support.implementations import Implementation
from support.programs import program
from support.waiting import until


def test_usr1_makes_the_socket_again(launch: Launch, ours: Implementation) -> None:
    """As docs/how-to/socket-is-gone.md says; no program is stopped."""
    daemon = launch(ours, program("a"))
    daemon.until_state("a", "RUNNING")
    pid = daemon.client.pid("a")
    daemon.socket.unlink()
    daemon.signal(signal.SIGUSR1)
    until(lambda: daemon.client.pid("a") == pid, "it answers again")
