"""Passwords as they are kept: as clear text, as `{SHA}` and a SHA-1, or as a salted scrypt.

`scrypt$<log2 n>$<r>$<p>$<salt>$<key>`, both in base64.  Checking one takes about 50 ms and 16 MB on
purpose, so it is nothing to do on the daemon's loop.  hashlib brings OpenSSL, megabytes, and is
loaded only by whoever has a hash to look at.  Source: scenarios.md, section 1, rule 7.
"""

from __future__ import annotations

import binascii

# Not hmac: it loads OpenSSL, too.
from _operator import _compare_digest as same
from typing import NamedTuple

PREFIX = "scrypt$"
SHA_PREFIX = "{SHA}"

_LOG_N, _R, _P = 14, 8, 1
_KEY_BYTES = 32
_MOST_MEMORY = 256 * 1024 * 1024


class _Hash(NamedTuple):
    log_n: int
    r: int
    p: int
    salt: bytes
    key: bytes


def hashed(password: bytes, salt: bytes) -> str:
    """The password as a configuration should keep it.  `salt`: at least 16 random bytes."""
    key = _scrypt(password, _Hash(_LOG_N, _R, _P, salt, b"\0" * _KEY_BYTES))
    parts = (str(_LOG_N), str(_R), str(_P), _as_text(salt), _as_text(key))
    return PREFIX + "$".join(parts)


def is_slow(secret: str) -> bool:
    """Whether checking it takes so long that it belongs into a thread."""
    return secret.startswith(PREFIX)


def problem_of(secret: str) -> str:
    """What is wrong with a hash, without showing it; "" when it can be used."""
    if secret.startswith(SHA_PREFIX):
        digest = secret.removeprefix(SHA_PREFIX).lower()
        good = len(digest) == 40 and all(char in "0123456789abcdef" for char in digest)
        return "" if good else "what follows {SHA} is not a SHA-1 in hexadecimal"
    if not secret.startswith(PREFIX):
        return "it is not a hash"
    try:
        _parsed(secret)
    except ValueError:
        return "it is not a whole hash as `proctor hash-password` prints it"
    return ""


def matches(secret: str, typed: bytes) -> bool:
    """Whether `typed` is the password, in constant time.  Slow for scrypt; see `is_slow`."""
    if secret.startswith(SHA_PREFIX):
        return same(sha1(typed), secret.removeprefix(SHA_PREFIX).lower().encode())
    if not is_slow(secret):
        return same(typed, secret.encode())
    try:
        kept = _parsed(secret)
    except ValueError:
        return False
    return same(_scrypt(typed, kept), kept.key)


def sha1(data: bytes) -> bytes:
    """In hexadecimal, as `{SHA}` has it."""
    from hashlib import sha1

    return sha1(data, usedforsecurity=False).hexdigest().encode()


def token_digest(token: bytes) -> str:
    """How a token is kept.  Tokens are long and random: they need neither salt nor slowness."""
    from hashlib import sha256

    return sha256(token).hexdigest()


def _parsed(secret: str) -> _Hash:
    """Raises ValueError."""
    log_n, r, p, salt, key = secret.removeprefix(PREFIX).split("$")
    found = _Hash(int(log_n), int(r), int(p), _as_bytes(salt), _as_bytes(key))
    if not (8 <= found.log_n <= 20 and found.r > 0 and found.p > 0 and found.salt):
        raise ValueError("out of bounds")
    if len(found.key) != _KEY_BYTES or _memory(found) > _MOST_MEMORY or found.p > 16:
        raise ValueError("out of bounds")
    return found


def _memory(kept: _Hash) -> int:
    return 128 * kept.r * ((1 << kept.log_n) + kept.p + 2)


def _scrypt(password: bytes, kept: _Hash) -> bytes:
    from hashlib import scrypt

    return scrypt(
        password,
        salt=kept.salt,
        n=1 << kept.log_n,
        r=kept.r,
        p=kept.p,
        maxmem=_memory(kept) + 1024 * 1024,
        dklen=_KEY_BYTES,
    )


def _as_text(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


def _as_bytes(text: str) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)
