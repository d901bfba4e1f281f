"""Logins: who may come in, by which secret, and what they may do then.

A secret is never shown: `repr` leaves it out, so it is in no message by accident.
"""

from __future__ import annotations

from typing import NamedTuple

from proctor.core.caller import EVERYTHING, Role
from proctor.core.settings import ServerSettings


class Login(NamedTuple):
    """A [user:x], an [api_token:x], or the username of a server section.

    `secret` in one of the forms of `passwords.py`; for a token it is the SHA-256 of the token, in
    hexadecimal.  `expires`: seconds since the epoch, None = never.
    """

    name: str
    secret: str
    role: Role = Role.ADMIN
    reads_logs: bool = True
    groups: tuple[str, ...] = EVERYTHING
    expires: float | None = None

    def __repr__(self) -> str:
        return f"Login({self.name!r}, {self.role.name.lower()})"


class PeerRole(NamedTuple):
    """What a process on this machine may do over a unix socket, by its user or one of its groups.

    Both None: everybody else.
    """

    uid: int | None
    gid: int | None
    role: Role
    reads_logs: bool


class Logins(NamedTuple):
    """All of them; empty, as in files of the original: whoever reaches a server may use it."""

    users: tuple[Login, ...] = ()
    tokens: tuple[Login, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return bool(self.users or self.tokens)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server on this address."""
    if host in ("localhost", "::1"):
        return True
    return host.startswith("127.") and host.replace(".", "").isdecimal()


def open_to_network(server: ServerSettings, logins: Logins) -> bool:
    """Whether others can reach this server and command it without saying who they are."""
    return server.file is None and not (is_loopback(server.host) or asks_for_login(server, logins))


def asks_for_login(server: ServerSettings, logins: Logins) -> bool:
    """Whether nobody gets past this server without saying who they are.

    A TCP server asks as soon as anybody can log in at all; a unix socket only when its own section
    says so, for there the kernel tells who asks.  A client's certificate is a login, too.
    """
    if server.tls is not None and server.tls.client_ca is not None:
        return True
    return server.username is not None or (server.file is None and logins.any)
