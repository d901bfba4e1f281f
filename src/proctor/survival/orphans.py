"""Programs whose keeper and daemon are both gone: what the next start finds of them, and does.

`[supervisord] on_orphan=` says it: `adopt` goes on with them, `kill` ends them before anything else
is started for their process, `leave` lets them be and starts nothing for it.  In no case is there a
second copy, and nobody is touched who is not the very process that was ours: the boot, the pid and
the time of birth have to be right (keeper/identity.py).

Their pipes are gone with the keeper.  Where the system lets us, the child's own ends lead to them
again; what it could not write meanwhile ended it by SIGPIPE, or is lost.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace

from proctor.core.plan import ChildPipes
from proctor.core.states import ProcessState
from proctor.core.values import dataclass
from proctor.daemon.activity_log import ActivityLog
from proctor.keeper.identity import lives, this_boot
from proctor.posix.loop_host import HeldChild, Holdings
from proctor.survival.keeper_loss import LEFT
from proctor.survival.snapshot import ENDED, Record, fitting

_RUNNING = int(ProcessState.RUNNING)


@dataclass(frozen=True, slots=True)
class Orphan:
    """A child as it was written down; `started` is monotonic, `start` wall time.

    `pipes` are the inode numbers of its pipes (Marks).  `left`: an earlier start has left it alone.
    """

    key: str
    pid: int
    birth: int
    boot: str
    started: float
    state: int
    start: float = 0.0
    spec: str = ""
    logs: Mapping[str, str] = field(default_factory=dict)
    pipes: Sequence[int] = (0, 0, 0)
    left: bool = False

    def as_bytes(self, most: int) -> bytes:
        """As `alive` reads it, in at most `most` bytes; b"" when that cannot be."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return fitting(told, ({"logs": {}},), most)

    @property
    def record(self) -> Record:
        """What is known of its process."""
        return Record(
            self.key,
            self.state,
            self.start,
            0.0,
            at=self.started,
            pid=self.pid,
            spec=self.spec,
            logs=self.logs,
        )


def alive(records: Sequence[bytes], held: set[int]) -> list[Orphan]:
    """Those that still run; not those of the pids in `held`, which somebody minds."""
    found: dict[int, Orphan] = {}
    boot = this_boot()
    for data in records:
        with suppress(ValueError, TypeError):
            orphan = Orphan(**json.loads(data))
            is_ours = orphan.boot == boot and orphan.pid > 1 and orphan.pid not in held
            is_ours = is_ours and len(orphan.pipes) == 3
            if is_ours and lives(orphan.pid, orphan.birth):
                found[orphan.pid] = orphan
    return list(found.values())


def take_in(
    orphans: Sequence[Orphan], holdings: Holdings, records: Mapping[str, Record], kill: bool
) -> tuple[Holdings, dict[str, Record]]:
    """What is held and known, these among it.  With `kill` each is ended before its process starts
    again.
    """
    children = (*holdings.children, *(_as_child(orphan) for orphan in orphans))
    known = dict(records)
    for orphan in orphans:
        record = orphan.record
        known[orphan.key] = replace(record, state=_RUNNING, spec=ENDED) if kill else record
    return replace(holdings, children=children), known


def _as_child(orphan: Orphan) -> HeldChild:
    flags = (os.O_WRONLY, os.O_RDONLY, os.O_RDONLY)
    ends = (
        reopen(f"/proc/{orphan.pid}/fd/{number}", inode, flag)
        for number, (inode, flag) in enumerate(zip(orphan.pipes, flags, strict=True))
    )
    note = json.dumps(dict(orphan.logs))
    pipes = ChildPipes(*ends)
    return HeldChild(
        orphan.key,
        orphan.pid,
        note,
        pipes,
        orphan.started,
        None,
        0.0,
        birth=orphan.birth,
        foreign=True,
        orphan=True,
    )


def reopen(path: str, inode: int, flags: int) -> int | None:
    """Our end of this pipe of a process; None when there is no way, or it is no pipe of ours.

    It may put something else there at any moment: what is opened is what was looked at.
    """
    try:
        seen = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(seen)
        if not inode or found.st_ino != inode or not stat.S_ISFIFO(found.st_mode):
            return None
        return os.open(f"/proc/self/fd/{seen}", flags | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    finally:
        os.close(seen)


@dataclass(frozen=True, slots=True)
class Found:
    """What is held and known with the orphans among it, and those that are left alone."""

    holdings: Holdings
    records: Mapping[str, Record]
    left: Sequence[Orphan] = ()


def settle(
    orphans: Sequence[Orphan],
    holdings: Holdings,
    records: Mapping[str, Record],
    wish: str,
    log: ActivityLog,
) -> Found:
    """Do what `wish` (the option) says, and say so.  Whatever was taken in has to be handed to the
    host.
    """
    if wish == "leave":
        for orphan in orphans:
            log.warn(f"{_words(orphan)}, is left alone; nothing is started for it")
        return Found(holdings, records, [replace(orphan, left=True) for orphan in orphans])
    found, known = take_in(orphans, holdings, records, wish == "kill")
    for child, orphan in zip(found.children[len(holdings.children) :], orphans, strict=True):
        if wish == "kill":
            log.warn(f"{_words(orphan)}, is ended")
        else:
            lost = "" if child.pipes.stdout is not None else "; its output goes nowhere now"
            log.warn(f"{_words(orphan)}, goes on with us{lost}")
    return Found(found, known)


def twins(left: Sequence[Orphan]) -> dict[str, Callable[[], int]]:
    """What tells the pid of each that is left alone, as long as it lives, by process key."""

    def told(orphan: Orphan) -> Callable[[], int]:
        return lambda: orphan.pid if lives(orphan.pid, orphan.birth) else 0

    return {orphan.key: told(orphan) for orphan in left}


def _words(orphan: Orphan) -> str:
    return f"'{orphan.key}' (pid {orphan.pid}), {LEFT}"
