"""Everything that comes from one child: found, signalled, and watched until it is gone.

Rules:
1. With a control group the members are those in it.  Without one, or when the child could not
   enter: the child itself, its process group and session, whoever carries our mark in its
   environment, whoever was a member when we last looked, and all that descend from those.
2. Once the child has ended, whoever asks is told who is left, and again when nobody is.  We look
   whenever a process has ended (orphans come to us), and now and then.
3. After a SIGKILL, who joins is killed too.  A softer signal is for those who are there: what a
   program starts in order to end well must not die of it.
4. One look at /proc serves all trees of one round.
"""

from __future__ import annotations

import os

from proctor.keeper.cgroups import Group
from proctor.keeper.procfs import Seen, everybody, has_variable, look_at, send, with_descendants
from proctor.keeper.thin import signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MARK = "PROCTOR_TREE"
_AGAIN = 0.2
_MOST_NAMED = 50

Table = dict[int, Seen]


class Tree:
    """What comes from the child `pid`.  `mark` is its name, `group` None without control groups."""

    __slots__ = ("group", "killing", "known", "mark", "pid")

    def __init__(self, pid: int, mark: str = "", group: Group | None = None) -> None:
        self.pid = pid
        self.mark = mark
        self.group = group
        self.known: dict[int, int] = {}
        self.killing = False

    @classmethod
    def of_words(cls, pid: int, words: list[str]) -> Tree:
        """The tree that `words` told of; [] for a child that was not meant to be one."""
        mark, path = words or ("", "")
        return cls(pid, mark, Group(path) if path else None)

    def words(self) -> list[str]:
        """[mark, directory of the control group or ""]: all that another process has to know."""
        return [self.mark, self.group.path if self.group else ""]

    def members(self, table: Callable[[], Table], alive: bool, adopter: int | None) -> Table:
        """Who belongs to it now.

        `alive`: the child was not reaped before `table` was made, so its pid is its own.  `adopter`
        is who gets our orphans, None when nobody knows.
        """
        found: Table = {}
        if self.group is not None:
            for pid in self.group.members():
                if (seen := look_at(pid)) is not None:
                    found[pid] = seen
            # Who is ending is not listed any more, and yet may still hold its port.
            for pid in self.known.keys() - found.keys():
                seen = look_at(pid)
                if seen is not None and seen.start == self.known[pid]:
                    found[pid] = seen
        if self.group is None or (alive and self.pid not in found):
            found.update(self._walk(table(), alive, adopter))
        self.known = {pid: seen.start for pid, seen in found.items()}
        return found

    def _walk(self, table: Table, alive: bool, adopter: int | None) -> Table:
        roots = {pid for pid, start in self.known.items() if pid in table}
        roots = {pid for pid in roots if table[pid].start == self.known[pid]}
        if alive:
            roots |= {p for p, seen in table.items() if self.pid in (p, seen.group, seen.session)}
        if self.mark:
            mark = os.fsencode(f"{MARK}={self.mark}")
            # Those of a keeper before us went to whoever adopted its children.
            adopters = (adopter, 1, os.getppid())
            orphans = {p for p, s in table.items() if adopter is None or s.parent in adopters}
            roots |= {pid for pid in orphans - roots if has_variable(pid, mark)}
        found = with_descendants(roots - {os.getpid()}, table)
        return {pid: table[pid] for pid in found if pid in table}

    def signal(self, signum: int, members: Table) -> None:
        """To these members; SIGKILL to whoever is in the control group, all at once."""
        rest: Iterable[int] = members
        if signum == signals.SIGKILL:
            self.killing = True
            if self.group is not None:
                fenced = self.group.members()
                if self.group.kill():
                    rest = members.keys() - fenced
        for pid in rest:
            send(pid, members[pid].start, signum)


class Trees:
    """The trees that somebody asks about.

    `is_alive(key, pid)`: the child was not reaped yet.  `tell(key, pid, left)` hears who is left,
    as people read it.  `adopter` gets our orphans, None: nobody knows who does.  Call `work` soon
    after `ask`, and whenever processes have ended; `parted` before anybody can have got their
    pids.
    """

    def __init__(
        self,
        is_alive: Callable[[str, int], bool],
        tell: Callable[[str, int, list[str]], None],
        adopter: int | None,
    ) -> None:
        self._is_alive = is_alive
        self._tell = tell
        self._adopter = adopter
        self._asked: dict[tuple[str, int], tuple[Tree, int]] = {}
        self._watched: dict[tuple[str, int], Tree] = {}
        self._leaving: list[Group] = []
        self._table: Table | None = None

    @property
    def watched(self) -> list[list[str | int]]:
        """[key, pid] of the ended children of whose trees somebody is left."""
        return [list(each) for each in self._watched]

    def ask(self, key: str, tree: Tree, signum: int) -> None:
        """Signal all but the living child itself (0: nobody); tell who is left once it has
        ended."""
        self._asked[key, tree.pid] = (tree, signum)

    def parted(self, trees: Iterable[Tree]) -> None:
        """The children of these trees were reaped: see who was theirs while we still can."""
        self._table = None
        for tree in trees:
            if tree.group is None:
                tree.members(self._look, True, self._adopter)

    def forget(self, key: str, tree: Tree) -> None:
        """Nobody waits for it any more; its group goes as soon as nobody is inside."""
        self._asked.pop((key, tree.pid), None)
        self._watched.pop((key, tree.pid), None)
        if tree.group is not None and not tree.group.remove():
            self._leaving.append(tree.group)

    def work(self) -> float | None:
        """Do what was asked for and look after what is watched.

        Answers with the seconds after which it wants to be called again anyway.
        """
        self._table = None
        asked, self._asked = self._asked, {}
        for (key, _), (tree, signum) in asked.items():
            self._answer(key, tree, signum)
        for (key, pid), tree in list(self._watched.items()):
            if (key, pid) not in asked:
                self._look_again(key, tree)
        self._leaving = [group for group in self._leaving if not group.remove()]
        return _AGAIN if self._watched else None

    def _answer(self, key: str, tree: Tree, signum: int) -> None:
        alive = self._is_alive(key, tree.pid)
        members = tree.members(self._look, alive, self._adopter)
        if alive:
            members.pop(tree.pid, None)
        if signum:
            tree.signal(signum, members)
        if not alive:
            self._tell(key, tree.pid, named(members))
            if members:
                self._watched[key, tree.pid] = tree

    def _look_again(self, key: str, tree: Tree) -> None:
        members = tree.members(self._look, False, self._adopter)
        if not members:
            del self._watched[key, tree.pid]
            self._tell(key, tree.pid, [])
        elif tree.killing:
            tree.signal(signals.SIGKILL, members)

    def _look(self) -> Table:
        if self._table is None:
            self._table = everybody()
        return self._table


def named(members: Table) -> list[str]:
    """`123 (sleep)`, the oldest first; not more than anybody wants to read."""
    pids = sorted(members, key=lambda pid: members[pid].start)
    return [f"{pid} ({members[pid].name})" for pid in pids[:_MOST_NAMED]]
