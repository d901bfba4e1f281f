"""Conversation: a child's stdout that is answered at once, as that of an event listener.

1. It is read on the loop: a way through the drain thread would cost two changes of threads for each
   word.  Its log is written by the drain thread all the same, in batches, through a pipe of ours.
2. While words come thick and fast the loop is not turned for each of them: `Talks` waits for the
   next one itself (attention.py says how), and for the loop's own descriptors, so that everything
   else is as quick as before (at most SLICE seconds late).
3. A log that falls behind slows the conversation down.  One that takes nothing for a second (a
   frozen disk) loses what waits for it, counted: whoever is to raise the alarm must not wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from proctor.posix.attention import Attention
from proctor.posix.sinks import Sink

SLICE = 0.005
_READ = 64 * 1024
# A log is written when so many bytes have come, or after so many seconds.
_BATCH = 16 * 1024
_BATCH_REST = 0.05
# Seconds after which a log that takes nothing is given up for the moment.
_FROZEN = 1.0
# A pipe holds no more than that at the end of its process.
_LAST_READS = 16

Hear = Callable[[bytes], None]


class LogChannel(Protocol):
    """What the drain makes of a pipe."""

    @property
    def bytes_seen(self) -> int: ...
    @property
    def bytes_dropped(self) -> int: ...
    @property
    def rotations(self) -> int: ...
    def finish(self, done: Callable[[], None]) -> None: ...
    def open_sinks(self) -> Sequence[Sink]: ...


Watch = Callable[[int, Sequence[Sink]], LogChannel]


class Talks:
    """All conversations of a loop.

    `loop_fd` is its selector's descriptor, None when it has none; `watch` is the drain's; `report`
    hears, in a line, what was lost.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        loop_fd: int | None,
        watch: Watch,
        report: Callable[[str], None],
    ) -> None:
        self.loop = loop
        self.watch = watch
        self.report = report
        self._readers: dict[int, Callable[[], bool]] = {}
        self._poll: select.poll | None = None
        if loop_fd is not None and hasattr(select, "poll"):
            self._poll = select.poll()
            self._poll.register(loop_fd, select.POLLIN)
            self._attention = Attention(self._poll)

    def converse(self, fd: int, sinks: Sequence[Sink], hear: Hear) -> Conversation:
        """Let `hear` have what comes out of `fd`, and the sinks too; owns both from now on."""
        return Conversation(self, fd, sinks, hear)

    def listen(self, fd: int, read: Callable[[], bool]) -> None:
        """Call `read` while there is something to read."""
        self._readers[fd] = read
        self.loop.add_reader(fd, self._talk, fd)
        if self._poll is not None:
            self._poll.register(fd, select.POLLIN)

    def ignore(self, fd: int) -> None:
        """Not any more; before it is closed."""
        if self._readers.pop(fd, None) is None:
            return
        self.loop.remove_reader(fd)
        if self._poll is not None:
            self._poll.unregister(fd)

    def catch_up(self) -> None:
        """Hear what was said meanwhile: for whoever has much to do on the loop in one go."""
        if self._poll is None or not self._readers:
            return
        for ready, _ in self._poll.poll(0):
            if ready in self._readers:
                try:
                    self._readers[ready]()
                except Exception as error:  # its bug must not cost the caller what it has to do
                    context = {"message": "hearing what was said meanwhile", "exception": error}
                    self.loop.call_exception_handler(context)

    def _talk(self, fd: int) -> None:
        readers = self._readers
        if fd in readers:
            readers[fd]()
        if self._poll is None:
            return
        now = time.monotonic()
        end = now + SLICE
        going_on = True
        while going_on and now < end:
            going_on = False
            for ready, _ in self._attention.wait(now):
                if ready in readers:
                    readers[ready]()
                    going_on = True
            now = time.monotonic()


