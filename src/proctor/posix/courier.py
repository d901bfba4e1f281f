"""Courier: takes what was read to the loop, and notices when the loop falls behind.

The loop gets a portion in each of its turns, so that a flood keeps nobody else waiting who has
something for it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from proctor.core.capture import Piece
from proctor.posix.reactor import Reactor

# How many bytes may be on their way to the loop for one channel.
BOUND = 1024 * 1024
# What a piece takes beside its bytes.
PIECE = 100
# So many pieces are handed over at once.
PORTION = 200

Job = Callable[[], None]


class Courier:
    """Hands pieces to `deliver` on the loop, in their order.

    Each of the two counters is written by one thread only, so they need no lock.  `must_wait`
    announces that the thread will sleep and looks once more; `_hand_over` counts and then looks
    for that announcement: whichever comes second sees the other.  The queue has a lock: at most one
    turn of the loop is asked for.
    """

    def __init__(
        self,
        reactor: Reactor,
        post: Callable[[Job], None],
        deliver: Callable[[Sequence[Piece]], None],
        on_room: Job,
    ) -> None:
        self._reactor = reactor
        self._post = post
        self._deliver = deliver
        self._on_room = on_room
        self._sent = 0
        self._delivered = 0
        self._awaited = False
        self._lock = threading.Lock()
        self._queue: deque[tuple[Job, int]] = deque()
        self._posted = False

    def send(self, pieces: Sequence[Piece]) -> None:
        """Deliver these soon."""
        for start in range(0, len(pieces), PORTION):
            portion = pieces[start : start + PORTION]
            size = sum(len(piece.data) + PIECE for piece in portion)
            self._sent += size
            self._enqueue(partial(self._deliver, portion), size)

    def then(self, job: Job) -> None:
        """Call `job` on the loop, after all that was sent."""
        self._enqueue(job, 0)

    def must_wait(self) -> bool:
        """Whether too much is on its way.  If so, `on_room` is called when it has arrived."""
        self._awaited = True
        self._awaited = self._sent - self._delivered > BOUND
        return self._awaited

    def _enqueue(self, job: Job, size: int) -> None:
        with self._lock:
            self._queue.append((job, size))
            idle, self._posted = not self._posted, True
        if idle:
            self._post(self._hand_over)

    # On the loop

    def _hand_over(self) -> None:
        job, size = self._queue.popleft()
        try:
            job()
        finally:
            self._delivered += size
            if self._awaited:
                self._reactor.call_soon(self._on_room)
            self._go_on()

    def _go_on(self) -> None:
        """With the next one, in another turn."""
        with self._lock:
            self._posted = bool(self._queue)
        if self._posted:
            self._post(self._hand_over)
