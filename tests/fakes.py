"""A machine that can be held in the hand: FakeHost for clocks, timers and children, FakeDrain for
the log thread.

Time stands still until a test moves it.  `host.settle()` lets everything happen that is due now;
`host.until(t)` and `host.forward(seconds)` let time pass, and every timer rings at its moment.
"""

from __future__ import annotations

import contextlib
import errno
import heapq
import itertools
import os
import signal
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from proctor.core.capture import Decoder, Piece, Text
from proctor.core.exits import ExitStatus
from proctor.core.plan import ChildPipes, SpawnFailure, SpawnPlan
from proctor.daemon.host import ChildSink
from proctor.posix.sinks import Sink

T = TypeVar("T")

# A Wednesday: wall time starts here, monotonic time at 0.
EPOCH = 1_700_000_000.0


@dataclass(order=True)
class FakeTimer:
    """A call that is due at `when`."""

    when: float
    number: int
    callback: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Do not call."""
        self.cancelled = True


@dataclass
class Behaviour:
    """What the children of one process do.  `lifetime` None: they run until a signal ends them.

    `leaves` run on when the child has ended, until one of the signals `leaves_end_by`.
    """

    lifetime: float | None = None
    code: int = 0
    ignores: frozenset[int] = frozenset()
    spawn_failure: SpawnFailure | None = None
    refuses_signals: int = 0
    spawn_delay: float = 0.0
    leaves: list[str] = field(default_factory=list)
    leaves_end_by: frozenset[int] = frozenset({signal.SIGTERM, signal.SIGKILL})


@dataclass
class FakeChild:
    """A running child.  `stdin` is the end that a real child would read."""

    plan: SpawnPlan
    sink: ChildSink
    pid: int
    stdin: int | None
    pipes: dict[str, int]
    signals: list[int] = field(default_factory=list)

    def read_stdin(self) -> bytes:
        """All that was sent to it so far."""
        assert self.stdin is not None
        with contextlib.suppress(BlockingIOError):
            return os.read(self.stdin, 1 << 20)
        return b""


class FakeHost:
    """A machine whose time and whose children do what the test says."""

    def __init__(self) -> None:
        self.time = 0.0
        self.plans: list[SpawnPlan] = []
        self.children: dict[str, FakeChild] = {}
        self.behaviours: dict[str, Behaviour] = {}
        self.signals: list[tuple[str, int, int, bool]] = []
        self.tree_signals: list[tuple[float, int]] = []
        self.acknowledged: list[tuple[str, int]] = []
        self.writable: dict[int, Callable[[], None]] = {}
        self._numbers = itertools.count()
        self._pids = itertools.count(101)
        self._pipe_numbers = itertools.count(-1, -1)
        self._timers: list[FakeTimer] = []
        self._soon: deque[Callable[[], None]] = deque()

    # What the heart asks of it

    def now(self) -> float:
        """Monotonic seconds, from 0."""
        return self.time

    def wall(self) -> float:
        """Seconds since the epoch."""
        return EPOCH + self.time

    def call_at(self, when: float, callback: Callable[[], None]) -> FakeTimer:
        """Call when the test has moved time to `when`."""
        timer = FakeTimer(when, next(self._numbers), callback)
        heapq.heappush(self._timers, timer)
        return timer

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call when the test settles the machine."""
        self._soon.append(callback)

    def when_writable(self, fd: int, callback: Callable[[], None] | None) -> None:
        """Remember who waits; `drained` calls them."""
        if callback is None:
            self.writable.pop(fd, None)
        else:
            self.writable[fd] = callback

    def spawn(self, plan: SpawnPlan, sink: ChildSink) -> None:
        """Start a child, in the next round or after the behaviour's delay."""
        self.plans.append(plan)
        behaviour = self.behaviour(plan.key)
        if behaviour.spawn_delay:
            self.call_at(self.time + behaviour.spawn_delay, lambda: self._start(plan, sink))
        else:
            self.call_soon(lambda: self._start(plan, sink))

    def signal(self, key: str, pid: int, signum: int, to_group: bool) -> None:
        """Send a signal; the child ends by it unless its behaviour says otherwise."""
        self.signals.append((key, pid, signum, to_group))
        child = self.children.get(key)
        if child is None or child.pid != pid:
            return
        behaviour = self.behaviour(key)
        if behaviour.refuses_signals:
            refusal, at = behaviour.refuses_signals, self.time
            self.call_soon(lambda: child.sink.signal_failed(refusal, at))
            return
        child.signals.append(signum)
        harmless = {0, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, *behaviour.ignores}
        if signum not in harmless or signum == signal.SIGKILL:
            self.call_soon(lambda: self._gone(child, ExitStatus(signal=signum)))

    def signal_tree(self, key: str, pid: int, signum: int, sink: ChildSink) -> None:
        """Signal the child, or what its behaviour says that it left."""
        self.tree_signals.append((self.time, signum))
        child = self.children.get(key)
        if child is not None and child.pid == pid:
            self.signal(key, pid, signum, False)
            return
        behaviour, at = self.behaviour(key), self.time
        left = tuple(behaviour.leaves)
        self.call_soon(lambda: sink.tree_left(left, at))
        if left and signum in behaviour.leaves_end_by:
            behaviour.leaves = []
            self.call_soon(lambda: sink.tree_left((), at))

    def acknowledge(self, key: str, pid: int) -> None:
        """The end of this child is written down."""
        self.acknowledged.append((key, pid))

    # What a test makes happen

    def behaviour(self, key: str) -> Behaviour:
        """How the children of `group:process` behave; change it as you like."""
        return self.behaviours.setdefault(key, Behaviour())

    def always_dies(self, key: str, code: int = 1, after: float = 0.0) -> None:
        """Every child of `key` ends with `code`, `after` seconds from its start."""
        self.behaviours[key] = Behaviour(lifetime=after, code=code)

    def dies(self, key: str, code: int | None = 0, signum: int | None = None) -> None:
        """The child of `key` ends now, by itself."""
        status = ExitStatus(code=None if signum else code, signal=signum)
        self._gone(self.children[key], status)
        self.settle()

    def settle(self) -> None:
        """Let everything happen that is due now."""
        for _ in range(100_000):
            if self._soon:
                self._soon.popleft()()
            elif self._timers and self._timers[0].when <= self.time:
                timer = heapq.heappop(self._timers)
                if not timer.cancelled:
                    timer.callback()
            else:
                return
        raise AssertionError("the machine does not come to rest")

    def until(self, when: float) -> None:
        """Let time pass until `when`, ringing every timer at its moment."""
        self.settle()
        while (due := self.next_timer()) is not None and due <= when:
            self.time = max(self.time, due)
            self.settle()
        self.time = max(self.time, when)
        self.settle()

    def forward(self, seconds: float) -> None:
        """Let this much time pass."""
        self.until(self.time + seconds)

    def next_timer(self) -> float | None:
        """When the next timer rings; None when nothing is planned: an idle machine."""
        while self._timers and self._timers[0].cancelled:
            heapq.heappop(self._timers)
        return self._timers[0].when if self._timers else None

    def revive(self, key: str, pid: int, sink: ChildSink) -> None:
        """There is a child of an earlier daemon, whose pipes are somebody else's business."""
        self.children[key] = FakeChild(SpawnPlan(key, "", ()), sink, pid, None, {})

    def close(self) -> None:
        """Close the pipes of children that still run."""
        for child in self.children.values():
            _close(child.stdin)
        self.children.clear()

    def _start(self, plan: SpawnPlan, sink: ChildSink) -> None:
        behaviour = self.behaviour(plan.key)
        if behaviour.spawn_failure is not None:
            sink.spawn_failed(behaviour.spawn_failure, self.time)
            return
        assert plan.key not in self.children, f"{plan.key} has a child already"
        pid = next(self._pids)
        theirs, ours = os.pipe2(os.O_NONBLOCK) if plan.socket_fd is None else (None, None)
        out, err = next(self._pipe_numbers), next(self._pipe_numbers)
        names = {"stdout": out} if plan.redirect_stderr else {"stdout": out, "stderr": err}
        child = self.children[plan.key] = FakeChild(plan, sink, pid, theirs, names)
        pipes = ChildPipes(ours, out, None if plan.redirect_stderr else err)
        sink.spawned(pid, pipes, self.time)
        if behaviour.lifetime is not None:
            status = ExitStatus(code=behaviour.code)
            self.call_at(self.time + behaviour.lifetime, lambda: self._gone(child, status))

    def _gone(self, child: FakeChild, status: ExitStatus) -> None:
        if self.children.get(child.plan.key) is not child:
            return
        del self.children[child.plan.key]
        _close(child.stdin)
        child.sink.exited(status, self.time)


