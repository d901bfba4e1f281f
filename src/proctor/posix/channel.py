"""Channel: one pipe of one child, from its first byte to its last.

1. A silent pipe costs nothing: no timer, no turn of the thread.
2. Of a loud child it reads much at once, and rests in between (pace.py).
3. A target that is full makes the child wait (back-pressure), for as long as it lasts.
4. A target that fails (disk full) does not: bytes are kept while the pipe has room, then the
   oldest go, counted.
5. The end of the process and the end of the pipe are two things: `finish` says when what the
   process wrote is passed on; a grandchild may write on until its grace is over (gotcha G35).

Everything but `finish`, `is_over` and `close` happens in the drain thread.  Measured: decisions.md,
section 1.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Protocol

from proctor.core.capture import Decoder, Piece
from proctor.core.values import dataclass
from proctor.posix import linux
from proctor.posix.complaints import Complaints
from proctor.posix.courier import Courier
from proctor.posix.logfile import LogFile
from proctor.posix.outbox import RETRY, Outbox
from proctor.posix.pace import Pace
from proctor.posix.paths import Scratch, SeenPath, SplicePath, SpliceRefused
from proctor.posix.reactor import Reactor, Timer
from proctor.posix.siblings import Siblings
from proctor.posix.sinks import Sink

# Seconds until a target that failed is tried again: this for a child that fills its pipe, then
# twice as long each time, up to RETRY.
SOON = 0.01

# Seconds a pipe is read on after its process has ended.
GRACE = 5.0

Post = Callable[[Callable[[], None]], None]


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all channels of a drain thread share."""

    reactor: Reactor
    complaints: Complaints
    scratch: Scratch
    siblings: Siblings
    post: Post


class Path(Protocol):
    """A way from the pipe to its targets; see paths.py."""

    def must_wait(self) -> bool: ...
    def has_backlog(self) -> bool: ...
    def move(self) -> int: ...
    def flush(self) -> None: ...
    def close(self) -> int: ...


