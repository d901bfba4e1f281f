"""Caller: who asks, from where, and what they may do.

1. Rights grow: VIEW < OPERATE < ADMIN.  Reading what programs write to their logs is a right of its
   own, for logs hold secrets.
2. A caller may be confined to groups, by patterns (`web*`).  Whoever is not confined may also do
   what concerns the daemon as a whole.
3. Who gets in without any configuration may do everything, as ever.

Source: scenarios.md, section 1, rule 8.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from fnmatch import fnmatchcase

from proctor.core.values import dataclass

EVERYTHING = ("*",)


class How(Enum):
    """By which way somebody asks."""

    UNIX = "unix"
    TCP = "tcp"
    SIGNAL = "signal"
    PLUGIN = "plugin"
    DAEMON = "daemon"


class Role(IntEnum):
    """What a caller may do; each includes those before it."""

    VIEW = 1
    OPERATE = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end of a unix socket, when it connected.

    `groups`: its supplementary ones, where somebody wants to know them.
    """

    pid: int
    uid: int
    gid: int
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    `user` is the name that was logged in with, None without a login.  `peer` is known on a unix
    socket, `address` ("host:port") on TCP.  `groups` are patterns of group names.  `program` is the
    process of ours that the peer is, or belongs to; known where something is changed.
    """

    how: How
    role: Role = Role.ADMIN
    reads_logs: bool = True
    groups: tuple[str, ...] = EVERYTHING
    user: str | None = None
    peer: Peer | None = None
    address: str = ""
    program: str = ""

    @property
    def confined(self) -> bool:
        """Whether there are groups that are none of their business."""
        return "*" not in self.groups

    def covers(self, group: str) -> bool:
        """Whether a group is theirs."""
        return not self.confined or any(fnmatchcase(group, each) for each in self.groups)

    def described(self) -> str:
        """For the log: `alice from 10.0.0.7:51034`, `uid 1000 (pid 4711)`, `signal`;
        `memmon, uid 0 (pid 4711)` for a program of ours.
        """
        where = f" from {self.address}" if self.address else ""
        if self.peer is not None:
            origin = f"uid {self.peer.uid} (pid {self.peer.pid})"
            return ", ".join(filter(None, (self.user, self.program, origin)))
        return f"{self.user or ('somebody' if self.address else self.how.value)}{where}"

    def named(self) -> str:
        """For the journal: a program of ours by its name alone, `memmon (pid 4711)`."""
        if self.peer is None or not self.program:
            return self.described()
        origin = f"{self.program} (pid {self.peer.pid})"
        return f"{self.user}, {origin}" if self.user else origin


DAEMON = Caller(How.DAEMON)
