"""`proctor hash-password`: a password from the terminal or a pipe, and what a file should keep.

`--token` makes a token instead and prints it beside its hash: the only time that anybody sees it.
"""

from __future__ import annotations

import os
import sys

from proctor.core.passwords import hashed, token_digest

_SALT_BYTES = 16
_TOKEN_BYTES = 32


def hash_password() -> int:
    """Read a password, print its hash; the exit status."""
    try:
        password = _from_terminal() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    except (KeyboardInterrupt, EOFError):
        print(file=sys.stderr)
        return 1
    if not password:
        print("Error: no password was given, or the two were different", file=sys.stderr)
        return 2
    print(hashed(password.encode(errors="surrogateescape"), os.urandom(_SALT_BYTES)))
    return 0


def make_token() -> int:
    """Print a new token and its hash; the exit status."""
    token = "proctor_" + os.urandom(_TOKEN_BYTES).hex()
    print(f"token       {token}")
    print(f"token_hash  sha256${token_digest(token.encode())}")
    return 0


def _from_terminal() -> str:
    from getpass import getpass

    first = getpass("Password: ")
    return first if first and first == getpass("Again: ") else ""
