"""The keeper's one loop: hears signals, deaths and the daemon; spawns, holds, remembers.

Rules:
1. It never waits for the daemon.  Exits need one short message for each child and are kept in the
   table besides.  Everything about the daemon is guard.py.
2. It sleeps in poll(2) without a time-out unless something is pending (a restart, a deadline).
3. A bad message costs a complaint, never the keeper.
4. It can become another program, its own new version, without anybody noticing (renewal.py).
5. A daemon that lost its keeper starts another one beside itself: then daemon and programs are not
   our children, and pidfds tell of their ends (watching.py).
"""

from __future__ import annotations

import os
import select
import time

from proctor.keeper import foreign
from proctor.keeper.children import Child, Reaper
from proctor.keeper.daemon import Daemon
from proctor.keeper.desk import Desk
from proctor.keeper.ear import PASSED_ON, hear_signals, say
from proctor.keeper.guard import FULL, Guard
from proctor.keeper.protocol import PROTOCOL, Message
from proctor.keeper.renewal import Renewal
from proctor.keeper.spawner import Spawner
from proctor.keeper.state import END_DAEMON, KILL_EVERYBODY, START_DAEMON, State, of_child
from proctor.keeper.thin import signals
from proctor.keeper.watching import Watching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_FOR_PROGRAMS_TO_STOP = 10.0


