"""Who runs on this machine and who comes from whom, as /proc tells it."""

from __future__ import annotations

import os

from proctor.keeper.thin import signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Seen:
    """One living process at one moment.  `start` (clock ticks) tells it from a later one of its
    pid.
    """

    __slots__ = ("group", "name", "parent", "session", "start")

    def __init__(self, stat: str) -> None:
        """Raises ValueError for a zombie."""
        head, _, tail = stat.rpartition(")")
        words = tail.split()
        if words[0] in "ZXx":
            raise ValueError("it has ended")
        self.name = head.partition("(")[2]
        self.parent, self.group, self.session = map(int, words[1:4])
        self.start = int(words[19])


def look_at(pid: int) -> Seen | None:
    """This process; None when it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return Seen(file.read())
    except (OSError, ValueError, IndexError):
        return None


def everybody() -> dict[int, Seen]:
    """All processes that can be seen; none where there is no /proc."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return {}
    table = {int(name): look_at(int(name)) for name in names if name.isdigit()}
    return {pid: seen for pid, seen in table.items() if seen is not None}


def with_descendants(pids: Iterable[int], table: Mapping[int, Seen]) -> set[int]:
    """These and all that come from them."""
    children: dict[int, list[int]] = {}
    for pid, seen in table.items():
        children.setdefault(seen.parent, []).append(pid)
    found: set[int] = set()
    waiting = list(pids)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, ())
    return found


def has_variable(pid: int, assignment: bytes) -> bool:
    """Whether `NAME=value` is in the environment it was started with, as far as we may look."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return assignment in file.read().split(b"\0")
    except OSError:
        return False


def send(pid: int, start: int, signum: int) -> None:
    """Signal this process, never a later one of its pid.  Nobody there, or not ours: nothing."""
    try:
        handle = os.pidfd_open(pid)
    except AttributeError:
        handle = -1
    except OSError:
        return
    try:
        seen = look_at(pid)
        if seen is None or seen.start != start:
            return
        if handle < 0:
            os.kill(pid, signum)
        else:
            signals.pidfd_send_signal(handle, signum)
    except OSError:
        return
    finally:
        if handle >= 0:
            os.close(handle)
