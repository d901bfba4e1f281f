"""Who asks: HTTP Basic on every path of a server that has a username.

1. Name and password are compared in constant time, as text or as `{SHA}` + hex of its SHA-1.
2. A source that fails again and again waits longer for each refusal, never for a success.
3. Failures are logged with their source, at the 1st, 2nd, 4th, 8th ... only, and without what was
   typed: people type passwords into the field for names.

Source: compat xmlrpc.md, section 2; scenarios.md, section 1, rule 7.
"""

from __future__ import annotations

import asyncio
import binascii

# Not hmac: it loads OpenSSL, megabytes that a daemon without TLS has no use for.
from _operator import _compare_digest as same

from proctor.core.caller import Caller, How
from proctor.core.settings import ServerSettings
from proctor.daemon.activity_log import ActivityLog
from proctor.web.request import Refusal, Request

CHALLENGE = (("Connection", "close"), ("WWW-Authenticate", 'Basic realm="default"'))
FREE_FAILURES = 3
MAX_DELAY = 5.0
MAX_SOURCES = 1000


class Doorkeeper:
    """Lets requests in, and remembers who failed."""

    def __init__(self, log: ActivityLog) -> None:
        self._log = log
        self._failures: dict[str, int] = {}

    async def check(self, request: Request) -> Caller:
        """Who asks: everybody, with all rights, when this server asks for no login.

        Raises Refusal 401, or 400 for credentials that cannot be read.
        """
        if request.settings.username is None:
            return _caller(request)
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            raise Refusal(401, headers=CHALLENGE)
        name, password = _credentials(encoded)
        if not _match(request.settings, name, password):
            await self._refuse(request)
        self._failures.pop(request.client[0], None)
        return _caller(request, request.settings.username)

    async def _refuse(self, request: Request) -> None:
        source = request.client[0]
        count = self._failures.pop(source, 0) + 1
        # Popped and put back: the dictionary stays in order of the last failure.
        self._failures[source] = count
        if len(self._failures) > MAX_SOURCES:
            self._failures.pop(next(iter(self._failures)))
        if count & (count - 1) == 0:
            section = request.settings.section
            self._log.warn(f"login to '{section}' from {request.source} failed ({count} so far)")
        if count > FREE_FAILURES:
            await asyncio.sleep(min(MAX_DELAY, 0.1 * 2 ** min(count - FREE_FAILURES, 10)))
        raise Refusal(401, headers=CHALLENGE)


def _caller(request: Request, user: str | None = None) -> Caller:
    if request.over_unix:
        return Caller(How.UNIX, user=user, peer=request.peer)
    return Caller(How.TCP, user=user, address=request.source)


def _credentials(encoded: str) -> tuple[bytes, bytes]:
    try:
        decoded = binascii.a2b_base64(encoded.strip(), strict_mode=True)
    except (binascii.Error, ValueError):
        raise Refusal(400) from None
    name, colon, password = decoded.partition(b":")
    if not colon:
        raise Refusal(400)
    return name, password


def _match(settings: ServerSettings, name: bytes, password: bytes) -> bool:
    wanted_name, wanted = settings.username or "", settings.password or ""
    if wanted.startswith("{SHA}"):
        wanted = wanted[5:].lower()
        password = _sha1(password)
    # Both are compared, whatever the first says.
    matches = same(name, wanted_name.encode()), same(password, wanted.encode())
    return all(matches)


def _sha1(data: bytes) -> bytes:
    # Loaded only where such a password is configured.
    from hashlib import sha1

    return sha1(data, usedforsecurity=False).hexdigest().encode()
