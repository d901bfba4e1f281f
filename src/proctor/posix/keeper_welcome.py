"""The keeper's answer to `hello`: what it holds, child by child and descriptor by descriptor."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Sequence

from proctor.core.exits import ExitStatus
from proctor.core.plan import ChildPipes
from proctor.keeper.protocol import Message
from proctor.posix.loop_host import HeldChild, Holdings


class Welcome:
    """`answer` has everything that was held, or what was raised by whoever has to tell.

    `met(child, tree)` is told of each child before that.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        met: Callable[[HeldChild, Sequence[str]], None],
    ) -> None:
        self._met = met
        self._held: list[HeldChild] = []
        self._descriptors: dict[str, int] = {}
        self.answer: asyncio.Future[Holdings] = loop.create_future()

    def heard_held(
        self,
        message: Message,
        *,
        key: str,
        pid: int,
        note: str,
        started: float,
        status: int | None,
        ended: float,
        streams: str,
        signalled: Sequence[tuple[int, float]] = (),
        usage: Sequence[float] = (),
        tree: Sequence[str] = (),
        birth: int = 0,
        foreign: bool = False,
        **_more: object,
    ) -> None:
        """One child."""
        if message.cut:
            raise OSError(errno.EMFILE, f"no descriptors left to take over {key!r} (pid {pid})")
        end = None if status is None else ExitStatus.from_wait(status, usage)
        pipes = pipes_of(streams, message.take())
        child = HeldChild(
            key,
            pid,
            note,
            pipes,
            started,
            end,
            ended,
            dict(signalled),
            bool(tree),
            birth,
            foreign,
        )
        self._met(child, tree)
        self._held.append(child)

    def heard_descriptor(self, message: Message, *, name: str, **_more: object) -> None:
        """One that is held by name."""
        for fd in message.take():
            self._descriptors[name] = fd

    def heard_all(
        self, restarts: int, last_status: int | None, predecessor: str | None = None
    ) -> None:
        """That was everything; see Holdings."""
        last_end = None if last_status is None else ExitStatus.from_wait(last_status)
        holdings = Holdings(tuple(self._held), self._descriptors, restarts, last_end, predecessor)
        self._held, self._descriptors = [], {}
        if not self.answer.done():
            self.answer.set_result(holdings)


def pipes_of(streams: str, fds: Sequence[int]) -> ChildPipes:
    """`streams` has a letter for each descriptor: i, o, e."""
    named = dict(zip(streams, fds, strict=True))
    return ChildPipes(named.get("i"), named.get("o"), named.get("e"))