def _close(fd: int | None) -> None:
    if fd is not None:
        os.close(fd)


NO_DESCRIPTORS = SpawnFailure("pipe", errno.EMFILE)


@dataclass
class FakeChannel:
    """One pipe.  `says` is what the child writes; `finish` waits while the drain is frozen."""

    drain: FakeDrain
    fd: int
    sinks: Sequence[Sink]
    decoder: Decoder | None
    deliver: Callable[[Sequence[Piece]], None] | None
    finished: bool = False
    is_over: bool = False
    bytes_seen: int = 0
    bytes_dropped: int = 0
    rotations: int = 0

    def copy(self, done: Callable[[int | None], None]) -> None:
        """There is nothing to copy."""
        self.drain.post(lambda: done(None))

    def open_sinks(self) -> Sequence[Sink]:
        """Its sinks until it is finished."""
        return () if self.finished else self.sinks

    def says(self, data: bytes) -> None:
        """The child writes; sinks and listeners get it at once."""
        self.bytes_seen += len(data)
        pieces = [Text(data)] if self.decoder is None else self.decoder.feed(data)
        for sink in self.sinks:
            for piece in pieces:
                if isinstance(piece, Text):
                    sink.write(piece.data)
        if self.deliver is not None:
            self.deliver(pieces)

    def finish(self, done: Callable[[], None]) -> None:
        """All was read."""
        self.drain.asked += 1

        def over() -> None:
            self.finished = True
            for sink in self.sinks:
                sink.close()
            done()

        self.drain.post(over)


