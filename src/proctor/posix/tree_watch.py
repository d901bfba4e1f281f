"""The trees of children: who waits for which, and what a daemon does about them without a keeper.

With a keeper, the keeper finds and signals them (keeper/trees.py) and this only knows who asked.
Without one they are still found by their control group or their mark.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from proctor.keeper.trees import Tree, Trees
from proctor.posix.loop_host import ChildSink

_Place = tuple[str, int]


class TreeWatch:
    """Trees by the key and the pid of their child.

    `is_alive(key, pid)`: the child has not ended, as far as we know.  Call `close` when nothing
    more is to be heard.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, is_alive: Callable[[str, int], bool]
    ) -> None:
        self._loop = loop
        self._known: dict[_Place, Tree] = {}
        self._sinks: dict[_Place, ChildSink] = {}
        self._trees = Trees(is_alive, self._tell, adopter=None)
        self._timer: asyncio.TimerHandle | None = None

    def born(self, key: str, pid: int, words: Sequence[str]) -> None:
        """The keeper told of a child and, if it is one, of its tree."""
        if words:
            self._known[key, pid] = Tree.of_words(pid, list(words))

    def words(self, key: str, pid: int) -> list[str]:
        """What another keeper has to know of the tree of this child, [] if it is none."""
        tree = self._known.get((key, pid))
        return [] if tree is None else tree.words()

    def control_group(self, key: str, pid: int) -> str | None:
        """The directory of the control group around this child and all that comes from it."""
        tree = self._known.get((key, pid))
        return tree.group.path if tree is not None and tree.group is not None else None

    def asks(self, key: str, pid: int, sink: ChildSink) -> None:
        """`sink` is to hear who is left."""
        self._sinks[key, pid] = sink

    def heard(self, key: str, pid: int, left: Sequence[str], at: float) -> None:
        """This is who is left."""
        sink = self._sinks.get((key, pid))
        if sink is not None:
            sink.tree_left(left, at)

    def forget(self, key: str, pid: int, keeper_lost: bool) -> None:
        """Nobody asks any more.  The group is the keeper's to remove, as long as there is one."""
        self._sinks.pop((key, pid), None)
        tree = self._known.pop((key, pid), None)
        if keeper_lost and tree is not None:
            self._trees.forget(key, tree)

    def directly(self, key: str, pid: int, signum: int) -> None:
        """Signal, without a keeper, all that comes from this child; itself only once it ended."""
        self._trees.ask(key, self._known.setdefault((key, pid), Tree(pid)), signum)
        self._loop.call_soon(self._look)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self.close()
        again = self._trees.work()
        if again is not None:
            self._timer = self._loop.call_later(again, self._look)

    def _tell(self, key: str, pid: int, left: list[str]) -> None:
        self._loop.call_soon(self.heard, key, pid, left, self._loop.time())
