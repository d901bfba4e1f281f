"""Evidence: what files tell of a run that crashed, read in the scribe's thread.

1. The last lines: the end of its stderr log, or of its stdout log if it said nothing there.
2. Memory: the kernel counts whom it killed because memory ran out, for each control group and for
   the whole machine.  When a program died of a SIGKILL that nobody of us sent, a count of our own
   group (a container, a systemd unit) that rose since we last looked is a "yes", one of the
   machine is "probably".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from proctor.core.cause import CauseKind
from proctor.keeper.cgroups import places
from proctor.posix.logmarks import Mark, output_between
from proctor.survival.entries import Ended, Entry, Spawned

LINES = 10
BYTES = 2048

_SIGKILL = 9
_VMSTAT = "/proc/vmstat"


def our_group() -> str:
    """The kernel's file about memory in our own control group; it need not exist."""
    try:
        with open("/proc/self/mountinfo") as mounts, open("/proc/self/cgroup") as own:
            found = places(mounts.read(), own.read())
    except OSError:
        found = []
    return f"{found[0]}/memory.events" if found else ""


class Witness:
    """Completes entries.  `vmstat` and `group` are the kernel's files; one may be missing."""

    def __init__(self, vmstat: str = _VMSTAT, group: str | None = None) -> None:
        # The surest first.
        self._files = {"yes": our_group() if group is None else group, "probably": vmstat}
        self._counts = {how: _kills(path) for how, path in self._files.items()}

    def complete(self, entries: Sequence[Entry]) -> list[Entry]:
        """The same entries; those of crashes with what is known beside them."""
        found = self._memory_ran_out()
        done: list[Entry] = []
        later: dict[str, Mapping[str, str]] = {}
        for entry in reversed(entries):
            match entry:
                case Spawned():
                    later[entry.birth.process] = entry.logs
                    done.append(entry)
                case Ended() if entry.crashed:
                    until = later.get(entry.spawned.birth.process, {})
                    memory = found if _unexplained(entry) else ""
                    last = last_lines(entry.spawned.logs, until)
                    done.append(replace(entry, last=last, memory=memory))
                case _:
                    done.append(entry)
        done.reverse()
        return done

    def _memory_ran_out(self) -> str:
        """How sure it is that the kernel killed somebody since this was asked last."""
        before = self._counts
        self._counts = {how: _kills(path) for how, path in self._files.items()}
        return next((how for how in self._counts if self._counts[how] > before[how]), "")


def _kills(path: str) -> int:
    try:
        with open(path, "rb") as file:
            lines = (line.split() for line in file)
            return next(int(words[1]) for words in lines if words[0] == b"oom_kill")
    except (OSError, StopIteration, ValueError, IndexError):
        return 0


def _unexplained(entry: Ended) -> bool:
    return entry.status.signal == _SIGKILL and entry.cause.kind is CauseKind.EXIT


def last_lines(begin: Mapping[str, str], until: Mapping[str, str]) -> str:
    """The last lines that a run wrote, "" when it wrote nothing or its logs are gone.

    Both are marks by channel; an empty `until` means: up to now.
    """
    for channel in ("stderr", "stdout"):
        mark = Mark.from_text(begin.get(channel, ""))
        if mark is None:
            continue
        try:
            found = output_between(mark, Mark.from_text(until.get(channel, "")), BYTES)
        except OSError:
            continue
        if found is not None and found[0].strip():
            return _tidy(*found)
    return ""


def _tidy(data: bytes, complete: bool) -> str:
    text = data.decode("utf-8", "replace")
    if not complete:
        text = text.partition("\n")[2] or text
    lines = text.rstrip().split("\n")[-LINES:]
    return "\n".join(line.rstrip() for line in lines)
