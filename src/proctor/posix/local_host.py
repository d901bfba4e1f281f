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
from contextlib import suppress

from proctor.core.exits import ExitStatus
from proctor.core.plan import ChildPipes, SpawnFailure, SpawnPlan
from proctor.keeper.birth import Nursery
from proctor.keeper.children import Child, Children, Reaper
from proctor.keeper.identity import birth, open_process
from proctor.keeper.order import Order
from proctor.keeper.pipes import SpawnError, Streams
from proctor.keeper.spawner import Spawner
from proctor.keeper.trees import Tree, Trees
from proctor.posix.direct import Direct
from proctor.posix.loop_host import ChildSink, HeldChild, Holdings, LoopHost, Marks, order_of


class LocalHost(LoopHost):
    """Implements daemon/host.py's Host.  Call `close` when nothing more is to be heard."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, open_files: tuple[int, int] | None = None
    ) -> None:
        super().__init__(loop)
        # In the child of a fork we only make system calls until the exec (decisions.md, section 2).
        warnings.filterwarnings("ignore", ".*multi-threaded.*fork.*", DeprecationWarning)
        self._nursery = Nursery(Spawner(dict(os.environb), alone=False, open_files=open_files))
        self._children = Children()
        self._trees = Trees(self._children.is_alive, self._tell_left, adopter=None)
        self._tree_sinks: dict[tuple[str, int], ChildSink] = {}
        self._looking: asyncio.TimerHandle | None = None
        self._wanted: deque[tuple[SpawnPlan, ChildSink]] = deque()
        self._sinks: dict[tuple[str, int], ChildSink] = {}
        self._marks: dict[tuple[str, int], Marks] = {}
        self._direct = Direct(loop, self._adopted_ended)
        self._reaper = Reaper()
        loop.add_signal_handler(signal.SIGCHLD, self._reap)

    async def hello(self) -> Holdings:
        """Nothing was there before.  Call it once all signal handlers stand."""
        # When very many children end at once the loop's own buffer for signals is full.  That is
        # no reason to write to stderr: what is in it wakes us, and we reap everybody then.
        signal.set_wakeup_fd(signal.set_wakeup_fd(-1), warn_on_full_buffer=False)
        return Holdings()

    def adopt(self, child: HeldChild) -> None:
        """Mind a process that is nobody's child any more; attach it, too."""
        streams = Streams(None, None, None)
        kept = Child(
            child.key, child.pid, streams, child.started, note=child.note, birth=child.birth
        )
        with suppress(OSError):
            kept.watch = open_process(child.pid, child.birth)
        self._children.born(kept)
        self._marks[child.key, child.pid] = Marks.of(child.birth, child.pipes)
        self._direct.watch(child.pid, child.birth)

    def attach(self, child: HeldChild, sink: ChildSink) -> None:
        """From now on `sink` hears of this adopted process; of its end also if that was before."""
        kept = self._children.find(child.key, child.pid)
        if kept is None or kept.status is None:
            self._sinks[child.key, child.pid] = sink
        else:
            self._loop.call_soon(sink.exited, ExitStatus.from_wait(kept.status), kept.ended)

    def marks_of(self, key: str, pid: int) -> Marks | None:
        """By what this child is known again, None if it has ended."""
        child = self._children.find(key, pid)
        alive = child is not None and child.status is None
        return self._marks.get((key, pid)) if alive else None

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
            pid, streams, tree = self._nursery.spawn(order, plan.socket_fd)
        except SpawnError as error:
            failure = SpawnFailure(error.step, error.errno)
            self._loop.call_soon(sink.spawn_failed, failure, self.now())
            return
        child = Child(plan.key, pid, streams, self.now(), note=plan.note, birth=birth(pid))
        child.tree = tree
        self._children.born(child)
        self._sinks[plan.key, pid] = sink
        assert streams.stdout is not None, "every child has a stdout pipe"
        pipes = ChildPipes(streams.stdin, streams.stdout, streams.stderr)
        self._marks[plan.key, pid] = Marks.of(child.birth, pipes)
        # The pipes are the sink's now; there is nobody to keep them for.
        self._loop.call_soon(sink.spawned, pid, pipes, child.started)

    def signal(self, key: str, pid: int, signum: int, to_group: bool) -> None:
        """Signal the child of this key, if it still has this pid; ESRCH is not reported."""
        number = self._children.signal(key, pid, signum, to_group)
        if number:
            self._loop.call_soon(self._sinks[key, pid].signal_failed, number, self.now())

    def signal_tree(self, key: str, pid: int, signum: int, sink: ChildSink) -> None:
        """Signal this child and all that comes from it; see daemon/host.py."""
        self._tree_sinks[key, pid] = sink
        child = self._children.find(key, pid)
        if child is None:
            self._tell_left(key, pid, [])
            return
        child.tree = child.tree or Tree(pid)
        if signum and child.status is None:
            self.signal(key, pid, signum, False)
        self._trees.ask(key, child.tree, signum)
        self._loop.call_soon(self._look_after_trees)

    def _look_after_trees(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        again = self._trees.work()
        timer = None if again is None else self._loop.call_later(again, self._look_after_trees)
        self._looking = timer

    def _tell_left(self, key: str, pid: int, left: list[str]) -> None:
        sink = self._tree_sinks.get((key, pid))
        if sink is not None:
            self._loop.call_soon(sink.tree_left, left, self.now())

    def control_group(self, key: str, pid: int) -> str | None:
        """The directory of the control group around this child; None when it has none."""
        child = self._children.find(key, pid)
        tree = child.tree if child is not None else None
        return tree.group.path if tree is not None and tree.group is not None else None

    def acknowledge(self, key: str, pid: int) -> None:
        """The end of this child is recorded."""
        child = self._children.acknowledge(key, pid)
        self._marks.pop((key, pid), None)
        if child is not None and child.tree is not None:
            self._tree_sinks.pop((key, pid), None)
            self._trees.forget(key, child.tree)

    def bye(self, code: int) -> None:
        """Nobody is there to be told; the daemon's own exit code counts."""
        self.close()

    def close(self) -> None:
        """Hear of no more ends."""
        self._loop.remove_signal_handler(signal.SIGCHLD)
        if self._looking is not None:
            self._looking.cancel()

    def _adopted_ended(self, pid: int, status: int) -> None:
        child = self._children.ended(pid, status, (), self.now())
        if child is None:
            return
        if child.watch is not None:
            os.close(child.watch)
            child.watch = None
        sink = self._sinks.pop((child.key, pid), None)
        if sink is not None:
            sink.exited(ExitStatus.from_wait(status), child.ended)

    def _reap(self) -> None:
        parted = []
        for pid, status, usage in self._reaper.reap():
            child = self._children.ended(pid, status, usage, self.now())
            end = ExitStatus.from_wait(status, usage)
            if child is not None and child.tree is not None:
                parted.append(child.tree)
            if child is None:
                self.on_unknown_reaped(pid, end)
            else:
                # Later, since `spawned` may still be on its way.
                sink = self._sinks.pop((child.key, pid))
                self._loop.call_soon(sink.exited, end, child.ended)
        self._trees.parted(parted)
        self._look_after_trees()
