"""The daemon's guard: it talks to the one daemon there is, and has another one when it has ended.

1. What the daemon does not read is buffered; when too much is buffered, no more requests are read
   until it is gone, so the buffer cannot grow without end.
2. The daemon may end only after `bye`.  Any other end is an accident: it is started again, at once,
   then with a growing delay, for some minutes at least: in the end only while a program lives that
   it would have to look after.  Only the very first daemon may fail before `hello`: then nothing is
   held yet, and the keeper ends with the same code.
3. A daemon that cannot be talked to, or takes too long over its end, is killed.
4. Signals are passed on as soon as it is able to hear them; one that dies over a signal to stop is
   followed by one that gets it too.  When that fails by itself as well, or there is nothing to stop
   while the daemon does not come up, the keeper stops everything without a daemon.
"""

from __future__ import annotations

import os
import select
import time

from proctor.keeper.daemon import LIVED_WELL, Daemon, Patience, exit_code, in_words, killed, send
from proctor.keeper.ear import STOPPING, say
from proctor.keeper.protocol import ENVIRONMENT_VARIABLE, BrokenWireError, Message, close_all
from proctor.keeper.spawner import Spawner
from proctor.keeper.succession import Succession
from proctor.keeper.thin import signals, sockets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FULL = 1024 * 1024
_TO_SAY_HELLO = 20.0
_TO_LEAVE = 10.0
# So many failures in a row take six minutes.
ENOUGH = 20


