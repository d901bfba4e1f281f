"""Who is at the other end of a unix socket, as the kernel says.

It was settled when they connected: a program that changes its user later stays who it was.
"""

from __future__ import annotations

import os
import socket
import struct

from proctor.core.caller import Peer

# Linux 4.13; Python has no name for it.
_SO_PEERGROUPS = 59
# As much as Python can ask for: who is in more than 256 groups counts by user and first group.
_MOST = 1024


def peer_of(sock: socket.socket, with_groups: bool = False) -> Peer | None:
    """The process that connected; None where the kernel does not tell, and for other sockets."""
    if sock.family != socket.AF_UNIX:
        return None
    try:
        found = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except OSError:
        return None
    pid, uid, gid = struct.unpack("3i", found)
    # -1 is how the kernel says nobody.
    if uid < 0:
        return None
    return Peer(pid, uid, gid, _supplementary_groups(sock) if with_groups else ())


def process_group(pid: int) -> int:
    """The process group of a process; 0 when there is none, or it is gone."""
    try:
        return os.getpgid(pid) if pid > 0 else 0
    except OSError:
        return 0


def _supplementary_groups(sock: socket.socket) -> tuple[int, ...]:
    try:
        found = sock.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST)
    except OSError:
        return ()
    return struct.unpack(f"{len(found) // 4}I", found)
