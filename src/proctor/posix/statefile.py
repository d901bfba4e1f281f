"""A small file beside the pidfile that outlives daemon and keeper: who our children are.

1. Records have places of their own and are replaced in place (slots.py): the file is never cut,
   renamed or written anew, so a full disk or a kill at any moment costs at most the newest record.
2. It is locked as long as anybody has it open: we, and the keeper that holds a copy.  Who cannot
   lock it must not believe it: the daemon that wrote it lives.
3. It is believed only if nobody else could have written it: what it says leads to signals.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Mapping
from contextlib import suppress

from proctor.posix.slots import SIZE, Slots

_OPTIONS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def open_locked(path: str) -> int:
    """The file, made if there is none, locked.  Raises OSError: EBUSY when another daemon has it,
    EPERM when others may have written it.
    """
    fd = os.open(path, _OPTIONS, 0o600)
    try:
        found = os.fstat(fd)
        private = stat.S_ISREG(found.st_mode) and not found.st_mode & 0o022
        if not private or found.st_uid != os.geteuid() or found.st_nlink != 1:
            raise OSError(errno.EPERM, "others may have written it")
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(errno.EBUSY, "another supervisord uses it") from None
    except OSError:
        os.close(fd)
        raise
    return fd


def read(fd: int) -> list[bytes]:
    """All records, b"" for what is none."""
    return [data.rstrip(b"\0 ") for data in Slots(fd).read()]


def write_all(slots: Slots, batch: Mapping[str, bytes]) -> None:
    """Replace these records.  One that finds no room keeps no other from being written; then the
    OSError is raised at the end.
    """
    trouble: OSError | None = None
    for name, record in batch.items():
        try:
            slots.write(name, record)
        except OSError as error:
            trouble = error
    if trouble is not None:
        raise trouble


def begin(fd: int, batch: Mapping[str, bytes]) -> Slots:
    """Slots with these records, and nothing of what was there before.

    No error is raised: what finds no room is to be written again.
    """
    slots = Slots(fd)
    places = os.fstat(fd).st_size // SIZE
    with suppress(OSError):
        os.posix_fallocate(fd, 0, max(places, len(batch), 1) * SIZE)
    with suppress(OSError):
        write_all(slots, batch)
    for place in range(len(batch), places):
        os.pwrite(fd, b" ".ljust(SIZE), place * SIZE)
    return slots
