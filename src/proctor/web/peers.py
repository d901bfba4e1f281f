"""Which role a process has that connected to a unix socket without a login.

Root and our own user could do to the daemon whatever they like: they are admin whatever the file
says.  Source: scenarios.md, section 1, rules 1 and 8.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from proctor.core.caller import Peer, Role
from proctor.core.logins import PeerRole


def role_of(peer: Peer, roles: Iterable[PeerRole]) -> PeerRole | None:
    """The first entry that fits; None when there is none."""
    if peer.uid in (0, os.geteuid()):
        return PeerRole(peer.uid, None, Role.ADMIN, reads_logs=True)
    for entry in roles:
        anybody = entry.uid is None and entry.gid is None
        member = entry.gid is not None and entry.gid in (peer.gid, *peer.groups)
        if anybody or member or entry.uid == peer.uid:
            return entry
    return None
