"""The children that live, and how they are minded when there is no keeper that could do it.

They are seen and signalled through pidfds then (direct.py).  `handed_over` is what another keeper
has to know of each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import NamedTuple

from proctor.core.exits import ExitStatus
from proctor.core.plan import ChildPipes
from proctor.posix.direct import Direct
from proctor.posix.loop_host import ChildSink, Marks


class _Child(NamedTuple):
    key: str
    sink: ChildSink
    note: str
    started: float


class Living:
    """Children by key and pid.  `words(key, pid)` tells of the tree of one."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, words: Callable[[str, int], list[str]]
    ) -> None:
        self._loop = loop
        self._words = words
        self._children: dict[int, _Child] = {}
        self._marks: dict[tuple[str, int], Marks] = {}
        self._direct = Direct(loop, self._seen_ended)

    def mark(self, key: str, pid: int, birth: int, pipes: ChildPipes) -> None:
        """By this it is known again."""
        self._marks[key, pid] = Marks.of(birth, pipes)

    def marks_of(self, key: str, pid: int) -> Marks | None:
        """None if it has ended."""
        return self._marks.get((key, pid))

    def add(self, key: str, pid: int, sink: ChildSink, note: str, started: float) -> None:
        """`sink` hears of it."""
        self._children[pid] = _Child(key, sink, note, started)

    def has(self, key: str, pid: int) -> bool:
        """Whether it has not ended, and somebody hears of it."""
        return pid in self._children and self._children[pid].key == key

    def sink_of(self, key: str, pid: int) -> ChildSink | None:
        """Who hears of it."""
        return self._children[pid].sink if self.has(key, pid) else None

    def ended(self, key: str, pid: int) -> ChildSink | None:
        """It has ended; answers with who is to hear that."""
        self._marks.pop((key, pid), None)
        return self._children.pop(pid).sink if self.has(key, pid) else None

    def handed_over(self) -> Iterator[dict[str, object]]:
        """What `adopt` tells a keeper, of each."""
        self._direct.forget()
        for pid, child in self._children.items():
            yield {
                "key": child.key,
                "pid": pid,
                "note": child.note,
                "started": child.started,
                "birth": self._marks[child.key, pid].birth,
                "tree": self._words(child.key, pid),
            }

    # Without a keeper

    def mind(self) -> None:
        """Nobody else tells of their ends now."""
        for pid, child in self._children.items():
            self._direct.watch(pid, self._marks[child.key, pid].birth)

    def signal(self, pid: int, signum: int, to_group: bool) -> None:
        """Signal it, if it is one of ours; its sink hears when that failed."""
        if pid not in self._children:
            return
        number = self._direct.signal(pid, signum, to_group)
        if number:
            sink = self._children[pid].sink
            self._loop.call_soon(sink.signal_failed, number, self._loop.time())

    def _seen_ended(self, pid: int, status: int) -> None:
        child = self._children.pop(pid, None)
        if child is not None:
            self._marks.pop((child.key, pid), None)
            child.sink.exited(ExitStatus.from_wait(status), self._loop.time())
