"""Slots: small records in a file without a name, each in a place of its own.

A record is replaced by one write of its whole slot, so whoever reads the file after a kill -9 finds
every record as it was before or after that write.  The file never grows beyond its slots.
"""

from __future__ import annotations

import os

SIZE = 1024


class Slots:
    """Records by name.  `fd` is ours; the keeper may hold a copy."""

    def __init__(self, fd: int | None = None) -> None:
        self.fd = os.memfd_create("proctor-slots") if fd is None else fd
        self._places: dict[str, int] = {}

    def write(self, name: str, record: bytes) -> None:
        """Replace the record of this name.  A record that is too long is an error of the caller."""
        assert len(record) <= SIZE, f"{len(record)} bytes do not fit into a slot"
        place = self._places.setdefault(name, len(self._places))
        os.pwrite(self.fd, record.ljust(SIZE), place * SIZE)

    def read(self) -> list[bytes]:
        """All records, in the order in which their names came."""
        count = os.fstat(self.fd).st_size // SIZE
        return [os.pread(self.fd, SIZE, place * SIZE).rstrip() for place in range(count)]

    def close(self) -> None:
        """Let go of the file."""
        os.close(self.fd)
