"""What processes use, from /proc.  Blocks for microseconds a process: not on the daemon's loop.

Source: proc(5), `stat` fields 14, 15 and 24.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

_UTIME, _STIME, _RSS = 11, 12, 21  # counted from the state, behind the name in parentheses


class Usage(NamedTuple):
    """User and system time since its start, in seconds; resident memory, in bytes."""

    cpu_seconds: float
    rss: int


def measure(pids: Iterable[int]) -> dict[int, Usage]:
    """Each of them that is there, without its children; nothing where there is no /proc."""
    found = {}
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        ticks = int(fields[_UTIME]) + int(fields[_STIME])
        found[pid] = Usage(ticks / _TICKS, int(fields[_RSS]) * _PAGE)
    return found


_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
