"""Users: who a uid is, and giving up root for good.

Name look-ups may ask a directory server, so their results are kept for the life of the daemon.
"""

from __future__ import annotations

import grp
import os
import pwd
from functools import lru_cache

from proctor.core.values import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """A user to run as: uid, primary gid and every group that lists the user."""

    uid: int
    gid: int
    groups: tuple[int, ...]


class PrivilegeError(Exception):
    """The user cannot be switched; the text is the original's (compat config.md, section 12)."""


@lru_cache(maxsize=256)
def identity(uid: int) -> Identity:
    """All of a user's groups.  Raises KeyError when no user has this uid.

    Source: compat config.md, section 12: the primary gid plus every group that lists the user.
    """
    entry = pwd.getpwuid(uid)
    others = [group.gr_gid for group in grp.getgrall() if entry.pw_name in group.gr_mem]
    return Identity(uid, entry.pw_gid, (entry.pw_gid, *others))


@lru_cache(maxsize=256)
def name_of(uid: int) -> str:
    """The name of a user, "" when nobody has this uid.  May block: not on the loop."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def drop_privileges(uid: int) -> None:
    """Become `uid` for ever, groups first, and make sure of it.

    Raises PrivilegeError; the process must end then, for some of it may have been done.
    """
    if uid == os.getuid():
        return
    if os.getuid() != 0:
        raise PrivilegeError("Can't drop privilege as nonroot user")
    try:
        user = identity(uid)
    except KeyError:
        raise PrivilegeError(f"Can't find uid {uid}") from None
    try:
        os.setgroups(user.groups)
    except OSError:
        raise PrivilegeError("Could not set groups of effective user") from None
    try:
        os.setresgid(user.gid, user.gid, user.gid)
    except OSError:
        raise PrivilegeError("Could not set group id of effective user") from None
    os.setresuid(uid, uid, uid)
    gids = os.getresgid()
    if gids != (user.gid,) * 3 or not set(os.getgroups()) <= {user.gid, *user.groups}:
        raise PrivilegeError(f"Could not leave the groups of the user before uid {uid}")
    if os.getresuid() != (uid, uid, uid):
        raise PrivilegeError(f"Could not become uid {uid}")
