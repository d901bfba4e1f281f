"""Slots: small records in a file without a name, each in a place of its own.

A record is replaced by one write of its whole slot, so whoever reads the file after a kill -9 finds
every record as it was before or after that write.  The file grows to as many slots as were in use
at the same time.
"""

from __future__ import annotations

import os

SIZE = 1024


class Slots:
    """Records by name.  `fd` is ours; the keeper may hold a copy."""

    def __init__(self, fd: int | None = None) -> None:
        self.fd = os.memfd_create("proctor-slots") if fd is None else fd
        self._places: dict[str, int] = {}
        self._free: list[int] = []

    def write(self, name: str, record: bytes) -> None:
        """Replace the record of this name.  A record that is too long is an error of the caller."""
        assert len(record) <= SIZE, f"{len(record)} bytes do not fit into a slot"
        place = self._places.get(name)
        if place is None:
            place = self._free.pop() if self._free else len(self._places)
            self._places[name] = place
        os.pwrite(self.fd, record.ljust(SIZE), place * SIZE)

    def free(self, name: str) -> None:
        """Empty the slot of this name; another record may have it."""
        place = self._places.pop(name)
        os.pwrite(self.fd, b" ".ljust(SIZE), place * SIZE)
        self._free.append(place)

    def read(self) -> list[bytes]:
        """All records by their places, b"" for an empty one."""
        count = os.fstat(self.fd).st_size // SIZE
        return [os.pread(self.fd, SIZE, place * SIZE).rstrip() for place in range(count)]

    def copy(self) -> bytes:
        """Everything, as it is in the file now."""
        return os.pread(self.fd, os.fstat(self.fd).st_size, 0)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self.fd)
