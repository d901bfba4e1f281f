"""AUTO logs: files that Proctor names and, at its next start, clears away.

`<process>-<stdout|stderr>---<identifier>-<8 characters>.log` in childlogdir.  The first five of
the eight say which process made it, as a number to base 37: so two instances that share a
directory and an identifier (the defaults of every installation) leave each other's files alone
(gotcha G21).  Source: compat logging.md, section 3.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from proctor.keeper.identity import started_at

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789_"
_OWNER_CHARACTERS = 5
_RANDOM_CHARACTERS = 3


def create(
    childlogdir: str, identifier: str, process: str, channel: str, owner: int | None = None
) -> str:
    """Make an empty log with mode 0600; its path.  Raises OSError.

    `owner` is the pid by which other instances can see that this one lives; by default our own.
    """
    owner_text = _encode(os.getpid() if owner is None else owner)
    while True:
        # Not `secrets`, which loads OpenSSL: a name that is taken is tried again below.
        random = "".join(ALPHABET[each % len(ALPHABET)] for each in os.urandom(_RANDOM_CHARACTERS))
        name = f"{process}-{channel}---{identifier}-{owner_text}{random}.log"
        path = os.path.join(childlogdir, name)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            continue
        return path


def clean(
    childlogdir: str,
    identifier: str,
    complain: Callable[[str], None] = lambda _text: None,
    owner: int | None = None,
) -> None:
    """Remove AUTO logs, and their backups, of instances that are gone, and those of `owner`.

    `complain` hears what could not be removed, in the original's words.
    """
    pattern = re.compile(rf".+?---{re.escape(identifier)}-(\S+)\.log\.{{0,1}}\d{{0,4}}")
    owner = os.getpid() if owner is None else owner
    try:
        entries = list(os.scandir(childlogdir))
    except OSError:
        complain("Could not clear childlog dir")
        return
    for entry in entries:
        match = pattern.match(entry.name)
        try:
            if match and not _is_in_use(entry, _decode(match[1]), owner):
                os.unlink(entry.path)
        except FileNotFoundError:
            continue  # somebody else cleans too
        except OSError:
            complain(f"Failed to clean up '{entry.path}'")


def remove(path: str) -> None:
    """Remove an AUTO log and its backups (gotcha G60).  Raises OSError."""
    directory, base = os.path.split(path)
    pattern = re.compile(rf"{re.escape(base)}(\.\d+)?")
    for name in os.listdir(directory):
        if pattern.fullmatch(name):
            os.unlink(os.path.join(directory, name))


def _encode(number: int) -> str:
    digits = ""
    for _ in range(_OWNER_CHARACTERS):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def _decode(token: str) -> int:
    number = 0
    for character in token[:_OWNER_CHARACTERS]:
        number = number * len(ALPHABET) + max(0, ALPHABET.find(character))
    return number


def _is_in_use(entry: os.DirEntry[str], maker: int, owner: int) -> bool:
    if maker in (0, owner):
        return False
    started = started_at(maker)
    # A process that began after the last word was written is not the maker but has its pid.
    return started is not None and started <= entry.stat(follow_symlinks=False).st_mtime + 1.0
