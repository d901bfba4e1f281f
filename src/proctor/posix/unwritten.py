"""Unwritten: lines that were said, until they are in their file, where a kill -9 cannot reach.

It is memory that the keeper holds too, so a line costs a copy and no system call.  It is begun anew
whenever all of it is written, so most of the time one page of it is used.

1. The loop adds a line after it has handed it to the drain thread; the thread says how much is
   settled.  Each counter has one writer, and no step in between is a lie about what is pending.
2. More than CAPACITY is not kept (the disk is frozen): then nothing more is until all is settled.
3. What was written and not settled yet is found at the end of the file by whoever comes next.
"""

from __future__ import annotations

import mmap
import os
import struct

CAPACITY = 128 * 1024
_COUNTER = struct.Struct("=Q")
# Where the counters are: all bytes that were ever settled, kept and begun anew at.
_SETTLED, _END, _BASE, _LINES = 0, 8, 16, 24


class Unwritten:
    """`fd` None: a new one.  `fd` is ours; the keeper may hold a copy."""

    def __init__(self, fd: int | None = None) -> None:
        self.fd = os.memfd_create("proctor-lines") if fd is None else fd
        os.ftruncate(self.fd, _LINES + CAPACITY)
        self._memory = mmap.mmap(self.fd, _LINES + CAPACITY)
        # Bytes that were handed to the drain thread, whether they were kept or not.
        self._handed = self._get(_END)

    def add(self, line: bytes) -> None:
        """It is on its way to the file."""
        base, end = self._get(_BASE), self._get(_END)
        if self._get(_SETTLED) >= self._handed:
            base = end = self._handed
        self._handed += len(line)
        start = end - base
        if end + len(line) != self._handed or start + len(line) > CAPACITY:
            return
        self._memory[_LINES + start : _LINES + start + len(line)] = line
        # In this order: while the base is ahead of the end nothing is pending.
        self._set(_BASE, base)
        self._set(_END, self._handed)

    def settle(self, count: int) -> None:
        """So many bytes more are in the file, or given up.  The drain thread calls it."""
        self._set(_SETTLED, self._get(_SETTLED) + count)

    def pending(self) -> bytes:
        """What was said and perhaps not written.  Asked before anything is added."""
        base, end = self._get(_BASE), self._get(_END)
        start = max(self._get(_SETTLED), base) - base
        return self._memory[_LINES + start : _LINES + max(start, end - base)]

    def close(self) -> None:
        """Let go of it."""
        self._memory.close()
        os.close(self.fd)

    def _get(self, place: int) -> int:
        value: int = _COUNTER.unpack_from(self._memory, place)[0]
        return value

    def _set(self, place: int, value: int) -> None:
        _COUNTER.pack_into(self._memory, place, value)


def in_file_already(pending: bytes, end_of_file: bytes) -> int:
    """How many of the first bytes of `pending` are the last ones of the file, from a line on."""
    place = max(0, len(end_of_file) - len(pending))
    if place:
        place = end_of_file.find(b"\n", place - 1) + 1 or len(end_of_file)
    while place < len(end_of_file):
        if pending.startswith(end_of_file[place:]):
            return len(end_of_file) - place
        place = end_of_file.find(b"\n", place) + 1 or len(end_of_file)
    return 0
