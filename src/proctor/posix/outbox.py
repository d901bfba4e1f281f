"""Outbox: what a sink has not taken yet, and the waiting until it does.

1. Order is kept: while something waits, everything else waits behind it.
2. A sink that is full is waited for; nothing is given up.  The owner stops sending: that is the
   back-pressure.
3. A sink that fails (disk full, reader gone) is tried again later; what to give up meanwhile is the
   owner's decision.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from proctor.posix.complaints import Complaints
from proctor.posix.logfile import LogFile
from proctor.posix.reactor import Reactor, Timer
from proctor.posix.sinks import Sink

# Seconds until a sink that failed, or that cannot be polled, is tried again.
RETRY = 0.5


class Outbox:
    """The queue in front of one sink.

    `on_room` is called when a queue that had to wait is empty again, `on_failure` when the sink
    failed: it may call `give_up`, and says after how many seconds to try again.
    """

    def __init__(
        self,
        sink: Sink,
        reactor: Reactor,
        complaints: Complaints,
        on_room: Callable[[], None],
        on_failure: Callable[[], float],
    ) -> None:
        self.sink = sink
        self.size = 0
        self.failing = False
        self._reactor = reactor
        self._complaints = complaints
        self._on_room = on_room
        self._on_failure = on_failure
        self._queue: deque[bytes] = deque()
        self._polled: int | None = None
        self._timer: Timer | None = None

    @property
    def waiting(self) -> bool:
        """Whether the sink takes no more at the moment."""
        return self._polled is not None or self._timer is not None

    def send(self, data: bytes) -> None:
        """Write it now if possible, else queue it.  The owner bounds what it sends meanwhile."""
        self._queue.append(data)
        self.size += len(data)
        if not self.waiting:
            self._write_queue()

    def flush(self) -> None:
        """Try now, whatever is being waited for."""
        if self.waiting:
            self._resume()

    def give_up(self) -> int:
        """Throw away what waits; the number of bytes."""
        count, self.size = self.size, 0
        self._queue.clear()
        if isinstance(self.sink, LogFile):
            self.sink.mark_gap()
        if count:
            self._complaints.lost(self.sink.name, count)
        return count

    def close(self) -> int:
        """Close the sink; the number of bytes that were still waiting."""
        lost = self.give_up()
        self._stop_waiting()
        self.sink.close()
        return lost

    def _resume(self) -> None:
        self._stop_waiting()
        self._write_queue()
        if not self.waiting:
            self._on_room()

    def _write_queue(self) -> None:
        while self._queue:
            data = self._queue[0]
            taken = self._write(data)
            self.size -= taken
            if taken < len(data):
                self._queue[0] = data[taken:]
                return self._wait()
            self._queue.popleft()

    def _write(self, data: bytes) -> int:
        try:
            taken = self.sink.write(data)
        except OSError as error:
            self.failing = True
            self._complaints.failed(self.sink.name, error)
            return 0
        self.failing = False
        if taken:
            self._complaints.works(self.sink.name)
        return taken

    def _wait(self) -> None:
        if self.failing:
            self._timer = self._reactor.call_later(self._on_failure(), self._resume)
        elif not self._poll():
            self._timer = self._reactor.call_later(RETRY, self._resume)

    def _poll(self) -> bool:
        fd = self.sink.poll_fd
        if fd is None:
            return False
        try:
            self._reactor.when_writable(fd, self._resume)
        except PermissionError:  # A regular file behind /dev/stdout.
            return False
        self._polled = fd
        return True

    def _stop_waiting(self) -> None:
        if self._polled is not None:
            self._reactor.forget(self._polled)
            self._polled = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
