"""KeeperHost: the machine through the keeper.

Children are the keeper's; here are only the asking and the hearing.  Requests of one round of the
loop go out together.  Every answer reaches its ChildSink from the loop, never from inside a call.

If the keeper itself is lost the children live on, and so do we: `join` another one, and they are
handed over to it.  Without one they are minded directly, and new children cannot be made.
"""

from __future__ import annotations

import asyncio
import errno
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from proctor.core.exits import ExitStatus
from proctor.core.plan import ChildPipes, SpawnFailure, SpawnPlan
from proctor.keeper.protocol import PROTOCOL, BrokenWireError, Message, Wire, close_all
from proctor.posix.direct import Direct
from proctor.posix.loop_host import ChildSink, HeldChild, Holdings, LoopHost, Marks, order_of
from proctor.posix.tree_watch import TreeWatch

_AT_ONCE = 64
_STALLED = 0.01
_LAST_WORDS = 5.0


class KeeperHost(LoopHost):
    """Implements daemon/host.py's Host.

    Say `hello` once signal handlers stand, before anything else.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        super().__init__(loop)
        self.keeper_pid = os.getppid()
        self.lost = False
        self._wire = Wire(sock)
        self._flushing = False
        self._last_id = 0
        self._asked: dict[int, tuple[SpawnPlan, ChildSink]] = {}
        self._alive: dict[int, _Living] = {}
        self._marks: dict[tuple[str, int], Marks] = {}
        self._direct = Direct(loop, self._seen_ended)
        self._unclaimed: dict[tuple[str, int], tuple[ExitStatus, float]] = {}
        self._unwanted: set[int] = set()
        self._renewals: list[asyncio.Future[str]] = []
        self._held: list[HeldChild] = []
        self._descriptors: dict[str, int] = {}
        self._trees = TreeWatch(loop, lambda key, pid: self._alive.get(pid, ("",))[0] == key)
        self._welcomed: asyncio.Future[Holdings] = loop.create_future()
        self._handlers: dict[str, Callable[..., None]] = {
            "held": self._heard_held,
            "descriptor": self._heard_descriptor,
            "welcome": self._heard_welcome,
            "spawned": self._heard_spawned,
            "spawn_failed": self._heard_spawn_failed,
            "exited": self._heard_exited,
            "signal_failed": self._heard_signal_failed,
            "reaped_unknown": self._heard_reaped_unknown,
            "complaint": self._heard_complaint,
            "tree": self._heard_tree,
            "reexeced": lambda message, **_: self._heard_renewal(""),
            "reexec_refused": lambda message, *, reason, **_: self._heard_renewal(reason),
        }
        loop.add_reader(sock, self._listen)

    async def hello(self) -> Holdings:
        """Ask what the keeper holds.  Every child in it has to be attached or acknowledged.

        Raises ConnectionError when there is no keeper.
        """
        self._send("hello", {"protocol": PROTOCOL})
        return await self._welcomed

    def attach(self, child: HeldChild, sink: ChildSink) -> None:
        """From now on `sink` hears of this child; of its end also if that was before."""
        end = self._unclaimed.pop((child.key, child.pid), None)
        if child.status is not None:
            end = (child.status, child.ended)
        if end is not None:
            self._loop.call_soon(sink.exited, *end)
        else:
            self._alive[child.pid] = _Living(child.key, sink, child.note, child.started)

    def adopt(self, child: HeldChild) -> None:
        """Let the keeper mind a process that is nobody's child any more; attach it, too."""
        fields = {"note": child.note, "started": child.started, "birth": child.birth, "tree": []}
        self._send("adopt", {"key": child.key, "pid": child.pid, **fields})
        fds = (child.pipes.stdin, child.pipes.stdout, child.pipes.stderr)
        self._marks[child.key, child.pid] = Marks.of(child.birth, child.pipes)
        copies = (None if fd is None else os.dup(fd) for fd in fds)
        self.hand_over_pipes(child.key, child.pid, ChildPipes(*copies))

    def marks_of(self, key: str, pid: int) -> Marks | None:
        """By what this child is known again, None if it has ended."""
        return self._marks.get((key, pid))

    def spawn(self, plan: SpawnPlan, sink: ChildSink) -> None:
        """Start a child; the sink hears `spawned` or `spawn_failed` later, then `exited` once."""
        try:
            fds = [] if plan.socket_fd is None else [os.dup(plan.socket_fd)]
        except OSError as error:
            self._fail_soon(sink, "pipe", error.errno or errno.EMFILE)
            return
        self._last_id += 1
        self._asked[self._last_id] = (plan, sink)
        if not self._send("spawn", {"id": self._last_id, "order": order_of(plan)}, fds):
            del self._asked[self._last_id]
            self._fail_soon(sink, "keeper", errno.EPIPE)

    def signal(self, key: str, pid: int, signum: int, to_group: bool) -> None:
        """Signal the child of this key, if it still has this pid; ESRCH is not reported."""
        fields = {"key": key, "pid": pid, "signum": signum, "to_group": to_group}
        if not self._send("signal", fields) and pid in self._alive:
            self._signal_directly(pid, signum, to_group)

    def signal_tree(self, key: str, pid: int, signum: int, sink: ChildSink) -> None:
        """Signal this child and all that comes from it; see daemon/host.py."""
        self._trees.asks(key, pid, sink)
        if not self._send("signal_tree", {"key": key, "pid": pid, "signum": signum}):
            if signum and pid in self._alive:
                self._signal_directly(pid, signum, False)
            self._trees.directly(key, pid, signum)

    def control_group(self, key: str, pid: int) -> str | None:
        """The directory of the control group around this child; None when it has none.

        It stays until `acknowledge`, so what the kernel counted in it can be read after the end.
        """
        return self._trees.control_group(key, pid)

    def acknowledge(self, key: str, pid: int) -> None:
        """The end of this child is recorded: the keeper may forget it and close its descriptors."""
        self._trees.forget(key, pid, self.lost)
        self._send("acknowledge", {"key": key, "pid": pid})

    def hold(self, name: str, fd: int) -> None:
        """Let the keeper keep a copy of this descriptor under this name, for the next daemon."""
        self._send("hold", {"name": name}, [os.dup(fd)])

    def release(self, name: str) -> None:
        """The keeper closes what it holds under this name."""
        self._send("release", {"name": name})

    def reexec_keeper(self, command: list[str]) -> asyncio.Future[str]:
        """Let the keeper become this program (keeper_launch.keeper_program), its children staying
        its children; the answer is "" when it has, else why not.
        """
        answer: asyncio.Future[str] = self._loop.create_future()
        self._renewals.append(answer)
        if not self._send("reexec", {"command": command}):
            self._heard_renewal("there is no keeper")
        return answer

    def bye(self, code: int) -> None:
        """The last word: when this process has ended, the keeper ends with this code.

        Waits up to 5 seconds for the keeper to hear it.
        """
        self._send("bye", {"code": code})
        self.leave()
        self._wire.close()

    def healthy(self) -> None:
        """We do everything that a daemon does: whoever stands aside for us may go."""
        self._send("healthy", {})

    def stand_aside(self, note: str, seconds: float) -> socket.socket:
        """The last word to this keeper for now: another daemon begins, and gets `note`.

        It has so many `seconds` to be healthy.  What becomes of it is heard on the socket that is
        returned, see posix/aside.py.  Waits up to 5 seconds for the keeper to hear it.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            fields = {"note": note, "seconds": seconds}
            self._send("succeed", fields, [os.dup(theirs.fileno())])
        self._loop.remove_reader(self._wire.sock)
        self._loop.remove_writer(self._wire.sock)
        until = time.monotonic() + _LAST_WORDS
        while not self._wire.flush() and time.monotonic() < until:
            self._wait_for_wire()
        self.lost = True
        self._wire.close()
        return ours

    def leave(self) -> socket.socket | None:
        """Stop talking, with nothing half said or half heard: the next program in here goes on.

        Returns the socket for keeper_launch.leave_to_next, None when there is no keeper any more.
        Waits up to 5 seconds.
        """
        self._trees.close()
        if self.lost:
            return None
        self._loop.remove_reader(self._wire.sock)
        self._loop.remove_writer(self._wire.sock)
        until = time.monotonic() + _LAST_WORDS
        try:
            while time.monotonic() < until:
                if self._wire.flush() and not self._wire.in_the_middle:
                    break
                self._wait_for_wire()
                for message in self._wire.receive():
                    message.close()
        except (OSError, BrokenWireError) as error:
            self.on_complaint(f"cannot take leave of the keeper: {error}")
        self.lost = True
        return self._wire.sock

    def _send(self, kind: str, fields: Mapping[str, object], fds: Sequence[int] = ()) -> bool:
        """Send soon, and close the descriptors then.  False when there is no keeper."""
        if self.lost:
            close_all(fds)
            return False
        self._wire.queue(kind, fields, fds)
        self._wire.close_after(fds)
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)
        return True

    def _flush(self) -> None:
        self._flushing = False
        if self.lost:
            return
        self._loop.remove_writer(self._wire.sock)
        if self._wire.flush():
            return
        self._flushing = True
        if self._wire.stalled:
            self._loop.call_later(_STALLED, self._flush)
        else:
            self._loop.add_writer(self._wire.sock, self._flush)

    def _wait_for_wire(self) -> None:
        poll = select.poll()
        wanted = select.POLLIN | (select.POLLOUT if self._wire.backlog else 0)
        poll.register(self._wire.sock, wanted)
        poll.poll(100)

    def _listen(self) -> None:
        try:
            messages = self._wire.receive(_AT_ONCE)
        except (OSError, BrokenWireError) as error:
            self._lose_keeper(error)
            return
        for message in messages:
            try:
                self._handlers.get(message.kind, self._heard_nonsense)(message, **message.fields)
            except Exception as error:
                # What one child's owner does wrong must not keep the others from hearing theirs.
                context = {"message": f"hearing {message.kind!r}", "exception": error}
                self._loop.call_exception_handler(context)
            finally:
                message.close()

    def _heard_held(
        self,
        message: Message,
        *,
        key: str,
        pid: int,
        note: str,
        started: float,
        status: int | None,
        ended: float,
        streams: str,
        signalled: Sequence[tuple[int, float]] = (),
        usage: Sequence[float] = (),
        tree: Sequence[str] = (),
        birth: int = 0,
        foreign: bool = False,
        **_more: object,
    ) -> None:
        if message.cut:
            raise OSError(errno.EMFILE, f"no descriptors left to take over {key!r} (pid {pid})")
        end = None if status is None else ExitStatus.from_wait(status, usage)
        pipes = _pipes(streams, message.take())
        self._trees.born(key, pid, tree)
        if status is None:
            self._marks[key, pid] = Marks.of(birth, pipes)
        is_tree = bool(tree)
        self._held.append(
            HeldChild(
                key, pid, note, pipes, started, end, ended, dict(signalled), is_tree, birth, foreign
            )
        )

    def _heard_descriptor(self, message: Message, *, name: str, **_more: object) -> None:
        for fd in message.take():
            self._descriptors[name] = fd

    def _heard_welcome(
        self,
        message: Message,
        *,
        protocol: int,
        pid: int,
        restarts: int,
        last_status: int | None,
        predecessor: str | None = None,
        **_more: object,
    ) -> None:
        self.keeper_pid = pid
        last_end = None if last_status is None else ExitStatus.from_wait(last_status)
        holdings = Holdings(tuple(self._held), self._descriptors, restarts, last_end, predecessor)
        self._held, self._descriptors = [], {}
        if not self._welcomed.done():
            self._welcomed.set_result(holdings)

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
        pipes = _pipes(streams, message.take())
        self._marks[key, pid] = Marks.of(birth, pipes)
        self._alive[pid] = _Living(key, sink, plan.note, at)
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
        self._marks.pop((key, pid), None)
        if pid in self._unwanted:
            self._unwanted.discard(pid)
            self.acknowledge(key, pid)
        elif self._alive.get(pid, ("",))[0] == key:
            self._alive.pop(pid).sink.exited(end, at)
        elif self._welcomed.done():
            self._unclaimed[key, pid] = (end, at)

    def _heard_signal_failed(
        self, message: Message, *, key: str, pid: int, errno: int, at: float, **_more: object
    ) -> None:
        if self._alive.get(pid, ("",))[0] == key:
            self._alive[pid].sink.signal_failed(errno, at)

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
        self._loop.remove_reader(self._wire.sock)
        self._loop.remove_writer(self._wire.sock)
        self._wire.close()
        self.lost = True
        had_begun = self._welcomed.done()
        if not had_begun:
            self._welcomed.set_exception(ConnectionError(f"there is no keeper: {error}"))
        self._heard_renewal("the keeper is gone")
        asked, self._asked = self._asked, {}
        for _, sink in asked.values():
            sink.spawn_failed(SpawnFailure("keeper", errno.EPIPE), self.now())
        if had_begun:
            self.on_keeper_lost()
        if self.lost:
            for pid, living in self._alive.items():
                self._direct.watch(pid, self._marks[living.key, pid].birth)

    def join(self, sock: socket.socket, pid: int) -> None:
        """Go on under another keeper, which holds nothing yet: it gets all children that live.

        What was held by name is to be held again; see also `hand_over_pipes`.
        """
        self._direct.forget()
        self._wire, self.keeper_pid, self.lost = Wire(sock), pid, False
        self._flushing = False
        self._loop.add_reader(sock, self._listen)
        self._send("hello", {"protocol": PROTOCOL})
        for child, living in self._alive.items():
            fields = {
                "key": living.key,
                "pid": child,
                "note": living.note,
                "started": living.started,
                "birth": self._marks[living.key, child].birth,
                "tree": self._trees.words(living.key, child),
            }
            self._send("adopt", fields)

    def hand_over_pipes(self, key: str, pid: int, pipes: ChildPipes) -> None:
        """Our ends of the pipes of a child that was handed over; they are closed here."""
        named = (("i", pipes.stdin), ("o", pipes.stdout), ("e", pipes.stderr))
        there = [(letter, fd) for letter, fd in named if fd is not None]
        fields = {"key": key, "pid": pid, "streams": "".join(letter for letter, _ in there)}
        self._send("pipes", fields, [fd for _, fd in there])

    def _seen_ended(self, pid: int, status: int) -> None:
        living = self._alive.pop(pid, None)
        if living is not None:
            self._marks.pop((living.key, pid), None)
            living.sink.exited(ExitStatus.from_wait(status), self.now())

    def _signal_directly(self, pid: int, signum: int, to_group: bool) -> None:
        number = self._direct.signal(pid, signum, to_group)
        if number:
            self._loop.call_soon(self._alive[pid].sink.signal_failed, number, self.now())

    def _fail_soon(self, sink: ChildSink, step: str, number: int) -> None:
        self._loop.call_soon(sink.spawn_failed, SpawnFailure(step, number), self.now())


class _Living(NamedTuple):
    """A child that has not ended, and all that another keeper has to know of it."""

    key: str
    sink: ChildSink
    note: str
    started: float


def _pipes(streams: str, fds: Sequence[int]) -> ChildPipes:
    named = dict(zip(streams, fds, strict=True))
    return ChildPipes(named.get("i"), named.get("o"), named.get("e"))
