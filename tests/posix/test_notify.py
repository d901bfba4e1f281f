"""sd_notify as systemd hears it: datagrams on a unix socket, with a path or in the abstract."""

from __future__ import annotations

import socket
import uuid
from pathlib import Path

import pytest

from proctor.posix.notify import Notifier, inherit


@pytest.mark.parametrize("abstract", [False, True])
def test_lines_arrive_together(scratch: Path, abstract: bool) -> None:
    """In one datagram, at either kind of address."""
    address = f"@proctor-{uuid.uuid4().hex}" if abstract else str(scratch / "n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(address.replace("@", "\0", 1))
        ear.settimeout(30)
        Notifier({"NOTIFY_SOCKET": address}, 1).tell("READY=1", "STATUS=well")
        assert ear.recv(1000) == b"READY=1\nSTATUS=well"


@pytest.mark.parametrize(
    "address", ["", "/nowhere/at/all", "@nobody-there", "vsock:2:1", "x" * 200]
)
def test_nobody_listens(address: str) -> None:
    """That is no error."""
    Notifier({"NOTIFY_SOCKET": address}, 1).tell("READY=1")


def test_a_full_socket_does_not_hold_us_up(scratch: Path) -> None:
    """What it does not take is lost."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(scratch / "n"))
        notifier = Notifier({"NOTIFY_SOCKET": str(scratch / "n")}, 1)
        for _ in range(5000):
            notifier.tell("WATCHDOG=1")


def test_no_child_sees_the_variables() -> None:
    """But the next program in this process does."""
    environ = {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7", "HOME": "/"}
    before = dict(environ)
    notifier = inherit(environ, 7)
    assert (environ, notifier.watchdog) == ({"HOME": "/"}, 3.0)
    notifier.leave(environ)
    assert environ == before


@pytest.mark.parametrize(
    "more", [{"WATCHDOG_PID": "8"}, {"WATCHDOG_USEC": "soon"}, {"NOTIFY_SOCKET": ""}]
)
def test_a_watchdog_that_is_not_ours(more: dict[str, str]) -> None:
    """Somebody else's, nonsense, or one that nobody hears of."""
    asked = {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"}
    assert Notifier({**asked, **more}, 7).watchdog == 0.0
