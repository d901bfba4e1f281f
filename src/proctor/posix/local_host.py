"""LocalHost: the machine without a keeper (`keeper=false`, and systems where it cannot be).

The same spawner and the same rules in the daemon's own process.  What is lost: when this process
dies, nobody knows its children any more.  It waits for every child of the process, so nothing else
in it may use the subprocess module.
"""

from __future__ import annotations

import asyncio
import os
import signal
import warnings
from collections import deque

from proctor.core.exits import ExitStatus
from proctor.core.plan import ChildPipes, SpawnFailure, SpawnPlan
from proctor.keeper.children import Child, Children, reap
from proctor.keeper.order import Order
from proctor.keeper.pipes import SpawnError
from proctor.keeper.spawner import Spawner
from proctor.posix.loop_host import ChildSink, HeldChild, Holdings, LoopHost, order_of


class LocalHost(LoopHost):
    """Implements daemon/host.py's Host.  Call `close` when nothing more is to be heard."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, open_files: tuple[int, int] | None = None
    ) -> None:
        super().__init__(loop)
        # In the child of a fork we only make system calls until the exec (decisions.md, section 2).
        warnings.filterwarnings("ignore", ".*multi-threaded.*fork.*", DeprecationWarning)
        self._spawner = Spawner(dict(os.environb), alone=False, open_files=open_files)
        self._children = Children()
        self._wanted: deque[tuple[SpawnPlan, ChildSink]] = deque()
        self._sinks: dict[tuple[str, int], ChildSink] = {}
        loop.add_signal_handler(signal.SIGCHLD, self._reap)

    async def hello(self) -> Holdings:
        """Nothing was there before.  Call it once all signal handlers stand."""
        # When very many children end at once the loop's own buffer for signals is full.  That is
        # no reason to write to stderr: what is in it wakes us, and we reap everybody then.
        signal.set_wakeup_fd(signal.set_wakeup_fd(-1), warn_on_full_buffer=False)
        return Holdings()

    def attach(self, child: HeldChild, sink: ChildSink) -> None:
        """There is never anybody to attach."""
        raise ValueError(f"{child.key} is not held here")

    def spawn(self, plan: SpawnPlan, sink: ChildSink) -> None:
        """Start a child; the sink hears `spawned` or `spawn_failed` later, then `exited` once."""
        self._wanted.append((plan, sink))
        if len(self._wanted) == 1:
            self._loop.call_soon(self._spawn_next)

    def _spawn_next(self) -> None:
        """One each round: the loop has other things to do too."""
        plan, sink = self._wanted.popleft()
        if self._wanted:
            self._loop.call_soon(self._spawn_next)
        self._spawn(plan, sink)

    def _spawn(self, plan: SpawnPlan, sink: ChildSink) -> None:
        order = Order(**order_of(plan))  # type: ignore[arg-type]  # as the keeper does
        try:
            pid, streams = self._spawner.spawn(order, plan.socket_fd)
        except SpawnError as error:
            failure = SpawnFailure(error.step, error.errno)
            self._loop.call_soon(sink.spawn_failed, failure, self.now())
            return
        child = Child(order, pid, streams, self.now())
        self._children.born(child)
        self._sinks[plan.key, pid] = sink
        assert streams.stdout is not None, "every child has a stdout pipe"
        pipes = ChildPipes(streams.stdin, streams.stdout, streams.stderr)
        # The pipes are the sink's now; there is nobody to keep them for.
        self._loop.call_soon(sink.spawned, pid, pipes, child.started)

    def signal(self, key: str, pid: int, signum: int, to_group: bool) -> None:
        """Signal the child of this key, if it still has this pid; ESRCH is not reported."""
        number = self._children.signal(key, pid, signum, to_group)
        if number:
            self._loop.call_soon(self._sinks[key, pid].signal_failed, number, self.now())

    def acknowledge(self, key: str, pid: int) -> None:
        """The end of this child is recorded."""
        self._children.acknowledge(key, pid)

    def bye(self, code: int) -> None:
        """Nobody is there to be told; the daemon's own exit code counts."""
        self.close()

    def close(self) -> None:
        """Hear of no more ends."""
        self._loop.remove_signal_handler(signal.SIGCHLD)

    def _reap(self) -> None:
        for pid, status, usage in reap():
            child = self._children.ended(pid, status, usage, self.now())
            end = ExitStatus.from_wait(status, usage)
            if child is None:
                self.on_unknown_reaped(pid, end)
            else:
                # Later, since `spawned` may still be on its way.
                sink = self._sinks.pop((child.key, pid))
                self._loop.call_soon(sink.exited, end, child.ended)