class Guard:
    """Shares the keeper's poll and timers.  `command` starts the daemon again.

    `handle` gets its messages, `alone` is told when there will be none any more although all is to
    stop, `leave` with which code the keeper ends; `idle` says whether there are no programs.
    """

    def __init__(
        self,
        command: list[str],
        spawner: Spawner,
        poll: select.poll,
        timers: dict[Callable[[], None], float],
        *,
        handle: Callable[[Message], None],
        alone: Callable[[], None],
        leave: Callable[[int], None],
        idle: Callable[[], bool],
    ) -> None:
        self.command = command
        self._spawner = spawner
        self._poll = poll
        self._timers = timers
        self._handle, self._stop_plainly = handle, alone
        self._leave, self._idle = leave, idle
        self.succession = Succession(
            timers,
            self._step_down,
            self.start,
            self._meet_again,
            self.kill,
            dismiss=self._dismiss_aside,
        )
        self.daemon: Daemon | None = None
        # The daemon that stands aside, and the pidfd of one that is not our child.
        self.aside: tuple[int, int | None] = (0, None)
        self.first, self.restarts = True, 0
        self.patience = Patience()
        self.last_status: int | None = None
        self.undelivered: list[int] = []
        self.stop_signal: int | None = None
        self.goodbye: int | None = None
        self.alone = False

    def meet(self, daemon: Daemon) -> None:
        """This is the daemon now."""
        self.daemon = daemon
        if daemon.reachable:
            self._poll.register(daemon.wire.sock, select.POLLIN)
        if daemon.watch is not None:
            self._poll.register(daemon.watch, select.POLLIN)

    def tell(self, kind: str, fds: list[int] | None = None, **fields: object) -> None:
        """For a daemon that listens; the others learn it by asking."""
        if self.daemon is not None and self.daemon.greeted and self.daemon.reachable:
            self.daemon.wire.queue(kind, fields, fds or ())

    def talk(self) -> None:
        """Send what waits, and tell poll what we want to know of the daemon's socket."""
        daemon = self.daemon
        if daemon is None or not daemon.reachable:
            return
        wanted = 0
        if not daemon.wire.flush():
            if daemon.wire.stalled:
                self._timers[self.talk] = time.monotonic() + 0.01
            else:
                wanted |= select.POLLOUT
        if daemon.wire.backlog < FULL:
            wanted |= select.POLLIN
        self._poll.register(daemon.wire.sock, wanted)

    def let_go(self, fds: list[int]) -> None:
        """Close them; a message that still waits may carry them."""
        if self.daemon is not None:
            self.daemon.wire.close_after(fds)
        else:
            close_all(fds)

    def listen(self, daemon: Daemon) -> None:
        """Its socket is readable."""
        try:
            messages = daemon.wire.receive()
        except (BrokenWireError, OSError) as error:
            self._lose_contact(daemon, error)
            return
        for message in messages:
            self._handle(message)

    def pass_on(self, signum: int) -> None:
        """Somebody signalled the pid that users see."""
        if signum in STOPPING:
            self.stop_signal = signum
        daemon = self.daemon
        if daemon is not None and (daemon.greeted or self.first):
            daemon.signal(signum)
            return
        if signum not in self.undelivered:
            self.undelivered.append(signum)
        if signum in STOPPING:
            if daemon is None and not self.alone:
                self._stop_without_daemon()
            self._timers.setdefault(self.kill, time.monotonic() + _TO_SAY_HELLO)

    def _stop_without_daemon(self) -> None:
        """It is waited with the next try: not any more, and not at all for nothing to stop."""
        if self._idle() and self.last_status is not None and not killed(self.last_status):
            self._give_up()
        else:
            self.start()

    def greeted(self) -> None:
        """It said hello, and was told what there is: it hears signals, those of before too."""
        assert self.daemon is not None, "it has just spoken"
        self.last_status = None  # when it restarts itself it is not told again
        for signum in self.undelivered:
            self.daemon.signal(signum)
        self.undelivered = []

    def goes(self, code: int) -> None:
        """It said bye: it is about to end, and so do we with this code, once it has."""
        if code and self.succession.can_return:
            return  # it cannot begin, but the one before it can
        self.goodbye = int(code) & 0xFF
        self._timers.setdefault(self.kill, time.monotonic() + _TO_LEAVE)

    def ended(self, daemon: Daemon, status: int) -> None:
        """It is gone."""
        while daemon is self.daemon and daemon.reachable and self._heard_more(daemon):
            pass
        if self.daemon is not None and self.daemon.pid == daemon.pid:
            # Its last word may have been that it stands aside: it returned at once, because no
            # successor could be started.
            daemon = self.daemon
        else:
            # That was its last word: its successor runs already.
            self.aside_ended()
            return
        self._forget(daemon)
        if self.goodbye is not None:
            self._leave(self.goodbye)
        elif self.succession.can_return:
            self.succession.bring_back(f"it ended with {in_words(status)}")
        elif self.first and not daemon.greeted:
            self._leave(exit_code(status))
        else:
            self._plan_restart(daemon, status)

    def aside_ended(self) -> None:
        """The one that stood aside is gone, and we did not hear that from its parent."""
        pid = self.aside[0]
        self._forget_aside()
        self.succession.ended(pid)

    def start(self) -> None:
        """Start another one; when that fails, later."""
        self._timers.pop(self.start, None)
        self.first = False
        self.restarts += not self.succession.can_return
        try:
            pid, sock = self._launch()
            self.meet(Daemon(pid, sock, time.monotonic()))
        except OSError as error:
            say(f"cannot start the daemon: {error}")
            if self.succession.can_return:
                self.succession.bring_back(f"it could not be started: {error.strerror}")
            elif self._undelivered_stop():
                self._give_up()
            else:
                self._start_later()
            return
        if self._undelivered_stop():
            self._timers.setdefault(self.kill, time.monotonic() + _TO_SAY_HELLO)

    def kill(self) -> None:
        """It had time enough."""
        if self.daemon is not None:
            say(f"the daemon (pid {self.daemon.pid}) does not answer; killing it")
            self.daemon.signal(signals.SIGKILL)

    def _lose_contact(self, daemon: Daemon, error: Exception) -> None:
        """Its socket is closed or garbled.

        A daemon nobody can talk to has to go; a dying one is going.
        """
        if daemon.reachable:
            daemon.reachable = False
            self._poll.unregister(daemon.wire.sock)
            if isinstance(error, BrokenWireError):
                say(f"cannot understand the daemon (pid {daemon.pid}): {error}")
            self._timers.setdefault(self.kill, time.monotonic() + _TO_LEAVE)

    def _heard_more(self, daemon: Daemon) -> bool:
        """Its last words, `bye` perhaps; False when that was all."""
        before = daemon.wire.received
        self.listen(daemon)
        return daemon.wire.received > before

    def _forget(self, daemon: Daemon) -> None:
        if daemon.reachable:
            self._poll.unregister(daemon.wire.sock)
        if daemon.watch is not None:
            self._poll.unregister(daemon.watch)
            os.close(daemon.watch)
        daemon.wire.close()
        self.daemon = None
        self._timers.pop(self.kill, None)
        self._timers.pop(self.talk, None)

    def _forget_aside(self) -> None:
        watch, self.aside = self.aside[1], (0, None)
        if watch is not None:
            self._poll.unregister(watch)
            os.close(watch)

    def _step_down(self) -> int:
        """It stands aside; the pid of the one who did."""
        assert self.daemon is not None, "nobody speaks who is not there"
        daemon = self.daemon
        # The one before it was told to go, and may not have gone yet.
        self._forget_aside()
        # One that is not our child is watched on.
        self.aside, daemon.watch = (daemon.pid, daemon.watch), None
        self._forget(daemon)
        return daemon.pid

    def _meet_again(self, pid: int, sock: sockets.socket) -> None:
        """The one that stood aside is back."""
        watch, self.aside = self.aside[1], (0, None)
        self.meet(Daemon(pid, sock, time.monotonic(), watch))

    def _dismiss_aside(self) -> None:
        pid, watch = self.aside
        if pid:  # 0 would be all of our own group
            send(pid, watch, signals.SIGKILL)

    def _plan_restart(self, daemon: Daemon, status: int) -> None:
        self.last_status = status
        if daemon.greeted and (killed(status) or time.monotonic() - daemon.started > LIVED_WELL):
            self.patience.restore()
        if self._undelivered_stop() or (self.stop_signal is not None and self.patience.failures):
            self._give_up()
            return
        if self.stop_signal is not None:
            # It was told to stop and died over it.  The next one shall finish that.
            self.undelivered = [self.stop_signal]
        say(f"daemon {daemon.pid} ended unexpectedly ({in_words(status)}); programs run on")
        self._start_later()

    def _start_later(self) -> None:
        if self.patience.failures >= ENOUGH and self._idle():
            say("the daemon does not start, and no program runs: giving up")
            self._leave(1)
            return
        self._timers[self.start] = time.monotonic() + self.patience.next_delay()

    def _launch(self) -> tuple[int, sockets.socket]:
        ours, theirs = sockets.socketpair()
        try:
            os.set_inheritable(theirs.fileno(), True)
            added = {ENVIRONMENT_VARIABLE.encode(): b"%d" % theirs.fileno()}
            return self._spawner.spawn_daemon(self.command, added), ours
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()

    def _give_up(self) -> None:
        say("asked to stop, and the daemon does not start: stopping all programs")
        self.alone = True
        self._stop_plainly()

    def _undelivered_stop(self) -> bool:
        return any(signum in STOPPING for signum in self.undelivered)
