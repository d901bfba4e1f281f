"""Follower: what is appended to a log, byte for byte, over rotations.

1. The file that is open is read to its end before its successor is looked for.
2. The successor of a rotated file is found by its number: the file that is now `log.3` was
   followed by `log.2`.  So nothing is missed even if the log rotated several times meanwhile.
3. A file that is nowhere any more (cleared, or rotated out) is followed by the log itself.
4. A file that became shorter is announced and read from its start.
5. A place in a log is the file's inode and an offset: who comes back with one goes on there, also
   when that file was rotated meanwhile.

Source: compat logging.md, section 10.
"""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from proctor.core.faults import Fault, FaultCode
from proctor.posix.links import open_trusted

FIRST = 1024
MOST = 64 * 1024
TRUNCATED = b"==> File truncated <==\n"

# How far to look for a file that was rotated.  More rotations than this between two reads skip.
_BACKUPS = 1000


class Place(NamedTuple):
    """Between two bytes of a log.  As text it is `<inode>-<offset>`, both decimal."""

    inode: int
    offset: int

    def __str__(self) -> str:
        return f"{self.inode}-{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """A place from its text; None when it is none."""
        inode, _, offset = text.partition("-")
        if not (inode.isascii() and inode.isdigit() and offset.isascii() and offset.isdigit()):
            return None
        return cls(int(inode[:20]), int(offset[:18]))


class Range(NamedTuple):
    """Bytes of a log: they begin at `offset` and end at `end`; the file had `size` bytes."""

    data: bytes
    offset: int
    end: Place
    size: int


def read_placed(path: str | None, offset: int, length: int) -> Range:
    """At most `length` bytes from `offset`; a negative offset counts from the end.

    Raises Fault NO_FILE, FAILED.
    """
    fd = _open(path) if path else -1
    if fd < 0:
        raise Fault(FaultCode.NO_FILE, path or "")
    try:
        status = os.fstat(fd)
        size = status.st_size
        start = max(0, size + offset) if offset < 0 else min(offset, size)
        data = os.pread(fd, min(length, size - start), start)
        return Range(data, start, Place(status.st_ino, start + len(data)), size)
    except OSError as error:
        raise Fault(FaultCode.FAILED, path or "") from error
    finally:
        os.close(fd)


class Follower:
    """Begins with the last FIRST bytes of the log, if there is one; waits for it otherwise.

    With `after` it begins there; `missed` says that this place is gone, and that it begins with the
    log as it is now.
    """

    def __init__(self, path: str, after: Place | None = None) -> None:
        self._path = path
        self._offset = 0
        self.missed = False
        if after is not None:
            self._fd = self._find(after)
            return
        self._fd = _open(path)
        if self._fd >= 0:
            self._offset = max(0, os.fstat(self._fd).st_size - FIRST)

    @property
    def place(self) -> Place | None:
        """After the bytes that were read last; None while there is no file."""
        return None if self._fd < 0 else Place(os.fstat(self._fd).st_ino, self._offset)

    def _find(self, after: Place) -> int:
        missing = 0
        for number in range(_BACKUPS):
            fd = _open(f"{self._path}.{number}" if number else self._path)
            if fd < 0:
                missing += 1
                if missing == 2:
                    break
                continue
            status = os.fstat(fd)
            if status.st_ino == after.inode and status.st_size >= after.offset:
                self._offset = after.offset
                return fd
            os.close(fd)
        self.missed = True
        return _open(self._path)

    def read(self) -> bytes:
        """The next bytes, at most MOST; b"" when there are none yet.  Never waits for the log."""
        data = self._read_on()
        while not data and self._go_on():
            data = self._read_on()
        return data

    def close(self) -> None:
        """Let go of the file.  Harmless when done twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _read_on(self) -> bytes:
        if self._fd < 0:
            return b""
        if os.fstat(self._fd).st_size < self._offset:
            self._offset = 0
            return TRUNCATED
        data = os.pread(self._fd, MOST, self._offset)
        self._offset += len(data)
        return data

    def _go_on(self) -> bool:
        """Open the file that comes after this one, if this one is read to its end."""
        if self._fd >= 0 and self._is_at(self._path):
            return False
        fd = self._open_successor()
        # What was written between our last read and the rotation comes first.
        if fd >= 0 and self._fd >= 0 and os.fstat(self._fd).st_size > self._offset:
            os.close(fd)
            return True
        if fd < 0:
            return False
        self.close()
        self._fd, self._offset = fd, 0
        return True

    def _open_successor(self) -> int:
        """The descriptor of the next file, -1 if it is not there (yet)."""
        number = self._number()
        if number is None:
            return _open(self._path)
        fd = _open(f"{self._path}.{number - 1}" if number > 1 else self._path)
        # Files are renamed from the highest number down.  If ours has not moved, neither had the
        # next one when it was opened.
        if fd >= 0 and not self._is_at(f"{self._path}.{number}"):
            os.close(fd)
            return -1
        return fd

    def _number(self) -> int | None:
        """Which backup the open file is now; None if it is none."""
        if self._fd < 0:
            return None
        missing = 0
        for number in range(1, _BACKUPS):
            name = f"{self._path}.{number}"
            if self._is_at(name):
                return number
            # While a rotation is under way one number is missing, and it may be any.
            missing = 0 if os.path.exists(name) else missing + 1
            if missing == 2:
                break
        return None

    def _is_at(self, name: str) -> bool:
        try:
            return os.path.samestat(os.stat(name), os.fstat(self._fd))
        except OSError:
            return False


def _open(path: str) -> int:
    try:
        fd = open_trusted(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return -1
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    return -1