class FakeDrain:
    """The drain thread without a thread.  While `frozen`, as on a dead disk, nothing is
    answered.
    """

    def __init__(self, host: FakeHost) -> None:
        self._host = host
        self._late: list[Callable[[], None]] = []
        self.frozen = False
        # How often the heart asked for anything: each time may be a wake-up of the thread.
        self.asked = 0
        self._by_fd: dict[int, FakeChannel] = {}

    def watch(
        self,
        fd: int,
        sinks: Sequence[Sink],
        decoder: Decoder | None = None,
        deliver: Callable[[Sequence[Piece]], None] | None = None,
    ) -> FakeChannel:
        """Take a pipe over."""
        channel = FakeChannel(self, fd, sinks, decoder, deliver)
        self._by_fd[fd] = channel
        return channel

    def of(self, key: str, channel: str = "stdout") -> FakeChannel:
        """The pipe of the running child of `key`."""
        return self._by_fd[self._host.children[key].pipes[channel]]

    def call(self, function: Callable[[], T], done: Callable[[T | OSError], None]) -> None:
        """Call at once, answer in the next round."""
        self.asked += 1

        def work() -> None:
            try:
                result: T | OSError = function()
            except OSError as error:
                result = error
            done(result)

        self.post(work)

    def post(self, callback: Callable[[], None]) -> None:
        """Call in the next round, or when the drain thaws."""
        if self.frozen:
            self._late.append(callback)
        else:
            self._host.call_soon(callback)

    def thaw(self) -> None:
        """Answer everything."""
        self.frozen = False
        late, self._late = self._late, []
        for callback in late:
            self._host.call_soon(callback)
