"""Marks: where in a log a run began, so that its output can be found again after rotations.

1. A mark names a place by the file (inode) and the offset in it.  An inode may be used again for
   another file, so the first bytes of the file are part of the mark where it had any.
2. A run ends where the next one begins.  When the file in which it began is gone, its first output
   was rotated away, or cleared; what the newer files hold is its later output.
"""

from __future__ import annotations

import binascii
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from proctor.core.values import dataclass
from proctor.posix.links import open_trusted

_HEAD = 64


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the log at `path`.  `head` is how many of its first bytes `crc` is of."""

    path: str
    inode: int
    offset: int
    head: int
    crc: int

    def as_text(self) -> str:
        """As `from_text` reads it."""
        return f"{self.inode}:{self.offset}:{self.head}:{self.crc}:{self.path}"

    @classmethod
    def from_text(cls, text: str) -> Mark | None:
        """None for what is no mark."""
        try:
            inode, offset, head, crc, path = text.split(":", 4)
            return cls(path, int(inode), int(offset), int(head), int(crc))
        except ValueError:
            return None

    def is_in(self, fd: int) -> bool:
        """Whether the mark is in this file."""
        status = os.fstat(fd)
        if status.st_ino != self.inode or status.st_size < self.offset:
            return False
        return binascii.crc32(os.pread(fd, self.head, 0)) == self.crc


def mark(path: str, fd: int) -> Mark | None:
    """The present end of an open log; None when it cannot be told."""
    try:
        status = os.fstat(fd)
        head = os.pread(fd, min(_HEAD, status.st_size), 0)
    except OSError:  # a file that may only be written
        return None
    return Mark(path, status.st_ino, status.st_size, len(head), binascii.crc32(head))


def output_between(begin: Mark, end: Mark | None, most: int) -> tuple[bytes, bool] | None:
    """(the last `most` bytes from `begin` to `end`, whether that is all); None when it is gone.

    `end` None: to the end of the log, when no later run wrote to it.  Raises OSError when a file
    cannot be read.
    """
    with _files(begin.path) as files:
        first = _place(files, begin)
        last = _place(files, end) if end is not None else len(files) - 1
        if last is None or not files:
            return None
        parts, left = [], most
        for index in range(last, (first or 0) - 1, -1):
            fd = files[index]
            start = begin.offset if index == first else 0
            stop = end.offset if end is not None and index == last else os.fstat(fd).st_size
            data = _end_of(fd, start, stop, left)
            parts.append(data)
            left -= len(data)
            if len(data) < stop - start:
                return b"".join(reversed(parts)), False
        found = b"".join(reversed(parts))
        return (found, first is not None) if found or first is not None else None


def _place(files: list[int], wanted: Mark) -> int | None:
    return next((index for index, fd in enumerate(files) if wanted.is_in(fd)), None)


def _end_of(fd: int, start: int, stop: int, most: int) -> bytes:
    start = max(start, stop - most)
    return os.pread(fd, stop - start, start) if stop > start else b""


@contextmanager
def _files(path: str) -> Iterator[list[int]]:
    """The log and its backups, oldest first, open."""
    opened: list[int] = []
    try:
        number = 0
        while True:
            name = f"{path}.{number}" if number else path
            try:
                flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
                opened.insert(0, open_trusted(name, flags))
            except FileNotFoundError:
                if number:
                    break
            number += 1
        yield opened
    finally:
        for fd in opened:
            with suppress(OSError):
                os.close(fd)
