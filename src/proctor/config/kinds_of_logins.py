"""Kinds of values that logins have: roles, hashes, moments, and the roles of unix peers.

No error here shows what was written where a secret was expected.
"""

from __future__ import annotations

import re

from proctor.config.convert import Kind
from proctor.config.world import World
from proctor.core.caller import Role
from proctor.core.logins import PeerRole
from proctor.core.passwords import problem_of

_ROLES = {role.name.lower(): role for role in Role}
_WORDS = tuple(_ROLES)
TOKEN_PREFIX = "sha256$"


def _role(text: str, _: World | None = None) -> Role:
    found = _ROLES.get(text.strip().lower())
    if found is None:
        raise ValueError(f"not a role: {text!r}")
    return found


def _hash(text: str, _: World) -> str:
    problem = problem_of(text)
    if problem:
        raise ValueError(f"not a password hash: {problem}")
    return text


def _token_hash(text: str, _: World) -> str:
    digest = text.strip().lower().removeprefix(TOKEN_PREFIX)
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError("not the hash of a token")
    return digest


def _moment(text: str, _: World) -> float:
    from datetime import UTC, datetime

    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"not a day or a time: {text!r}") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _peer_roles(text: str, world: World) -> tuple[PeerRole, ...]:
    return tuple(_peer_role(part.strip(), world) for part in text.split(",") if part.strip())


def _peer_role(text: str, world: World) -> PeerRole:
    """`alice=operate`, `1000=view`, `@staff=view+logs`, `*=view`."""
    who, equals, what = (part.strip() for part in text.partition("="))
    if not equals or not who:
        raise ValueError(f"not a user, group or * with a role: {text!r}")
    word, plus, more = what.partition("+")
    if plus and more.strip().lower() != "logs":
        raise ValueError(f"only +logs may follow a role: {text!r}")
    role = _role(word)
    reads_logs = bool(plus) or role is not Role.VIEW
    if who == "*":
        return PeerRole(None, None, role, reads_logs)
    if who.startswith("@"):
        gid = world.group(who[1:])
        if gid is None:
            raise ValueError(f"Invalid group name {who[1:]}")
        return PeerRole(None, gid, role, reads_logs)
    entry = world.user(who)
    # A number need not belong to anybody yet: containers have users that this host does not know.
    if entry is None and not who.isdecimal():
        raise ValueError(f"Invalid user name {who}")
    return PeerRole(entry[0] if entry else int(who), None, role, reads_logs)


ROLE = Kind("view, operate or admin", _role, _WORDS)
HASH = Kind("what `proctor hash-password` prints, or {SHA} and a SHA-1", _hash)
TOKEN_HASH = Kind("what `proctor hash-password --token` prints", _token_hash)
MOMENT = Kind("a day such as 2030-01-31, or a time such as 2030-01-31T12:00", _moment)
PEER_ROLES = Kind("entries such as alice=operate, @staff=view+logs, *=view", _peer_roles)
