"""What the daemon may ask for: children, signals to them, descriptors kept under a name.

Everything is kept here until the daemon says that it is done with it.  Whatever is wrong with a
request raises; the loop makes a complaint of it.
"""

from __future__ import annotations

import errno
import os
import time

from proctor.keeper.birth import Nursery
from proctor.keeper.children import Child, Children
from proctor.keeper.identity import birth, open_process
from proctor.keeper.order import Order
from proctor.keeper.pipes import SpawnError, Streams
from proctor.keeper.protocol import Message, close_all
from proctor.keeper.spawner import Spawner
from proctor.keeper.trees import Tree, Trees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Desk:
    """Carries out requests.  The fields of a request are those of its message (protocol.py).

    `tell(kind, fds, **fields)` speaks to the daemon soon, `speak()` makes it now; `let_go(fds)`
    closes descriptors as soon as no message that still waits needs them; `watch(child)` waits for
    the end of a process that is not our child, and `lost(child)` says that nobody will ever know
    it.
    """

    def __init__(
        self,
        spawner: Spawner,
        *,
        tell: Callable[..., None],
        speak: Callable[[], None],
        let_go: Callable[[list[int]], None],
        watch: Callable[[Child], None],
        lost: Callable[[Child], None],
    ) -> None:
        self.watch = watch
        self.lost = lost
        self._nursery = Nursery(spawner)
        self._tell, self._speak = tell, speak
        self._let_go = let_go
        self.descriptors: dict[str, int] = {}
        self.children = Children()
        self.trees = Trees(self.children.is_alive, self._tell_left, os.getpid())
        self.requests: dict[str, Callable[..., None]] = {
            "spawn": self.spawn,
            "signal": self.signal,
            "signal_tree": self.signal_tree,
            "acknowledge": self.acknowledge,
            "hold": self.hold,
            "release": self.release,
            "adopt": self.adopt,
            "pipes": self.pipes,
        }

    def tell_holdings(self) -> None:
        """Every child and every descriptor that is kept."""
        for child in self.children:
            self._tell_held(child)
        for name, fd in self.descriptors.items():
            self._tell("descriptor", [fd], name=name)

    def spawn(
        self, message: Message, *, id: int, order: dict[str, object], **_more: object
    ) -> None:
        """Make a child.  Every order is answered, or the daemon would wait for ever."""
        try:
            wanted = Order(**order)  # type: ignore[arg-type]  # what is wrong raises when used
            socket_fd = message.fds[0] if message.fds else None
            pid, streams, tree = self._nursery.spawn(wanted, socket_fd)
        except SpawnError as error:
            self._refuse(id, error.step, error.errno)
            return
        except Exception:
            self._refuse(id, "order", errno.EINVAL)
            raise
        now = time.monotonic()
        child = Child(wanted.key, pid, streams, now, note=wanted.note, birth=birth(pid))
        child.tree = tree
        self.children.born(child)
        fields = {
            "id": id,
            "pid": pid,
            "at": now,
            "streams": streams.letters(),
            "birth": child.birth,
            **_as_field(tree),
        }
        self._tell("spawned", streams.fds(), **fields)
        # Not with the others of this round: if we are killed now, nobody else knows that it exists.
        self._speak()

    def signal(
        self, message: Message, *, key: str, pid: int, signum: int, to_group: bool, **_more: object
    ) -> None:
        """Signal a child; a refusal is told, an absence is not."""
        number = self.children.signal(key, pid, signum, to_group)
        if number:
            self._tell("signal_failed", key=key, pid=pid, errno=number, at=time.monotonic())

    def signal_tree(
        self, message: Message, *, key: str, pid: int, signum: int, **_more: object
    ) -> None:
        """Signal a child and all that comes from it (0: nobody); say who is left of the ended."""
        child = self.children.find(key, pid)
        if child is None:
            self._tell_left(key, pid, [])
            return
        if child.tree is None:
            child.tree = Tree(pid)  # it was not known at its birth that anybody would ask for it
        if signum and child.status is None:
            self.signal(message, key=key, pid=pid, signum=signum, to_group=False)
        self.trees.ask(key, child.tree, signum)

    def signal_trees(self, signum: int) -> None:
        """Signal whatever comes from children that are trees."""
        for child in self.children:
            if child.tree is not None:
                self.trees.ask(child.key, child.tree, signum)

    def adopt(
        self,
        message: Message,
        *,
        key: str,
        pid: int,
        birth: int,
        note: str,
        started: float,
        tree: list[str],
        **_more: object,
    ) -> None:
        """Keep a process that is not our child; one that is gone has ended, nobody knows how."""
        if self.children.find(key, pid) is not None:
            return
        child = Child(key, pid, Streams(None, None, None), started, note=note, birth=birth)
        child.tree = Tree.of_words(pid, tree) if tree else None
        self.children.born(child)
        try:
            child.watch = open_process(pid, birth)
        except OSError:
            self.lost(child)
        else:
            self.watch(child)

    def pipes(self, message: Message, *, key: str, pid: int, streams: str, **_more: object) -> None:
        """Our ends of the pipes of a process that was adopted."""
        fds = message.take()
        child = self.children.find(key, pid)
        if child is None or child.streams.fds():
            close_all(fds)
        else:
            child.streams = Streams.named(streams, fds)

    def acknowledge(self, message: Message, *, key: str, pid: int, **_more: object) -> None:
        """Forget a child that ended."""
        child = self.children.acknowledge(key, pid)
        if child is not None:
            self._let_go(child.streams.fds())
            if child.tree is not None:
                self.trees.forget(key, child.tree)

    def hold(self, message: Message, *, name: str, **_more: object) -> None:
        """Keep a descriptor instead of the one that was kept under this name."""
        fds = message.take()
        self._forget(name)
        if fds:
            self.descriptors[name] = fds.pop()
        close_all(fds)

    def release(self, message: Message, *, name: str, **_more: object) -> None:
        """Keep nothing under this name any more."""
        self._forget(name)

    def _forget(self, name: str) -> None:
        fd = self.descriptors.pop(name, None)
        if fd is not None:
            self._let_go([fd])

    def _refuse(self, id: int, step: str, number: int) -> None:
        self._tell("spawn_failed", id=id, step=step, errno=number, at=time.monotonic())

    def _tell_held(self, child: Child) -> None:
        self._tell(
            "held",
            child.streams.fds(),
            key=child.key,
            pid=child.pid,
            note=child.note,
            started=child.started,
            status=child.status,
            ended=child.ended,
            usage=child.usage,
            streams=child.streams.letters(),
            signalled=sorted(child.signalled),
            birth=child.birth,
            foreign=child.watch is not None,
            **_as_field(child.tree),
        )

    def _tell_left(self, key: str, pid: int, left: list[str]) -> None:
        self._tell("tree", None, key=key, pid=pid, left=left, at=time.monotonic())


def _as_field(tree: Tree | None) -> dict[str, list[str]]:
    """Only where there is one: daemons that know no trees read our messages too."""
    return {} if tree is None else {"tree": tree.words()}
