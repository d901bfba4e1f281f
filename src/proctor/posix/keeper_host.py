"""KeeperHost: the machine through the keeper.

Children are the keeper's; here are only the asking and the hearing, on a line of its own
(keeper_line.py).  Every answer reaches its ChildSink from the loop, never from inside a call.

If the keeper itself is lost the children live on, and so do we: `join` another one, and they are
handed over to it.  Without one they are minded directly (living.py), and new children cannot be
made.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable, Sequence

from proctor.core.exits import ExitStatus
from proctor.core.plan import ChildPipes, SpawnFailure, SpawnPlan
from proctor.keeper.protocol import PROTOCOL, Message
from proctor.posix.keeper_line import KeeperGone, KeeperLine
from proctor.posix.keeper_welcome import Welcome, pipes_of
from proctor.posix.living import Living
from proctor.posix.loop_host import ChildSink, HeldChild, Holdings, LoopHost, Marks, order_of
from proctor.posix.tree_watch import TreeWatch


class KeeperHost(LoopHost):
    """Implements daemon/host.py's Host.

    Say `hello` once signal handlers stand, before anything else.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        super().__init__(loop)
        self.keeper_pid = os.getppid()
        # Whether the keeper that we are under, or that we lost, has answered our hello.
        self.welcomed = False
        # Whether it tells who stands aside when there is a successor (posix/aside.py).
        self.says_begun = False
        self._last_id = 0
        self._asked: dict[int, tuple[SpawnPlan, ChildSink]] = {}
        self._unclaimed: dict[tuple[str, int], tuple[ExitStatus, float]] = {}
        self._unwanted: set[int] = set()
        self._renewals: list[asyncio.Future[str]] = []
        self._trees = TreeWatch(loop, self._is_alive)
        self._living = Living(loop, self._trees.words)
        self._welcome = Welcome(loop, self._met)
        handlers: dict[str, Callable[..., None]] = {
            "held": self._welcome.heard_held,
            "descriptor": self._welcome.heard_descriptor,
            "welcome": self._heard_welcome,
            "spawned": self._heard_spawned,
            "spawn_failed": self._heard_spawn_failed,
            "exited": self._heard_exited,
            "signal_failed": self._heard_signal_failed,
            "reaped_unknown": self._heard_reaped_unknown,
            "complaint": self._heard_complaint,
            "tree": self._heard_tree,
            "reexeced": self._heard_reexeced,
            "reexec_refused": lambda message, *, reason, **_: self._heard_renewal(reason),
        }
        self._line = KeeperLine(loop, handlers, self._heard_nonsense, self._lose_keeper)
        self._line.connect(sock)

    @property
    def lost(self) -> bool:
        """There is no keeper, or we took leave of it."""
        return self._line.lost

    async def hello(self) -> Holdings:
        """Ask what the keeper holds.  Every child in it has to be attached or acknowledged.

        Raises KeeperGone when there is no keeper.
        """
        self._line.send("hello", {"protocol": PROTOCOL})
        return await self._welcome.answer

    def attach(self, child: HeldChild, sink: ChildSink) -> None:
        """From now on `sink` hears of this child; of its end also if that was before."""
        end = self._unclaimed.pop((child.key, child.pid), None)
        if child.status is not None:
            end = (child.status, child.ended)
        if end is not None:
            self._loop.call_soon(sink.exited, *end)
        else:
            self._living.add(child.key, child.pid, sink, child.note, child.started)

    def adopt(self, child: HeldChild) -> None:
        """Let the keeper mind a process that is nobody's child any more; attach it, too."""
        fields = {"note": child.note, "started": child.started, "birth": child.birth, "tree": []}
        self._line.send("adopt", {"key": child.key, "pid": child.pid, **fields})
        fds = (child.pipes.stdin, child.pipes.stdout, child.pipes.stderr)
        self._living.mark(child.key, child.pid, child.birth, child.pipes)
        copies = (None if fd is None else os.dup(fd) for fd in fds)
        self.hand_over_pipes(child.key, child.pid, ChildPipes(*copies))

    def marks_of(self, key: str, pid: int) -> Marks | None:
        """By what this child is known again, None if it has ended."""
        return self._living.marks_of(key, pid)

    def spawn(self, plan: SpawnPlan, sink: ChildSink) -> None:
        """Start a child; the sink hears `spawned` or `spawn_failed` later, then `exited` once."""
        try:
            fds = [] if plan.socket_fd is None else [os.dup(plan.socket_fd)]
        except OSError as error:
            self._fail_soon(sink, "pipe", error.errno or errno.EMFILE)
            return
        self._last_id += 1
        self._asked[self._last_id] = (plan, sink)
        if not self._line.send("spawn", {"id": self._last_id, "order": order_of(plan)}, fds):
            del self._asked[self._last_id]
            self._fail_soon(sink, "keeper", errno.EPIPE)

    def signal(self, key: str, pid: int, signum: int, to_group: bool) -> None:
        """Signal the child of this key, if it still has this pid; ESRCH is not reported."""
        fields = {"key": key, "pid": pid, "signum": signum, "to_group": to_group}
        if not self._line.send("signal", fields):
            self._living.signal(pid, signum, to_group)

    def signal_tree(self, key: str, pid: int, signum: int, sink: ChildSink) -> None:
        """Signal this child and all that comes from it; see daemon/host.py."""
        self._trees.asks(key, pid, sink)
        if not self._line.send("signal_tree", {"key": key, "pid": pid, "signum": signum}):
            if signum:
                self._living.signal(pid, signum, False)
            self._trees.directly(key, pid, signum)

    def control_group(self, key: str, pid: int) -> str | None:
        """The directory of the control group around this child; None when it has none.

        It stays until `acknowledge`, so what the kernel counted in it can be read after the end.
        """
        return self._trees.control_group(key, pid)

    def acknowledge(self, key: str, pid: int) -> None:
        """The end of this child is recorded: the keeper may forget it and close its descriptors."""
        self._trees.forget(key, pid, self.lost)
        self._line.send("acknowledge", {"key": key, "pid": pid})

    def hold(self, name: str, fd: int) -> None:
        """Let the keeper keep a copy of this descriptor under this name, for the next daemon."""
        self._line.send("hold", {"name": name}, [os.dup(fd)])

    def release(self, name: str) -> None:
        """The keeper closes what it holds under this name."""
        self._line.send("release", {"name": name})

    def reexec_keeper(self, command: list[str]) -> asyncio.Future[str]:
        """Let the keeper become this program (keeper_launch.keeper_program), its children staying
        its children; the answer is "" when it has, else why not.
        """
        answer: asyncio.Future[str] = self._loop.create_future()
        self._renewals.append(answer)
        if not self._line.send("reexec", {"command": command}):
            self._heard_renewal("there is no keeper")
        return answer

    def bye(self, code: int) -> None:
        """The last word: when this process has ended, the keeper ends with this code.

        Waits up to 5 seconds for the keeper to hear it.
        """
        self._line.send("bye", {"code": code})
        self.leave()
        self._line.close()

    def healthy(self) -> None:
        """We do everything that a daemon does: whoever stands aside for us may go."""
        self._line.send("healthy", {})

    def stand_aside(self, note: str, seconds: float) -> socket.socket:
        """The last word to this keeper for now: another daemon begins, and gets `note`.

        It has so many `seconds` to be healthy.  What becomes of it is heard on the socket that is
        returned, see posix/aside.py.  Waits up to 5 seconds for the keeper to hear it.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            fields = {"note": note, "seconds": seconds}
            self._line.send("succeed", fields, [os.dup(theirs.fileno())])
        self._line.finish()
        return ours

    def leave(self) -> socket.socket | None:
        """Stop talking, with nothing half said or half heard: the next program in here goes on.

        Returns the socket for keeper_launch.leave_to_next, None when there is no keeper any more.
        Waits up to 5 seconds.
        """
        self._trees.close()
        return None if self.lost else self._line.leave(self.on_complaint)

    def join(self, sock: socket.socket, pid: int) -> None:
        """Go on under another keeper, which holds nothing yet: it gets all children that live.

        What was held by name is to be held again; see also `hand_over_pipes`.
        """
        children = list(self._living.handed_over())
        self.keeper_pid, self.welcomed = pid, False
        self._line.connect(sock)
        self._line.send("hello", {"protocol": PROTOCOL})
        for fields in children:
            self._line.send("adopt", fields)

    def hand_over_pipes(self, key: str, pid: int, pipes: ChildPipes) -> None:
        """Our ends of the pipes of a child that was handed over; they are closed here."""
        named = (("i", pipes.stdin), ("o", pipes.stdout), ("e", pipes.stderr))
        there = [(letter, fd) for letter, fd in named if fd is not None]
        fields = {"key": key, "pid": pid, "streams": "".join(letter for letter, _ in there)}
        self._line.send("pipes", fields, [fd for _, fd in there])

    def _met(self, child: HeldChild, tree: Sequence[str]) -> None:
        self._trees.born(child.key, child.pid, tree)
        if child.status is None:
            self._living.mark(child.key, child.pid, child.birth, child.pipes)

    def _heard_welcome(
        self,
        message: Message,
        *,
        protocol: int,
        pid: int,
        restarts: int,
        last_status: int | None,
        predecessor: str | None = None,
        says_begun: bool = False,
        **_more: object,
    ) -> None:
        self.keeper_pid, self.says_begun, self.welcomed = pid, says_begun, True
        self._welcome.heard_all(restarts, last_status, predecessor)

    def _heard_spawned(
        self,
        message: Message,
        *,
        id: int,
        pid: int,
        at: float,
        streams: str,
        birth: int = 0,
        tree: Sequence[str] = (),
        **_more: object,
    ) -> None:
        if id not in self._asked:
            return  # the answer to whoever was in this process before us; `held` tells us the same
        plan, sink = self._asked.pop(id)
        key = plan.key
        if message.cut:
            # It runs, but we have no descriptors left for its pipes: nobody could look after it.
            self._unwanted.add(pid)
            self.signal(key, pid, signal.SIGKILL, to_group=True)
            sink.spawn_failed(SpawnFailure("pipe", errno.EMFILE), at)
            return
        pipes = pipes_of(streams, message.take())
        self._living.mark(key, pid, birth, pipes)
        self._living.add(key, pid, sink, plan.note, at)
        self._trees.born(key, pid, tree)
        sink.spawned(pid, pipes, at)

    def _heard_spawn_failed(
        self, message: Message, *, id: int, step: str, errno: int, at: float, **_more: object
    ) -> None:
        if id in self._asked:
            _, sink = self._asked.pop(id)
            sink.spawn_failed(SpawnFailure(step, errno), at)

    def _heard_exited(
        self,
        message: Message,
        *,
        key: str,
        pid: int,
        status: int,
        at: float,
        usage: Sequence[float] = (),
        **_more: object,
    ) -> None:
        end = ExitStatus.from_wait(status, usage)
        sink = self._living.ended(key, pid)
        if pid in self._unwanted:
            self._unwanted.discard(pid)
            self.acknowledge(key, pid)
        elif sink is not None:
            sink.exited(end, at)
        elif self._welcome.answer.done():
            self._unclaimed[key, pid] = (end, at)

    def _heard_signal_failed(
        self, message: Message, *, key: str, pid: int, errno: int, at: float, **_more: object
    ) -> None:
        sink = self._living.sink_of(key, pid)
        if sink is not None:
            sink.signal_failed(errno, at)

    def _heard_tree(
        self,
        message: Message,
        *,
        key: str,
        pid: int,
        left: Sequence[str],
        at: float,
        **_more: object,
    ) -> None:
        self._trees.heard(key, pid, left, at)

    def _heard_reaped_unknown(
        self, message: Message, *, pid: int, status: int, **_more: object
    ) -> None:
        self.on_unknown_reaped(pid, ExitStatus.from_wait(status))

    def _heard_reexeced(
        self, message: Message, *, says_begun: bool = False, **_more: object
    ) -> None:
        self.says_begun = says_begun
        self._heard_renewal("")

    def _heard_renewal(self, reason: str) -> None:
        while self._renewals:
            answer = self._renewals.pop()
            if not answer.done():
                answer.set_result(reason)

    def _heard_complaint(self, message: Message, *, text: str, **_more: object) -> None:
        self.on_complaint(f"keeper: {text}")

    def _heard_nonsense(self, message: Message, **_fields: object) -> None:
        self.on_complaint(f"the keeper said {message.kind!r}, which is unknown here")

    def _lose_keeper(self, error: Exception) -> None:
        had_begun = self._welcome.answer.done()
        if not had_begun:
            self._welcome.answer.set_exception(KeeperGone(f"there is no keeper: {error}"))
        self._heard_renewal("the keeper is gone")
        asked, self._asked = self._asked, {}
        for _, sink in asked.values():
            sink.spawn_failed(SpawnFailure("keeper", errno.EPIPE), self.now())
        if had_begun:
            self.on_keeper_lost()
        if self.lost:
            self._living.mind()

    def _is_alive(self, key: str, pid: int) -> bool:
        return self._living.has(key, pid)

    def _fail_soon(self, sink: ChildSink, step: str, number: int) -> None:
        self._loop.call_soon(sink.spawn_failed, SpawnFailure(step, number), self.now())
