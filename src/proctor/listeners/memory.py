"""How much memory processes use: resident set size, as `ps` shows it, with or without descendants.

Where there is a /proc it is read directly: slim containers come without `ps`.
"""

from __future__ import annotations

import os
import re
import subprocess

from proctor.core.values import dataclass

_PROC = "/proc"
_FIELD = re.compile(rb"^(PPid|VmRSS):\s*(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Census:
    """All processes at one moment: pid -> (pid of the parent, bytes)."""

    found: dict[int, tuple[int, int]]

    def of(self, pid: int) -> int | None:
        """The bytes of one process; None when it does not exist."""
        entry = self.found.get(pid)
        return entry[1] if entry else None

    def with_descendants(self, pid: int) -> int | None:
        """The bytes of a process and of all that come from it; None when it does not exist."""
        if pid not in self.found:
            return None
        children: dict[int, list[int]] = {}
        for child, (parent, _) in self.found.items():
            children.setdefault(parent, []).append(child)
        total, waiting = 0, [pid]
        while waiting:
            one = waiting.pop()
            total += self.found[one][1]
            waiting += children.get(one, [])
        return total


def census() -> Census:
    """Look at all processes now.  Raises OSError where there is neither /proc nor `ps`."""
    if os.path.exists(f"{_PROC}/self/status"):
        pids = [int(name) for name in os.listdir(_PROC) if name.isdecimal()]
        entries = ((pid, _from_proc(pid)) for pid in pids)
        return Census({pid: entry for pid, entry in entries if entry is not None})
    return Census(from_ps())


def _from_proc(pid: int) -> tuple[int, int] | None:
    # Not /proc/N/stat: its figure lags behind, and is not the one that `ps` shows.
    try:
        with open(f"{_PROC}/{pid}/status", "rb") as file:
            found = dict(_FIELD.findall(file.read()))
    except OSError:
        return None  # it has ended meanwhile
    return int(found[b"PPid"]), int(found.get(b"VmRSS", b"0")) * 1024


def from_ps() -> dict[int, tuple[int, int]]:
    """What `ps` says.  Raises OSError when it cannot be run."""
    command = ["ps", "ax", "-o", "pid= ppid= rss="]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    rows = (line.split() for line in done.stdout.splitlines())
    return {int(pid): (int(parent), int(kib) * 1024) for pid, parent, kib in rows}
