"""Known: who has proved a slow password before, without keeping it.

What is kept is a digest of hash and password under a random key, one for each name.  A changed
hash in the configuration makes the old digest worthless.
"""

from __future__ import annotations

import os
from _operator import _compare_digest as same

from proctor.core.logins import Login

_MOST = 1000


class Known:
    """Digests of what was typed rightly, by name."""

    def __init__(self) -> None:
        self._key = b""
        self._digests: dict[str, bytes] = {}

    def has(self, login: Login, password: bytes) -> bool:
        """Whether this was the right password before."""
        digest = self._digests.get(login.name)
        return digest is not None and same(digest, self._digest(login, password))

    def add(self, login: Login, password: bytes) -> None:
        """It was."""
        if len(self._digests) >= _MOST:
            self._digests.pop(next(iter(self._digests)))
        self._digests[login.name] = self._digest(login, password)

    def _digest(self, login: Login, password: bytes) -> bytes:
        # Loaded by now: the password was checked by it.
        from hashlib import blake2b

        self._key = self._key or os.urandom(32)
        return blake2b(login.secret.encode() + b"\0" + password, key=self._key).digest()