class Conversation:
    """One child's stdout."""

    def __init__(self, talks: Talks, fd: int, sinks: Sequence[Sink], hear: Hear) -> None:
        self._talks = talks
        self._fd = fd
        self._hear = hear
        self._record = Record(talks, sinks, self._pause) if sinks else None
        os.set_blocking(fd, False)
        talks.listen(fd, self._read)

    def open_sinks(self) -> Sequence[Sink]:
        """Its sinks, to clear or reopen them; none when it is closed."""
        return self._record.channel.open_sinks() if self._record is not None else ()

    @property
    def is_over(self) -> bool:
        """Never: its last words are heard by `finish`."""
        return False

    @property
    def bytes_seen(self) -> int:
        """Of what is recorded."""
        return self._record.channel.bytes_seen if self._record is not None else 0

    @property
    def bytes_dropped(self) -> int:
        """How many of them no sink has taken."""
        return self._record.channel.bytes_dropped if self._record is not None else 0

    @property
    def rotations(self) -> int:
        """How often its log was rotated."""
        return self._record.channel.rotations if self._record is not None else 0

    def copy(self, done: Callable[[int | None], None]) -> None:
        """Call `done` with a copy of its descriptor, None when it is closed."""
        done(os.dup(self._fd) if self._fd >= 0 else None)

    def finish(self, done: Callable[[], None]) -> None:
        """The process has ended: hear and log what it wrote, then call `done` on the loop.

        What its children write later is not heard any more.
        """
        for _ in range(_LAST_READS):
            if self._fd < 0 or not self._read():
                break
        self._close()
        if self._record is None:
            self._talks.loop.call_soon(done)
        else:
            self._record.finish(done)

    def _read(self) -> bool:
        """Read once; whether there may be more."""
        try:
            data = os.read(self._fd, _READ)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._close()
            return False
        try:
            self._hear(data)  # First: it waits for our answer.
        finally:
            if self._record is not None:
                self._record.keep(data)
        return True

    def _pause(self, pausing: bool) -> None:
        if self._fd < 0:
            return
        if pausing:
            self._talks.ignore(self._fd)
        else:
            self._talks.listen(self._fd, self._read)

    def _close(self) -> None:
        if self._fd >= 0:
            self._talks.ignore(self._fd)
            os.close(self._fd)
            self._fd = -1


class Record:
    """The log of a conversation: batches into a pipe that the drain thread reads.

    `pause` is told to stop the conversation (True) while too much waits, and to let it go on.
    """

    def __init__(self, talks: Talks, sinks: Sequence[Sink], pause: Callable[[bool], None]) -> None:
        theirs, self._fd = os.pipe()
        os.set_blocking(self._fd, False)
        self.channel = talks.watch(theirs, sinks)
        self._talks = talks
        self._name = sinks[0].name
        self._pause = pause
        self._paused = False
        self._waiting = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._dropped = 0

    def keep(self, data: bytes) -> None:
        """Log these bytes soon."""
        self._waiting += data
        if self._timer is None:
            self._timer = self._talks.loop.call_later(_BATCH_REST, self._flush)
        elif len(self._waiting) >= _BATCH and not self._paused:
            self._flush()

    def finish(self, done: Callable[[], None]) -> None:
        """Log what waits as far as that is possible now, then call `done` on the loop."""
        self._write()
        self._drop()
        self._stop_waiting()
        os.close(self._fd)
        if self._dropped:
            self._talks.report(f"{self._name}: {self._dropped} bytes were not logged")
        self.channel.finish(done)

    def _flush(self) -> None:
        self._stop_waiting()
        self._write()
        if self._waiting:
            self._talks.loop.add_writer(self._fd, self._flush)
            self._timer = self._talks.loop.call_later(_FROZEN, self._give_up)
        self._set_paused(len(self._waiting) >= _BATCH)

    def _give_up(self) -> None:
        """Nothing was taken for a long time."""
        self._drop()
        self._flush()

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            del self._waiting[: os.write(self._fd, self._waiting)]

    def _drop(self) -> None:
        self._dropped += len(self._waiting)
        self._waiting.clear()

    def _stop_waiting(self) -> None:
        self._talks.loop.remove_writer(self._fd)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_paused(self, paused: bool) -> None:
        if paused is not self._paused:
            self._paused = paused
            self._pause(paused)
