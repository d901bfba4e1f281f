"""Drain: the one thread that moves what children write to where it belongs.

It is a thread because a disk may freeze: then logging waits, and the control plane does not.  It is
one thread because one drains as much as all children can write (decisions.md, section 9).  The
loop talks to it by `watch`, `write` and `call`; it answers through `post`.
"""

from __future__ import annotations

import errno
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from proctor.core.capture import Decoder, Piece
from proctor.posix.channel import Channel, Post, Workshop
from proctor.posix.complaints import Complaints
from proctor.posix.logfile import LogFile
from proctor.posix.outbox import RETRY, Outbox
from proctor.posix.paths import Scratch
from proctor.posix.reactor import Reactor
from proctor.posix.siblings import Siblings
from proctor.posix.sinks import Sink, StreamSink

T = TypeVar("T")

# How much may wait for one of the daemon's own logs, and on its way to all of them.
LINES = 4 * 1024 * 1024


def _ignore(_text: str) -> None:
    pass


def _at_once(callback: Callable[[], None]) -> None:
    callback()


class Drain:
    """`post` runs a callback on the loop (call_soon_threadsafe).

    `report` is called on the loop with what is wrong with targets, `advise` with what users should
    know about their settings.  `soon` calls back on the loop: what it writes until then costs one
    wake-up of the thread.
    """

    def __init__(
        self,
        post: Post,
        report: Callable[[str], None] = _ignore,
        advise: Callable[[str], None] = _ignore,
        soon: Callable[[Callable[[], None]], object] = _at_once,
    ) -> None:
        self._report = report
        self._advise = advise
        self._advised: set[str] = set()
        self._loop_post = post
        self._soon = soon
        self._waking = False
        self._stopped = False
        self._reactor = Reactor()
        self._complaints = Complaints(self._say)
        self._scratch = Scratch()
        self._siblings = Siblings(self._complaints.rarely)
        self._shop = Workshop(
            self._reactor, self._complaints, self._scratch, self._siblings, self._post
        )
        self._thread = threading.Thread(target=self._run, name="drain", daemon=True)
        self._channels: set[Channel] = set()
        self._closed = self._channels.discard
        self._outboxes: dict[Sink, Outbox] = {}
        # Bytes of `write`: the first two are counted by the loop, the others by the thread.
        self._lines_sent = 0
        self._lines_lost = 0
        self._lines_arrived = 0
        self._loss_told = 0
        self._deadline: float | None = None

    def start(self) -> None:
        """Start the thread.  What was asked for before is done then."""
        self._thread.start()

    def stop(self, patience: float = 1.0) -> bool:
        """Write what can be written within `patience` seconds, then end.  Nothing may follow but
        lines, which are lost: its last answers reach the loop after that.

        False when the thread hangs, and may still use what it was given.
        """
        self._waking, self._stopped = False, True
        self._reactor.call_soon(partial(self._begin_to_stop, patience))
        self._thread.join(patience + 1.0)
        # A thread that hangs in a frozen disk is left behind with what it uses.
        if self._thread.is_alive():
            return False
        self._reactor.close()
        self._scratch.close()
        return True

    def watch(
        self,
        fd: int,
        sinks: Sequence[Sink],
        decoder: Decoder | None = None,
        deliver: Callable[[Sequence[Piece]], None] | None = None,
    ) -> Channel:
        """Move what comes out of `fd` to the sinks, and to `deliver` on the loop.

        The channel owns the descriptor and the sinks, and closes them at its end.  When a sink is
        full or the loop falls behind, the pipe is not read.
        """
        channel = Channel(
            self._shop,
            fd,
            sinks,
            decoder=decoder,
            deliver=deliver,
            closed=self._closed,
        )
        self._reactor.call_soon(partial(self._begin, channel, sinks))
        return channel

    def write(self, sink: Sink, data: bytes) -> bool:
        """Lines of the daemon itself.  The sink stays the caller's.

        Lines that it, or a disk that is frozen, does not take in time are lost, and counted; False
        if these are, already.
        """
        if self._stopped or self._lines_sent - self._lines_arrived > LINES:
            self._lines_lost += len(data)
            return False
        self._lines_sent += len(data)
        self._reactor.queue(partial(self._write, sink, data))
        if not self._waking:
            self._waking = True
            self._soon(self._wake)
        return True

    def call(self, function: Callable[[], T], done: Callable[[T | OSError], None]) -> None:
        """Call `function` in the thread, then `done` on the loop with its result or its OSError."""
        self._reactor.call_soon(partial(self._call, function, done))

    def _wake(self) -> None:
        if self._waking:  # not after the end
            self._waking = False
            self._reactor.wake()

    # What follows runs in the drain thread.

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while self._deadline is None or (self._has_backlog() and time.monotonic() < self._deadline):
            self._turn()
        for channel in list(self._channels):
            channel.shut()

    def _turn(self) -> None:
        try:
            self._reactor.turn()
        except Exception as bug:
            # A decoder's bug must not end the logging of everybody else.
            self._complaints.rarely(f"internal error while logging: {bug!r}")

    def _begin(self, channel: Channel, sinks: Sequence[Sink]) -> None:
        for sink in sinks:
            self._adopt(sink)
        self._channels.add(channel)
        channel.begin()

    def _adopt(self, sink: Sink) -> None:
        if isinstance(sink, LogFile):
            self._siblings.add(sink)
        elif isinstance(sink, StreamSink) and sink.note:
            self._give_advice(sink.note)

    def _write(self, sink: Sink, data: bytes) -> None:
        self._lines_arrived += len(data)
        outbox = self._outboxes.get(sink)
        if outbox is None:
            self._adopt(sink)
            outbox = Outbox(sink, self._reactor, self._complaints, lambda: None, lambda: RETRY)
            self._outboxes[sink] = outbox
        if outbox.size > LINES:
            self._complaints.lost(sink.name, len(data))
            if isinstance(sink, LogFile):
                sink.settled(len(data))
        else:
            outbox.send(data)
        if self._loss_told < self._lines_lost:
            lost, self._loss_told = self._lines_lost - self._loss_told, self._lines_lost
            self._complaints.lost(sink.name, lost)

    def _call(self, function: Callable[[], T], done: Callable[[T | OSError], None]) -> None:
        try:
            result: T | OSError = function()
        except OSError as error:
            result = error
        except ValueError as error:  # a path that no system call takes
            result = OSError(errno.EINVAL, str(error))
        self._post(partial(done, result))

    def _begin_to_stop(self, patience: float) -> None:
        self._deadline = time.monotonic() + patience
        self._reactor.call_later(patience, lambda: None)
        for channel in list(self._channels):
            channel.sweep()

    def _has_backlog(self) -> bool:
        return any(outbox.waiting for outbox in self._outboxes.values()) or any(
            channel.has_backlog() for channel in self._channels
        )

    def _give_advice(self, text: str) -> None:
        if text not in self._advised:
            self._advised.add(text)
            self._post(lambda: self._advise(text))

    def _say(self, text: str) -> None:
        self._post(lambda: self._report(text))

    def _post(self, callback: Callable[[], None]) -> None:
        # RuntimeError: the loop is closed, nobody is left to hear it.
        with suppress(RuntimeError):
            self._loop_post(callback)
