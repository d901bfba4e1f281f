"""Courier: takes what was read to the loop, and notices when the loop falls behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from proctor.core.capture import Piece
from proctor.posix.reactor import Reactor

# How many bytes may be on their way to the loop for one channel.
BOUND = 1024 * 1024


class Courier:
    """Hands pieces to `deliver` on the loop.

    Each of the two counters is written by one thread only, so they need no lock.  `must_wait`
    announces that the thread will sleep and looks once more; `_hand_over` counts and then looks
    for that announcement: whichever comes second sees the other.
    """

    def __init__(
        self,
        reactor: Reactor,
        post: Callable[[Callable[[], None]], None],
        deliver: Callable[[Sequence[Piece]], None],
        on_room: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._post = post
        self._deliver = deliver
        self._on_room = on_room
        self._sent = 0
        self._delivered = 0
        self._awaited = False

    def send(self, pieces: Sequence[Piece]) -> None:
        """Deliver these soon."""
        size = sum(len(piece.data) for piece in pieces)
        self._sent += size
        self._post(partial(self._hand_over, pieces, size))

    def must_wait(self) -> bool:
        """Whether too much is on its way.  If so, `on_room` is called when it has arrived."""
        self._awaited = True
        self._awaited = self._sent - self._delivered > BOUND
        return self._awaited

    def _hand_over(self, pieces: Sequence[Piece], size: int) -> None:
        """On the loop."""
        try:
            self._deliver(pieces)
        finally:
            self._delivered += size
            if self._awaited:
                self._reactor.call_soon(self._on_room)
