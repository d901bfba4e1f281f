"""Who is at the other end of a unix socket."""

from __future__ import annotations

import os
import socket
from uuid import uuid4

import pytest

from proctor.core.caller import Peer
from proctor.posix.peers import peer_of

NOBODY = 65534


def connect_as_nobody(address: str) -> int:
    """A child that connects as another user with another group, and leaves; its pid."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setgroups([7])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(address)
            client.recv(1)
    finally:
        os._exit(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_the_kernel_says_who_connected() -> None:
    """User, group and process; the other groups only where somebody wants to know them."""
    address = f"\0proctor-{uuid4().hex}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        pid = connect_as_nobody(address)
        accepted, _ = server.accept()
        with accepted:
            assert peer_of(accepted) == Peer(pid, NOBODY, NOBODY)
            assert peer_of(accepted, with_groups=True) == Peer(pid, NOBODY, NOBODY, (7,))
            accepted.sendall(b"!")
        os.waitpid(pid, 0)


def test_our_own_other_end_is_ourselves() -> None:
    """Also when it has gone already."""
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours:
        assert peer_of(ours) == Peer(os.getpid(), os.geteuid(), os.getegid())


def test_nobody_knows_who_is_behind_tcp() -> None:
    """None, whatever the kernel would say."""
    with socket.socket(socket.AF_INET) as sock:
        assert peer_of(sock) is None