class Channel:
    """Made by Drain.watch.

    `bytes_seen` came out of the pipe, `bytes_dropped` of them were lost.  Read them at any time.
    """

    def __init__(
        self,
        shop: Workshop,
        fd: int,
        sinks: Sequence[Sink],
        *,
        decoder: Decoder | None,
        deliver: Callable[[Sequence[Piece]], None] | None,
        closed: Callable[[Channel], None],
    ) -> None:
        self.bytes_seen = 0
        self.bytes_dropped = 0
        self._shop = shop
        self._fd = fd
        self._sinks = sinks
        self._decoder = decoder
        self._deliver = deliver
        self._closed = closed
        self._tell = shop.post
        self._path = self._choose_path()
        self._pace = Pace(fd)
        self._listening = False
        self._at_end = False
        self._timer: Timer | None = None
        self._grace: Timer | None = None
        self._delay = SOON

    @property
    def rotations(self) -> int:
        """How often its log files were rotated, by what it wrote.  From any thread."""
        return sum(sink.rotations for sink in self._sinks if isinstance(sink, LogFile))

    @property
    def is_over(self) -> bool:
        """Whether it is closed, and nothing is on its way to the loop.  From any thread."""
        return self._fd < 0 and self._deliver is None

    def finish(self, done: Callable[[], None], grace: float = GRACE) -> None:
        """The process has ended: pass on what is in the pipe, then call `done` on the loop.

        Does not wait for a target that is full or fails.  The pipe is read on until its end, but
        no longer than `grace` seconds; what a target has not taken by then is lost, and counted.
        """
        self._shop.reactor.call_soon(lambda: self._finish(done, grace))

    def copy(self, done: Callable[[int | None], None]) -> None:
        """Call `done` on the loop with a copy of its descriptor, None when it is closed."""

        def work() -> None:
            fd = os.dup(self._fd) if self._fd >= 0 else None
            self._shop.post(lambda: done(fd))

        self._shop.reactor.call_soon(work)

    def close(self) -> None:
        """Stop at once, whatever is in the pipe."""
        self._shop.reactor.call_soon(self.shut)

    # What follows runs in the drain thread.

    def begin(self) -> None:
        """Start to read."""
        os.set_blocking(self._fd, False)
        self._listen()

    def open_sinks(self) -> Sequence[Sink]:
        """Its sinks, to clear or reopen them; none when it is closed."""
        return self._sinks if self._fd >= 0 else ()

    def sweep(self) -> None:
        """Take what is in the pipe now, as far as the targets take it, without any rest."""
        left = linux.bytes_waiting(self._fd) if self._fd >= 0 else 0
        while self._fd >= 0 and not self._at_end and not self._path.has_backlog():
            moved = self._move()
            left -= moved
            if not moved or left < 0:
                break
        if self._fd >= 0:
            self._path.flush()
            self._close_if_over()

    def has_backlog(self) -> bool:
        """Whether bytes wait for a sink."""
        return self._path.has_backlog()

    def shut(self) -> None:
        """Close the pipe and the sinks.  Harmless when done twice."""
        if self._fd < 0:
            return
        self._stop_waiting()
        if self._grace is not None:
            self._grace.cancel()
        lost = 0 if self._at_end else linux.bytes_waiting(self._fd)
        self.bytes_seen += lost
        if lost and self._sinks:
            self._shop.complaints.lost(self._sinks[0].name, lost)
        for sink in self._sinks:
            if isinstance(sink, LogFile):
                self._shop.siblings.remove(sink)
        self.bytes_dropped += lost + self._path.close()
        os.close(self._fd)
        self._fd = -1
        self._closed(self)

    def _choose_path(self) -> Path:
        unseen = linux.HAS_SPLICE and self._decoder is None and self._deliver is None
        match self._sinks:
            case [LogFile() as file] if unseen:
                return SplicePath(self._fd, file, self._shop.scratch)
        return self._seen_path()

    def _seen_path(self) -> SeenPath:
        shop, courier = self._shop, None
        if self._deliver is not None:
            courier = Courier(shop.reactor, shop.post, self._deliver, self._turn)
            self._tell = courier.then
        outboxes = [
            Outbox(sink, shop.reactor, shop.complaints, self._turn, self._relieve)
            for sink in self._sinks
        ]
        return SeenPath(self._fd, outboxes, self._decoder, courier)

    def _turn(self) -> None:
        """Move once, then wait for whatever makes the next move worth while."""
        if self._fd < 0 or self._close_if_over():
            return
        self._cancel_timer()
        if self._path.must_wait():
            return self._stop_listening()
        moved = self._move()
        if self._fd < 0 or self._timer is not None:
            return
        if self._path.must_wait():
            self._stop_listening()
        elif moved and (seconds := self._pace.rest(moved)):
            self._stop_listening()
            self._timer = self._shop.reactor.call_later(seconds, self._turn)
        else:
            self._listen()

    def _move(self) -> int:
        """Move once; 0 when there is nothing now, or nothing any more, or it did not work."""
        try:
            moved = self._path.move()
        except BlockingIOError:
            return 0
        except SpliceRefused:
            self._path = self._seen_path()
            return self._move()
        except OSError as error:
            self._fail(error)
            return 0
        if not moved:
            self._end()
        elif isinstance(self._path, SplicePath):
            self._shop.complaints.works(self._path.file.name)
        self.bytes_seen += moved
        return moved

    def _end(self) -> None:
        """No writer is left."""
        self._at_end = True
        self._stop_waiting()
        self._path.flush()
        self._close_if_over()

    def _close_if_over(self) -> bool:
        """Close when the pipe has ended and everything is passed on; whether it is closed."""
        if self._at_end and not self._path.has_backlog():
            self.shut()
        return self._fd < 0

    def _finish(self, done: Callable[[], None], grace: float) -> None:
        if self._fd >= 0:
            self.sweep()
        if self._fd >= 0:
            self._grace = self._shop.reactor.call_later(grace, self.shut)
        self._tell(done)

    def _fail(self, error: OSError) -> None:
        """The file took nothing.  Unseen bytes wait in the pipe."""
        assert isinstance(self._path, SplicePath), "outboxes keep their failures to themselves"
        self._shop.complaints.failed(self._path.file.name, error)
        lost = 0
        while self._pace.is_nearly_full() and lost < self._pace.size:
            lost += self._path.give_up()
        if lost:
            self._shop.complaints.lost(self._path.file.name, lost)
            self.bytes_seen += lost
            self.bytes_dropped += lost
        self._stop_waiting()
        self._timer = self._shop.reactor.call_later(self._next_try(lost), self._turn)

    def _relieve(self) -> float:
        """A sink failed: give up what waits if the pipe is nearly full; seconds to the next try."""
        lost = 0
        if self._pace.is_nearly_full() and isinstance(self._path, SeenPath):
            lost = self._path.give_up()
            self.bytes_dropped += lost
        return self._next_try(lost)

    def _next_try(self, lost: int) -> float:
        self._delay = SOON if lost else min(RETRY, 2 * self._delay)
        return self._delay

    def _listen(self) -> None:
        if not self._listening:
            self._shop.reactor.when_readable(self._fd, self._turn)
            self._listening = True

    def _stop_listening(self) -> None:
        if self._listening:
            self._shop.reactor.forget(self._fd)
            self._listening = False

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop_waiting(self) -> None:
        self._stop_listening()
        self._cancel_timer()
