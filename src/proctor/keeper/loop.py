"""The keeper's one loop: hears signals, deaths and the daemon; spawns, holds, remembers.

Rules:
1. It never waits for the daemon.  What the daemon does not read is buffered; when too much is
   buffered, no more requests are read until it is gone, so the buffer cannot grow without
   end.  Exits need one short message for each child and are kept in the table besides.
2. It sleeps in poll(2) without a time-out unless something is pending (a restart, a deadline).
3. A bad message costs a complaint, never the keeper.
4. The daemon may end only after `bye`.  Any other end is an accident: it is started again, at
   once, then with a growing delay.  The programs run on.  Only the very first daemon may fail
   before `hello`: then nothing is held yet, and the keeper ends with the same code.
5. Signals for the pid users see are passed on to the daemon, as soon as it is able to hear them.
6. It can become another program, its own new version, without anybody noticing (renewal.py).
7. A daemon that lost its keeper starts another one beside itself: then daemon and programs are not
   our children, and pidfds tell of their ends (watching.py).
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable

from proctor.keeper import foreign
from proctor.keeper.children import Child, reap
from proctor.keeper.daemon import LIVED_WELL, Daemon, Patience, exit_code, in_words, killed
from proctor.keeper.desk import Desk
from proctor.keeper.ear import PASSED_ON, STOPPING, hear_signals, say
from proctor.keeper.protocol import (
    ENVIRONMENT_VARIABLE,
    PROTOCOL,
    BrokenWireError,
    Message,
    close_all,
)
from proctor.keeper.renewal import Renewal
from proctor.keeper.spawner import Spawner
from proctor.keeper.state import State, of_child
from proctor.keeper.succession import Succession
from proctor.keeper.watching import Watching

_FULL = 1024 * 1024
_TO_SAY_HELLO = 20.0
_TO_LEAVE = 10.0
_FOR_PROGRAMS_TO_STOP = 10.0


class Keeper:
    """See the head of this file.  `command` starts the daemon again.

    Call `meet` or `resume`, then `run`.
    """

    def __init__(self, command: list[str], spawner: Spawner) -> None:
        self._command = command
        self._spawner = spawner
        self._timers: dict[Callable[[], None], float] = {}
        self._poll = select.poll()
        self._watching = Watching(self._poll, self._timers, self._child_ended)
        self._desk = Desk(
            spawner, self._tell, self._let_go, self._watching.begin, self._child_is_lost
        )
        self._children = self._desk.children
        self._succession = Succession(
            self._timers, self._step_down, self._start_daemon, self._meet_again, self._end_daemon
        )
        self._renewal = Renewal(spawner, self._timers, self.state, self._hear, self._refuse_renewal)
        self._requests: dict[str, Callable[..., None]] = {
            **self._desk.requests,
            **self._succession.requests,
            "hello": self._hello,
            "bye": self._bye,
            "reexec": self._reexec,
        }
        self._daemon: Daemon | None = None
        # The daemon that stands aside, and the pidfd of one that is not our child.
        self._aside: tuple[int, int | None] = (0, None)
        self._first = True
        self._restarts = 0
        self._patience = Patience()
        self._last_status: int | None = None
        self._undelivered: list[int] = []
        self._stop_signal: int | None = None
        self._goodbye: int | None = None
        self._alone = False
        self._code: int | None = None
        self._ear = hear_signals()
        self._poll.register(self._ear, select.POLLIN)

    def meet(self, daemon: Daemon, first: bool) -> None:
        """This is the daemon.  `first`: it was not there before us."""
        self._first = first
        self._meet(daemon)

    def state(self) -> State:
        """All that is to be known to go on.  Raises ValueError when it is not the time for that."""
        if self._succession.is_under_way:
            raise ValueError("a daemon stands aside for another one")
        named = (self._start_daemon, self._end_daemon, self._kill_everybody)
        limit = self._spawner.open_files
        return State(
            command=self._command,
            open_files=None if limit is None else list(limit),
            restarts=self._restarts,
            patience=self._patience.next,
            last_status=self._last_status,
            undelivered=self._undelivered,
            stop_signal=self._stop_signal,
            goodbye=self._goodbye,
            first=self._first,
            alone=self._alone,
            timers={each.__name__: self._timers[each] for each in named if each in self._timers},
            descriptors=self._desk.descriptors,
            children=[of_child(child) for child in self._children],
            watched=self._desk.trees.watched,
            daemon=None if self._daemon is None else self._daemon.as_dict(),
        )

    def resume(self, state: State) -> None:
        """Go on where the program that was here before us left."""
        self._restarts, self._first, self._alone = state.restarts, state.first, state.alone
        self._patience.next = state.patience
        self._last_status, self._undelivered = state.last_status, state.undelivered
        self._stop_signal, self._goodbye = state.stop_signal, state.goodbye
        self._timers |= {getattr(self, name): when for name, when in state.timers.items()}
        self._desk.descriptors.update(state.descriptors)
        for child in state.kept():
            self._children.put_back(child)
            self._watching.begin(child)
            if child.tree is not None and [child.key, child.pid] in state.watched:
                self._desk.trees.ask(child.key, child.tree, 0)
        if state.daemon is not None:
            self._meet(Daemon.from_dict(state.daemon, state.wire()))
            self._tell("reexeced", pid=os.getpid())

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
        self._talk()
        daemon = self._daemon
        for fd, _ in self._poll.poll(self._until_next_timer()):
            if fd == self._ear:
                self._hear()
            elif fd == self._aside[1]:
                self._aside_ended()
            elif daemon is None or daemon is not self._daemon:
                self._watching.heard(fd)
            elif fd == daemon.watch:
                status = foreign.end_of(fd)
                self._daemon_ended(daemon, foreign.UNKNOWN if status is None else status)
            elif fd == daemon.wire.sock.fileno():
                self._listen(daemon)
            else:
                self._watching.heard(fd)
        self._look_after_trees()
        self._ring()

    def _talk(self) -> None:
        """Send what waits, and tell poll what we want to know of the daemon's socket."""
        daemon = self._daemon
        if daemon is None or not daemon.reachable:
            return
        wanted = 0
        if not daemon.wire.flush():
            if daemon.wire.stalled:
                self._timers[self._talk] = time.monotonic() + 0.01
            else:
                wanted |= select.POLLOUT
        if daemon.wire.backlog < _FULL:
            wanted |= select.POLLIN
        self._poll.register(daemon.wire.sock, wanted)

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
            self._pass_on(signum)

    def _pass_on(self, signum: int) -> None:
        if signum in STOPPING:
            self._stop_signal = signum
        daemon = self._daemon
        if daemon is not None and (daemon.greeted or self._first):
            daemon.signal(signum)
            return
        if signum not in self._undelivered:
            self._undelivered.append(signum)
        if signum in STOPPING:
            if daemon is None and not self._alone:
                self._start_daemon()
            self._timers.setdefault(self._end_daemon, time.monotonic() + _TO_SAY_HELLO)

    def _reap(self) -> None:
        parted = []
        for pid, status, usage in reap():
            if self._daemon is not None and pid == self._daemon.pid:
                self._daemon_ended(self._daemon, status)
                continue
            if self._succession.ended(pid):
                continue
            child = self._children.ended(pid, status, usage, time.monotonic())
            if child is not None:
                if child.tree is not None:
                    parted.append(child.tree)
                self._tell_end(child)
            elif self._renewal.ended(pid, status):
                continue
            elif self._daemon is None or self._daemon.wire.backlog < _FULL:
                self._tell("reaped_unknown", pid=pid, status=status)
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
        self._tell("exited", None, key=child.key, pid=child.pid, **fields)

    def _leave_if_alone(self) -> None:
        if self._alone and not self._children.alive:
            self._code = 1

    def _look_after_trees(self) -> None:
        again = self._desk.trees.work()
        if again is not None:
            self._timers[self._look_after_trees] = time.monotonic() + again

    def _tell(self, kind: str, fds: list[int] | None = None, **fields: object) -> None:
        """For a daemon that listens; the others learn it by asking."""
        if self._daemon is not None and self._daemon.greeted and self._daemon.reachable:
            self._daemon.wire.queue(kind, fields, fds or ())

    def _let_go(self, fds: list[int]) -> None:
        """Close them; a message that still waits may carry them."""
        if self._daemon is not None:
            self._daemon.wire.close_after(fds)
        else:
            close_all(fds)

    def _meet(self, daemon: Daemon) -> None:
        self._daemon = daemon
        if daemon.reachable:
            self._poll.register(daemon.wire.sock, select.POLLIN)
        if daemon.watch is not None:
            self._poll.register(daemon.watch, select.POLLIN)

    def _listen(self, daemon: Daemon) -> None:
        try:
            messages = daemon.wire.receive()
        except (BrokenWireError, OSError) as error:
            self._lose_contact(daemon, error)
            return
        for message in messages:
            self._handle(message)

    def _handle(self, message: Message) -> None:
        try:
            self._requests[message.kind](message, **message.fields)
        except Exception as error:  # a fault of the daemon's: its own concern
            self._tell("complaint", text=f"{message.kind or 'message'}: {error!r}")
        finally:
            message.close()

    def _lose_contact(self, daemon: Daemon, error: Exception) -> None:
        """Its socket is closed or garbled.

        A daemon nobody can talk to has to go; a dying one is going.
        """
        if daemon.reachable:
            daemon.reachable = False
            self._poll.unregister(daemon.wire.sock)
            if isinstance(error, BrokenWireError):
                say(f"cannot understand the daemon (pid {daemon.pid}): {error}")
            self._timers.setdefault(self._end_daemon, time.monotonic() + _TO_LEAVE)

    def _end_daemon(self) -> None:
        if self._daemon is not None:
            say(f"the daemon (pid {self._daemon.pid}) does not answer; killing it")
            self._daemon.signal(signal.SIGKILL)

    def _daemon_ended(self, daemon: Daemon, status: int) -> None:
        while daemon.reachable and self._heard_more(daemon):
            pass
        self._forget(daemon)
        if self._goodbye is not None:
            self._code = self._goodbye
        elif self._succession.can_return:
            self._succession.bring_back(f"it ended with {in_words(status)}")
        elif self._first and not daemon.greeted:
            self._code = exit_code(status)
        else:
            self._plan_restart(daemon, status)

    def _heard_more(self, daemon: Daemon) -> bool:
        """Its last words, `bye` perhaps; False when that was all."""
        before = daemon.wire.received
        self._listen(daemon)
        return daemon.wire.received > before

    def _forget(self, daemon: Daemon) -> None:
        if daemon.reachable:
            self._poll.unregister(daemon.wire.sock)
        if daemon.watch is not None:
            self._poll.unregister(daemon.watch)
            os.close(daemon.watch)
        daemon.wire.close()
        self._daemon = None
        self._timers.pop(self._end_daemon, None)
        self._timers.pop(self._talk, None)

    def _step_down(self) -> int:
        """It stands aside; the pid of the one who did."""
        assert self._daemon is not None, "nobody speaks who is not there"
        daemon = self._daemon
        # One that is not our child is watched on.
        self._aside, daemon.watch = (daemon.pid, daemon.watch), None
        self._forget(daemon)
        return daemon.pid

    def _meet_again(self, pid: int, sock: socket.socket) -> None:
        """The one that stood aside is back."""
        watch, self._aside = self._aside[1], (0, None)
        self._meet(Daemon(pid, sock, time.monotonic(), watch))

    def _aside_ended(self) -> None:
        (pid, watch), self._aside = self._aside, (0, None)
        if watch is not None:
            self._poll.unregister(watch)
            os.close(watch)
        self._succession.ended(pid)

    def _plan_restart(self, daemon: Daemon, status: int) -> None:
        self._last_status = status
        if not daemon.greeted and self._undelivered_stop():
            self._end_alone()
            return
        if self._stop_signal is not None:
            # It was told to stop and died over it.  The next one shall finish that.
            self._undelivered = [self._stop_signal]
        if daemon.greeted and (killed(status) or time.monotonic() - daemon.started > LIVED_WELL):
            self._patience.restore()
        say(f"daemon {daemon.pid} ended unexpectedly ({in_words(status)}); programs run on")
        self._start_later()

    def _start_later(self) -> None:
        self._timers[self._start_daemon] = time.monotonic() + self._patience.next_delay()

    def _start_daemon(self) -> None:
        self._timers.pop(self._start_daemon, None)
        self._first = False
        self._restarts += not self._succession.can_return
        try:
            pid, sock = self._launch()
            self._meet(Daemon(pid, sock, time.monotonic()))
        except OSError as error:
            say(f"cannot start the daemon: {error}")
            if self._succession.can_return:
                self._succession.bring_back(f"it could not be started: {error.strerror}")
            elif self._undelivered_stop():
                self._end_alone()
            else:
                self._start_later()
            return
        if self._undelivered_stop():
            self._timers.setdefault(self._end_daemon, time.monotonic() + _TO_SAY_HELLO)

    def _launch(self) -> tuple[int, socket.socket]:
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.set_inheritable(True)
            added = {ENVIRONMENT_VARIABLE.encode(): b"%d" % theirs.fileno()}
            try:
                return self._spawner.spawn_daemon(self._command, added), ours
            except OSError:
                ours.close()
                raise

    def _undelivered_stop(self) -> bool:
        return any(signum in STOPPING for signum in self._undelivered)

    def _end_alone(self) -> None:
        """Asked to stop, and no daemon comes up to do it in the configured way: do it plainly."""
        say("asked to stop, and the daemon does not start: stopping all programs")
        self._alone = True
        self._signal_everybody(signal.SIGTERM)
        self._timers[self._kill_everybody] = time.monotonic() + _FOR_PROGRAMS_TO_STOP
        if not self._children.alive:
            self._code = 1

    def _kill_everybody(self) -> None:
        self._signal_everybody(signal.SIGKILL)

    def _signal_everybody(self, signum: int) -> None:
        for child in self._children.alive:
            self._children.signal(child.key, child.pid, signum, to_group=True)
        self._desk.signal_trees(signum)

    def _hello(self, message: Message, *, protocol: int, **_more: object) -> None:
        daemon = self._daemon
        if daemon is None:
            return
        daemon.greeted = True
        self._timers.pop(self._end_daemon, None)
        self._desk.tell_holdings()
        self._tell(
            "welcome",
            protocol=min(protocol, PROTOCOL),
            pid=os.getpid(),
            restarts=self._restarts,
            last_status=self._last_status,
            predecessor=self._succession.predecessor,
        )
        for signum in self._undelivered:
            daemon.signal(signum)
        self._undelivered = []

    def _reexec(self, message: Message, *, command: list[str], **_more: object) -> None:
        """Become this program; the answer comes from it, or says why not."""
        if self._succession.is_under_way:
            self._refuse_renewal("a daemon stands aside for another one")
        else:
            self._renewal.begin(command)

    def _refuse_renewal(self, reason: str) -> None:
        self._tell("reexec_refused", reason=reason)

    def _bye(self, message: Message, *, code: int, **_more: object) -> None:
        """The daemon is about to end, and so do we, once it has."""
        if code and self._succession.can_return:
            return  # it cannot begin, but the one before it can
        self._goodbye = int(code) & 0xFF
        self._timers.setdefault(self._end_daemon, time.monotonic() + _TO_LEAVE)
