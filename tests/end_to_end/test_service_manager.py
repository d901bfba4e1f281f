"""Under a service manager: what systemd would hear from a daemon, with a real socket as its ear."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.torture import kill_daemon
from support.waiting import until

PROGRAM = "[program:cat]\ncommand=/bin/cat\nstartsecs=0\n"


class Manager:
    """The ear of a service manager; `heard` are the datagrams so far."""

    def __init__(self, sock: socket.socket, path: Path) -> None:
        self._sock = sock
        self.path = path
        self.heard: list[str] = []

    def until(self, line: str, times: int = 1) -> None:
        """Wait until a line was heard so often."""
        until(lambda: self._count(line) >= times, lambda: f"{line}: {self.heard}")

    def _count(self, line: str) -> int:
        while True:
            try:
                self.heard.append(self._sock.recv(4096).decode())
            except BlockingIOError:
                return sum(line in message.splitlines() for message in self.heard)


@pytest.fixture
def manager(scratch: Path) -> Iterator[Manager]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(scratch / "notify"))
        sock.setblocking(False)
        yield Manager(sock, scratch / "notify")


def start(
    launch: Launch, ours: Implementation, manager: Manager, settings: str = "", **more: str
) -> Daemon:
    environment = {"NOTIFY_SOCKET": str(manager.path), **more}
    return launch(ours, PROGRAM, settings=settings, environment=environment)


@pytest.mark.parametrize("settings", ["hup=apply", "hup=apply\nkeeper=false"])
def test_from_readiness_to_the_end(
    launch: Launch, ours: Implementation, manager: Manager, settings: str
) -> None:
    """READY once everything is up, RELOADING around an apply, STOPPING at the end; and programs
    know nothing of it."""
    daemon = start(launch, ours, manager, settings)
    manager.until("READY=1")
    manager.until(f"MAINPID={daemon.pid}")
    manager.until("STATUS=Looking after 1 processes in 1 groups")
    daemon.until_state("cat", "RUNNING")
    pid = daemon.call("supervisor.getProcessInfo", "cat")["pid"]
    until(lambda: os.readlink(f"/proc/{pid}/exe") != os.readlink(f"/proc/{daemon.pid}/exe"), "cat")
    assert b"NOTIFY_SOCKET" not in Path(f"/proc/{pid}/environ").read_bytes()
    daemon.signal(signal.SIGHUP)
    manager.until("RELOADING=1")
    manager.until("READY=1", times=2)
    assert any("MONOTONIC_USEC=" in message for message in manager.heard)
    daemon.signal(signal.SIGTERM)
    manager.until("STOPPING=1")
    daemon.wait()


def test_ready_again_after_a_reload_and_a_death(
    launch: Launch, ours: Implementation, manager: Manager
) -> None:
    """Each daemon tells it, also one that was started by the keeper."""
    daemon = start(launch, ours, manager)
    manager.until("READY=1")
    daemon.signal(signal.SIGHUP)
    manager.until("RELOADING=1")
    manager.until("READY=1", times=2)
    daemon.until_state("cat", "RUNNING")
    # A child that is just being born looks like its parent for a moment.
    kill_daemon(daemon.pid)
    manager.until("READY=1", times=3)


def test_signs_of_life(launch: Launch, ours: Implementation, manager: Manager) -> None:
    """As often as half the time that the watchdog allows, and only where there is one."""
    start(launch, ours, manager, WATCHDOG_USEC="200000")
    manager.until("WATCHDOG=1", times=5)
