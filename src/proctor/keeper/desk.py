"""What the daemon may ask for: children, signals to them, descriptors kept under a name.

Everything is kept here until the daemon says that it is done with it.  Whatever is wrong with a
request raises; the loop makes a complaint of it.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable

from proctor.keeper.children import Child, Children
from proctor.keeper.order import Order
from proctor.keeper.pipes import SpawnError
from proctor.keeper.protocol import Message, close_all
from proctor.keeper.spawner import Spawner


class Desk:
    """Carries out requests.  The fields of a request are those of its message (protocol.py).

    `tell(kind, fds, **fields)` speaks to the daemon; `let_go(fds)` closes descriptors as soon as
    no message that still waits needs them.
    """

    def __init__(
        self,
        spawner: Spawner,
        tell: Callable[..., None],
        let_go: Callable[[list[int]], None],
    ) -> None:
        self._spawner = spawner
        self._tell = tell
        self._let_go = let_go
        self._descriptors: dict[str, int] = {}
        self.children = Children()
        self.requests: dict[str, Callable[..., None]] = {
            "spawn": self.spawn,
            "signal": self.signal,
            "acknowledge": self.acknowledge,
            "hold": self.hold,
            "release": self.release,
        }

    def tell_holdings(self) -> None:
        """Every child and every descriptor that is kept."""
        for child in self.children:
            self._tell_held(child)
        for name, fd in self._descriptors.items():
            self._tell("descriptor", [fd], name=name)

    def spawn(
        self, message: Message, *, id: int, order: dict[str, object], **_more: object
    ) -> None:
        """Make a child.  Every order is answered, or the daemon would wait for ever."""
        try:
            wanted = Order(**order)  # type: ignore[arg-type]  # what is wrong raises when used
            pid, streams = self._spawner.spawn(wanted, message.fds[0] if message.fds else None)
        except SpawnError as error:
            self._refuse(id, error.step, error.errno)
            return
        except Exception:
            self._refuse(id, "order", errno.EINVAL)
            raise
        child = Child(wanted, pid, streams, time.monotonic())
        self.children.born(child)
        fields = {"id": id, "pid": pid, "at": child.started, "streams": streams.letters()}
        self._tell("spawned", streams.fds(), **fields)

    def signal(
        self, message: Message, *, key: str, pid: int, signum: int, to_group: bool, **_more: object
    ) -> None:
        """Signal a child; a refusal is told, an absence is not."""
        number = self.children.signal(key, pid, signum, to_group)
        if number:
            self._tell("signal_failed", key=key, pid=pid, errno=number, at=time.monotonic())

    def acknowledge(self, message: Message, *, key: str, pid: int, **_more: object) -> None:
        """Forget a child that ended."""
        streams = self.children.acknowledge(key, pid)
        if streams is not None:
            self._let_go(streams.fds())

    def hold(self, message: Message, *, name: str, **_more: object) -> None:
        """Keep a descriptor instead of the one that was kept under this name."""
        fds = message.take()
        self._forget(name)
        if fds:
            self._descriptors[name] = fds.pop()
        close_all(fds)

    def release(self, message: Message, *, name: str, **_more: object) -> None:
        """Keep nothing under this name any more."""
        self._forget(name)

    def _forget(self, name: str) -> None:
        fd = self._descriptors.pop(name, None)
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
            signalled=sorted(child.signalled.items()),
        )
