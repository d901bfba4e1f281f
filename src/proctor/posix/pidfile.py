"""The pidfile: where scripts look for the pid to signal.

It is overwritten, never locked, and removed at the end (compat config.md, section 12).  Before that
we look whether the pid in it belongs to a living supervisor (gotcha G42): to one that ran when the
file was written, not to one that has the number by now.
"""

from __future__ import annotations

import contextlib
import os

from proctor.keeper.identity import started_at
from proctor.posix.links import open_trusted

# Seconds by which the time of birth of a process and the times of files may differ.
_CLOCKS_AGREE = 1.0


def write(path: str, pid: int) -> None:
    """Write `pid`.  Raises OSError, also for a link that somebody else has put there."""
    with open(path, "w", encoding="ascii", opener=open_trusted) as file:
        file.write(f"{pid}\n")


def remove(path: str, pid: int) -> None:
    """Remove the file if it is still ours; a twin's is left alone.  Nothing is raised."""
    with contextlib.suppress(OSError):
        if read(path) == pid:
            os.unlink(path)


def read(path: str) -> int | None:
    """The pid in the file, or None when there is no file or no number in it."""
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def living_supervisor(path: str) -> int | None:
    """The pid in the file if it is a living supervisor other than ourselves (gotcha G42)."""
    pid = read(path)
    if pid is None or pid in (os.getpid(), os.getppid()):
        return None
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            command = file.read().decode(errors="replace")
        written = os.stat(path).st_mtime
    except OSError:
        return None
    started = started_at(pid)
    if started is None or started > written + _CLOCKS_AGREE:
        return None
    return pid if any(_is_ours(word) for word in command.split("\0")) else None


def _is_ours(word: str) -> bool:
    """Whether a word of a command line is that of a supervisor: its script or its module."""
    return word.endswith("proctor/keeper/main.py") or os.path.basename(word) in (
        "supervisord",
        "proctor.supervisord",
        "supervisor.supervisord",
    )
