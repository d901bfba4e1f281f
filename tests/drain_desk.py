"""A drain thread with a loop that turns only when the test says so, and pipes to feed it."""

from __future__ import annotations

import os
import queue
import select
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from proctor.core.capture import Piece
from proctor.posix.channel import Channel
from proctor.posix.drain import Drain
from proctor.posix.sinks import Sink
from support.waiting import GENEROUS, until

T = TypeVar("T")

PATIENCE = GENEROUS


class DrainDesk:
    """Use `with DrainDesk() as desk`.  What the drain has to say is in `reports` and `advice`."""

    def __init__(self) -> None:
        self._reports: list[str] = []
        self._advice: list[str] = []
        self._loop: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.drain = Drain(self._loop.put, self._reports.append, self._advice.append)
        self._writers: list[Writer] = []

    def __enter__(self) -> DrainDesk:
        self.drain.start()
        return self

    def __exit__(self, *_: object) -> None:
        # It says False when the machine is so busy that its thread has not ended yet.
        until(self.drain.stop, "the thread ends")
        for writer in self._writers:
            writer.close()
        # Their descriptors are closed by their threads: the next test may count descriptors.
        for writer in self._writers:
            writer.join()

    @property
    def reports(self) -> list[str]:
        """What was reported so far, with what is still on its way from the thread to the loop."""
        self.call(lambda: None)
        return self._reports

    @property
    def advice(self) -> list[str]:
        """Like `reports`, for what is no failure."""
        self.call(lambda: None)
        return self._advice

    def watch(
        self, *sinks: Sink, deliver: Callable[[Sequence[Piece]], None] | None = None
    ) -> tuple[Writer, Channel]:
        """A new pipe: the end that a child would have, and the channel at ours."""
        read, write = os.pipe()
        writer = Writer(write)
        self._writers.append(writer)
        return writer, self.drain.watch(read, sinks, deliver=deliver)

    def turn(self) -> None:
        """Run what was posted to the loop so far, waiting a moment for the first."""
        try:
            self._loop.get(timeout=0.01)()
            while True:
                self._loop.get_nowait()()
        except queue.Empty:
            pass

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the loop turn until the condition holds.

        A file that is missing in the moment between two renames counts as "not yet".
        """

        def holds() -> bool:
            try:
                return condition()
            except FileNotFoundError:
                return False

        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain; reports: {self._reports}"
            self.turn()

    def until_closed(self, *channels: Channel) -> None:
        """Let the loop turn until these channels have passed on everything and are closed."""
        self.until(lambda: not any(channel.open_sinks() for channel in channels))

    def call(self, function: Callable[[], T]) -> T | OSError:
        """What `function` answers in the drain thread."""
        answers: list[T | OSError] = []
        self.drain.call(function, answers.append)
        self.until(lambda: bool(answers))
        return answers[0]

    def finish(self, channel: Channel, grace: float = PATIENCE) -> None:
        """The process of this channel has ended: wait until its output is passed on."""
        done = threading.Event()
        channel.finish(done.set, grace)
        self.until(done.is_set)

    def until_stuck(self, writer: Writer) -> None:
        """Wait until nothing more fits anywhere: neither into the target nor into the pipe."""

        def is_stuck() -> bool:
            if not writer.is_stuck:
                return False
            written = writer.written
            self.settle()
            return writer.is_stuck and writer.written == written

        self.until(is_stuck)

    def settle(self) -> None:
        """Wait until the thread has read everything that was written so far and sleeps for good."""
        patience = self.drain._reactor._patience
        self.until(lambda: self.call(patience) is None)


class Writer:
    """The child's end of a pipe, written by a thread of its own so that it may block."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.written = 0
        self._jobs: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._idle = threading.Event()
        self._idle.set()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Write it in the background."""
        self._idle.clear()
        self._jobs.put(data)

    def write_all(self, data: bytes) -> None:
        """Write it, and return when the pipe has taken everything."""
        self.write(data)
        assert self._idle.wait(PATIENCE), "the pipe is not read"

    @property
    def blocked(self) -> bool:
        """Whether something was not taken yet."""
        return not self._idle.is_set()

    @property
    def is_stuck(self) -> bool:
        """Whether the pipe is full, and something was not taken yet."""
        return self.blocked and not select.select([], [self.fd], [], 0)[1]

    def close(self) -> None:
        """The end of the stream, after everything that was written.  Does not wait."""
        self._jobs.put(None)

    def join(self) -> None:
        """Wait until it is closed."""
        self._thread.join(PATIENCE)

    def _work(self) -> None:
        while (data := self._jobs.get()) is not None:
            view = memoryview(data)
            try:
                while view:
                    count = os.write(self.fd, view[:65536])
                    self.written += count
                    view = view[count:]
            except BrokenPipeError:
                pass
            if self._jobs.empty():
                self._idle.set()
        os.close(self.fd)


def numbered_lines(count: int, length: int = 100) -> bytes:
    """Lines that can be told apart, of `length` bytes each with their newline."""
    return b"".join(b"%08d " % n + b"x" * (length - 10) + b"\n" for n in range(count))


def whole_log(path: Path) -> bytes:
    """A log and its backups, the oldest first."""
    return b"".join(file.read_bytes() for file in log_files(path))


def log_files(path: Path) -> list[Path]:
    """The files of a log, the oldest first, the log itself last."""
    backups = [file for file in path.parent.iterdir() if file.name.startswith(f"{path.name}.")]
    backups.sort(key=lambda file: int(file.suffix[1:]), reverse=True)
    return [*backups, path]
