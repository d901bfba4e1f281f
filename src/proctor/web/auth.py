"""Who asks: HTTP Basic or a token on every path of a server that asks for a login.

1. Names and secrets are compared in constant time; a name that nobody has costs as much as one
   that somebody has.
2. A hash that is slow to check is checked in a thread of its own, and whoever has passed once is
   known by a digest of what was typed, under a key that dies with us.
3. A source that fails again and again waits longer for each refusal, never for a success.
4. Failures are logged with their source, at the 1st, 2nd, 4th, 8th ... only, and without what was
   typed: people type passwords into the field for names.
5. On a unix socket without a login the kernel says who asks; see `peers.py`.

Source: compat xmlrpc.md, section 2; scenarios.md, section 1, rules 1, 7 and 8.
"""

from __future__ import annotations

import asyncio
import binascii
import time

# Not hmac: it loads OpenSSL, megabytes that a daemon without TLS has no use for.
from _operator import _compare_digest as same
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from proctor.core.caller import Caller, How
from proctor.core.logins import Login, Logins, asks_for_login
from proctor.core.passwords import is_slow, matches, token_digest
from proctor.core.settings import ServerSettings
from proctor.daemon.activity_log import ActivityLog
from proctor.daemon.signals import hear_nothing
from proctor.web.known import Known
from proctor.web.peers import role_of
from proctor.web.request import Refusal, Request

CHALLENGE = (("Connection", "close"), ("WWW-Authenticate", 'Basic realm="default"'))
FREE_FAILURES = 3
MAX_DELAY = 5.0
MAX_SOURCES = 1000
MAX_WAITING = 16

# Checked where nobody has the name, so that the answer takes as long.
_NOBODY = Login("", "scrypt$14$8$1$" + "A" * 22 + "==$" + "A" * 43 + "=")
_NOBODY_QUICKLY = Login("", "")


class Doorkeeper:
    """Lets requests in, and remembers who failed.  `logins`: those of the configuration now."""

    def __init__(self, log: ActivityLog, logins: Callable[[], Logins] = Logins) -> None:
        self._log = log
        self._logins = logins
        self._failures: dict[str, int] = {}
        self._known = Known()
        self._worker: ThreadPoolExecutor | None = None
        self._waiting = 0

    async def check(self, request: Request) -> Caller:
        """Who asks, and with which rights.

        Raises Refusal 401, 400 for credentials that cannot be read, 403 for a unix peer that has no
        role, 503 when too many logins are being checked.
        """
        settings, logins = request.settings, self._logins()
        header = request.headers.get("authorization", "")
        # What clients send to a server that knows no logins was never looked at.
        if not asks_for_login(settings, logins) and not (header and logins.any):
            return self._unasked(request, logins)
        if not header and (shown := _by_certificate(request, logins)):
            return _caller(request, shown)
        scheme, _, credentials = header.partition(" ")
        match scheme.lower():
            case "basic":
                login = await self._by_password(settings, logins, *_credentials(credentials))
            case "bearer" if logins.tokens:
                login = _by_token(logins.tokens, credentials.strip().encode())
            case _:
                raise Refusal(401, headers=CHALLENGE)
        if login is None or (login.expires is not None and login.expires <= time.time()):
            await self._refuse(request, expired=login)
            raise Refusal(401, headers=CHALLENGE)
        self._failures.pop(request.client[0], None)
        return _caller(request, login)

    def _unasked(self, request: Request, logins: Logins) -> Caller:
        """Whoever reaches a server that asks for no login: everybody, or the roles of peers."""
        roles, peer = request.settings.peer_roles, request.peer
        if not roles:
            return _caller(request)
        found = role_of(peer, roles) if peer is not None else None
        if found is None:
            if logins.any:
                raise Refusal(401, headers=CHALLENGE)
            raise Refusal(403, "peer_roles has no role for this user")
        return _caller(request, Login("", "", found.role, found.reads_logs))

    async def _by_password(
        self, settings: ServerSettings, logins: Logins, name: bytes, password: bytes
    ) -> Login | None:
        """The login of that name, if that is its password, or its token."""
        everybody = [*_own(settings), *logins.users]
        found = _named(everybody, name)
        if found is None and (token := _named(logins.tokens, name)) is not None:
            return _by_token([token], password)
        slow = any(is_slow(login.secret) for login in everybody)
        login = found or (_NOBODY if slow else _NOBODY_QUICKLY)
        good = await self._matches(login, password)
        return found if good else None

    async def _matches(self, login: Login, password: bytes) -> bool:
        if not is_slow(login.secret):
            return matches(login.secret, password)
        if self._known.has(login, password):
            return True
        if self._waiting >= MAX_WAITING:
            raise Refusal(503)
        self._waiting += 1
        try:
            worker = self._worker = self._worker or ThreadPoolExecutor(1, "logins", hear_nothing)
            loop = asyncio.get_running_loop()
            good = await loop.run_in_executor(worker, matches, login.secret, password)
        finally:
            self._waiting -= 1
        if good:
            self._known.add(login, password)
        return good

    async def _refuse(self, request: Request, expired: Login | None) -> None:
        source = request.client[0]
        count = self._failures.pop(source, 0) + 1
        # Popped and put back: the dictionary stays in order of the last failure.
        self._failures[source] = count
        if len(self._failures) > MAX_SOURCES:
            self._failures.pop(next(iter(self._failures)))
        if count & (count - 1) == 0:
            why = f": {expired.name} has expired" if expired else ""
            section = request.settings.section
            self._log.warn(
                f"login to '{section}' from {request.source} failed ({count} so far){why}"
            )
        if count > FREE_FAILURES:
            await asyncio.sleep(min(MAX_DELAY, 0.1 * 2 ** min(count - FREE_FAILURES, 10)))


def _own(settings: ServerSettings) -> list[Login]:
    """The login that the section of the server has itself: full rights, as ever."""
    if settings.username is None:
        return []
    return [Login(settings.username, settings.password or "")]


def _named(logins: Iterable[Login], name: bytes) -> Login | None:
    found = None
    for login in logins:
        # All are compared, wherever the right one stands.
        if same(login.name.encode(), name) and found is None:
            found = login
    return found


def _by_token(tokens: Iterable[Login], token: bytes) -> Login | None:
    digest, found = token_digest(token), None
    for login in tokens:
        if same(login.secret, digest):
            found = login
    return found


def _by_certificate(request: Request, logins: Logins) -> Login | None:
    """The user whose name a client's certificate has; with all rights where nobody is a user."""
    for user in logins.users:
        if user.name in request.names:
            return user
    if request.names and request.settings.username is None and not logins.any:
        return Login(request.names[0], "")
    return None


def _caller(request: Request, login: Login | None = None) -> Caller:
    login = login or Login("", "")
    return Caller(
        How.UNIX if request.over_unix else How.TCP,
        login.role,
        login.reads_logs,
        login.groups,
        user=login.name or None,
        peer=request.peer,
        address="" if request.over_unix else request.source,
    )


def _credentials(encoded: str) -> tuple[bytes, bytes]:
    try:
        decoded = binascii.a2b_base64(encoded.strip(), strict_mode=True)
    except (binascii.Error, ValueError):
        raise Refusal(400) from None
    name, colon, password = decoded.partition(b":")
    if not colon:
        raise Refusal(400)
    return name, password