class Keeper:
    """See the head of this file.  `command` starts the daemon again.

    Call `meet` or `resume`, then `run`.
    """

    def __init__(self, command: list[str], spawner: Spawner) -> None:
        self._spawner = spawner
        self._timers: dict[Callable[[], None], float] = {}
        self._poll = select.poll()
        self._guard = self._make_guard(command)
        self._watching = Watching(self._poll, self._timers, self._child_ended)
        self._desk = Desk(
            spawner,
            tell=self._guard.tell,
            speak=self._guard.talk,
            let_go=self._guard.let_go,
            watch=self._watching.begin,
            lost=self._child_is_lost,
        )
        self._children = self._desk.children
        self._renewal = Renewal(spawner, self._timers, self.state, self._hear, self._refuse_renewal)
        self._requests: dict[str, Callable[..., None]] = {
            **self._desk.requests,
            **self._guard.succession.requests,
            "hello": self._hello,
            "bye": self._bye,
            "reexec": self._reexec,
        }
        self._reaper = Reaper()
        self._code: int | None = None
        self._ear = hear_signals()
        self._poll.register(self._ear, select.POLLIN)

    def _make_guard(self, command: list[str]) -> Guard:
        return Guard(
            command,
            self._spawner,
            self._poll,
            self._timers,
            handle=self._handle,
            alone=self._end_alone,
            leave=self._leave,
            idle=lambda: not self._children.alive,
        )

    def meet(self, daemon: Daemon, first: bool) -> None:
        """This is the daemon.  `first`: it was not there before us."""
        self._guard.first = first
        self._guard.meet(daemon)

    def state(self) -> State:
        """All that is to be known to go on.  Raises ValueError when it is not the time for that."""
        guard = self._guard
        if guard.succession.is_under_way:
            raise ValueError("a daemon stands aside for another one")
        limit = self._spawner.open_files
        named = self._named_timers()
        return State(
            command=guard.command,
            open_files=None if limit is None else list(limit),
            restarts=guard.restarts,
            patience=guard.patience.next,
            last_status=guard.last_status,
            undelivered=guard.undelivered,
            stop_signal=guard.stop_signal,
            goodbye=guard.goodbye,
            first=guard.first,
            alone=guard.alone,
            timers={name: self._timers[due] for name, due in named if due in self._timers},
            descriptors=self._desk.descriptors,
            children=[of_child(child) for child in self._children],
            watched=self._desk.trees.watched,
            daemon=None if guard.daemon is None else guard.daemon.as_dict(),
        )

    def resume(self, state: State) -> None:
        """Go on where the program that was here before us left."""
        guard = self._guard
        guard.restarts, guard.first, guard.alone = state.restarts, state.first, state.alone
        guard.patience.next = state.patience
        guard.last_status, guard.undelivered = state.last_status, state.undelivered
        guard.stop_signal, guard.goodbye = state.stop_signal, state.goodbye
        named = dict(self._named_timers())
        self._timers |= {named[name]: when for name, when in state.timers.items()}
        self._desk.descriptors.update(state.descriptors)
        for child in state.kept():
            self._children.put_back(child)
            self._watching.begin(child)
            if child.tree is not None and [child.key, child.pid] in state.watched:
                self._desk.trees.ask(child.key, child.tree, 0)
        if state.daemon is not None:
            guard.meet(Daemon.from_dict(state.daemon, state.wire()))
            guard.tell("reexeced", pid=os.getpid(), says_begun=True)

    def _named_timers(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        """Those that the next program goes on with, by the names in state.py."""
        return (
            (START_DAEMON, self._guard.start),
            (END_DAEMON, self._guard.kill),
            (KILL_EVERYBODY, self._kill_everybody),
        )

    def run(self) -> int:
        """Until the daemon says bye.  Returns the code to exit with."""
        self._reap()  # whoever ended before the handlers stood
        while self._code is None:
            try:
                self._round()
            except Exception as error:
                # Nothing of the kind is known.  But whatever it is, it must not cost the programs
                # their parent.
                say(f"unexpected: {error!r}")
                time.sleep(0.1)
        return self._code

    def _round(self) -> None:
        guard = self._guard
        guard.talk()
        daemon = guard.daemon
        for fd, _ in self._poll.poll(self._until_next_timer()):
            if fd == self._ear:
                self._hear()
            elif fd == guard.aside[1]:
                guard.aside_ended()
            elif daemon is None or daemon is not guard.daemon:
                self._watching.heard(fd)
            elif fd == daemon.watch:
                status = foreign.end_of(fd)
                guard.ended(daemon, foreign.UNKNOWN if status is None else status)
            elif fd == daemon.wire.sock.fileno():
                guard.listen(daemon)
            else:
                self._watching.heard(fd)
        self._look_after_trees()
        self._ring()

    def _until_next_timer(self) -> int | None:
        """Milliseconds until the next timer; None: as long as it takes."""
        if not self._timers:
            return None
        return max(0, int((min(self._timers.values()) - time.monotonic()) * 1000) + 1)

    def _ring(self) -> None:
        now = time.monotonic()
        for callback in [due for due, when in self._timers.items() if when <= now]:
            self._timers.pop(callback, None)
            callback()

    def _hear(self) -> None:
        try:
            heard = set(os.read(self._ear, 4096))
        except BlockingIOError:
            return
        # First the deaths: a signal that came with the daemon's death is for the next one.
        self._reap()
        for signum in sorted(heard & PASSED_ON):
            self._guard.pass_on(signum)

    def _reap(self) -> None:
        guard, parted = self._guard, []
        for pid, status, usage in self._reaper.reap():
            if guard.daemon is not None and pid == guard.daemon.pid:
                guard.ended(guard.daemon, status)
                continue
            if guard.succession.ended(pid):
                continue
            child = self._children.ended(pid, status, usage, time.monotonic())
            if child is not None:
                if child.tree is not None:
                    parted.append(child.tree)
                self._tell_end(child)
            elif self._renewal.ended(pid, status):
                continue
            elif guard.daemon is None or guard.daemon.wire.backlog < FULL:
                guard.tell("reaped_unknown", pid=pid, status=status)
        self._desk.trees.parted(parted)
        self._leave_if_alone()

    def _child_ended(self, child: Child, status: int) -> None:
        """One that was not ours by birth."""
        self._children.ended(child.pid, status, (), time.monotonic())
        self._tell_end(child)
        self._leave_if_alone()

    def _child_is_lost(self, child: Child) -> None:
        self._child_ended(child, foreign.UNKNOWN)

    def _tell_end(self, child: Child) -> None:
        fields = {"status": child.status, "usage": child.usage, "at": child.ended}
        self._guard.tell("exited", None, key=child.key, pid=child.pid, **fields)

    def _leave_if_alone(self) -> None:
        if self._guard.alone and not self._children.alive:
            self._code = 1

    def _look_after_trees(self) -> None:
        again = self._desk.trees.work()
        if again is not None:
            self._timers[self._look_after_trees] = time.monotonic() + again

    def _handle(self, message: Message) -> None:
        try:
            self._requests[message.kind](message, **message.fields)
        except Exception as error:  # a fault of the daemon's: its own concern
            self._guard.tell("complaint", text=f"{message.kind or 'message'}: {error!r}")
        finally:
            message.close()

    def _end_alone(self) -> None:
        """No daemon comes up to stop the programs in the configured way: do it plainly."""
        self._signal_everybody(signals.SIGTERM)
        self._timers[self._kill_everybody] = time.monotonic() + _FOR_PROGRAMS_TO_STOP
        if not self._children.alive:
            self._code = 1

    def _kill_everybody(self) -> None:
        self._signal_everybody(signals.SIGKILL)

    def _signal_everybody(self, signum: int) -> None:
        for child in self._children.alive:
            self._children.signal(child.key, child.pid, signum, to_group=True)
        self._desk.signal_trees(signum)

    def _hello(self, message: Message, *, protocol: int, **_more: object) -> None:
        guard = self._guard
        if guard.daemon is None:
            return
        guard.daemon.greeted = True
        self._timers.pop(guard.kill, None)
        self._desk.tell_holdings()
        guard.tell(
            "welcome",
            protocol=min(protocol, PROTOCOL),
            pid=os.getpid(),
            restarts=guard.restarts,
            last_status=guard.last_status,
            predecessor=guard.succession.predecessor,
            says_begun=True,
        )
        guard.greeted()

    def _reexec(self, message: Message, *, command: list[str], **_more: object) -> None:
        """Become this program; the answer comes from it, or says why not."""
        if self._guard.succession.is_under_way:
            self._refuse_renewal("a daemon stands aside for another one")
        else:
            self._renewal.begin(command)

    def _refuse_renewal(self, reason: str) -> None:
        self._guard.tell("reexec_refused", reason=reason)

    def _bye(self, message: Message, *, code: int, **_more: object) -> None:
        """The daemon is about to end, and so do we, once it has."""
        self._guard.goes(code)

    def _leave(self, code: int) -> None:
        self._code = code
