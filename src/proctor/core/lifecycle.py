"""Lifecycle: one process from its first start to its last exit.  Facts in, effects out.

Rules:
1. Commands and facts are methods with `now` (monotonic seconds); each returns the effects to carry
   out, in this order.  A fact that does not fit the state any more is ignored, never an error.
2. A child is on its way between `Spawn` and `spawned` or `spawn_failed` (`spawning`); nothing else
   is spawned meanwhile.  A stop that arrives in between waits for the child and then signals it.
3. `deadline` is when `tick` wants to be called; None: never.  What restarts without delay has a
   deadline of now, so that a stop can still come first.
4. Plain data: a copy taken at any moment goes on exactly as the original would.

Source: compat process.md, sections 2, 3, 5, 6; gotchas G2 (the time of death counts, not the time
of reaping), G28 (a start by request has all its retries), G32, G33.
"""

from __future__ import annotations

from collections.abc import Sequence

from proctor.core.exits import ExitStatus
from proctor.core.spec import AutoRestart, ProcessSpec
from proctor.core.states import (
    EDGES,
    RUNNING_STATES,
    SIGNALLABLE_STATES,
    STOPPED_STATES,
    ProcessState,
)
from proctor.core.values import dataclass

SIGKILL = 9
TOO_QUICK = "Exited too quickly (process log may have details)"

# A stopwaitsecs of 0 must not turn the repeated SIGKILL into a busy loop.
_SHORTEST_KILL_INTERVAL = 1.0


@dataclass(frozen=True, slots=True)
class Became:
    """The process went from one state to another.

    `tries` is the retry counter after the change; `pid` the child it is about, 0 if none.  `status`
    is set when the change was caused by the end of the child; RUNNING with a status means that it
    had been up long enough before it ended, but that nobody noticed in time.
    """

    state: ProcessState
    from_state: ProcessState
    tries: int
    pid: int
    expected: bool = True
    status: ExitStatus | None = None


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start a child, then report `spawned` or `spawn_failed`, exactly one of them."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Send a signal to the child, its process group, or all that comes from it; `forced` is the
    SIGKILL after stopwaitsecs.
    """

    signum: int
    pid: int
    to_group: bool = False
    forced: bool = False
    to_tree: bool = False


Effect = Became | Spawn | Signal
Effects = Sequence[Effect]


@dataclass(slots=True)
class Lifecycle:
    """The state of one process and what leads to the next.

    `pid` is not 0 if and only if a child is alive as far as we know.  `exit` is the end that led to
    EXITED or STOPPED, None after a spawn or a too quick end.
    """

    spec: ProcessSpec
    state: ProcessState = ProcessState.STOPPED
    pid: int = 0
    spawning: bool = False
    before_start: ProcessState = ProcessState.STOPPED
    tries: int = 0
    started: float = 0.0
    deadline: float | None = None
    spawnerr: str = ""
    exit: ExitStatus | None = None

    @property
    def unspawned(self) -> bool:
        """Whether the latest start came to nothing for want of a child; `spawnerr` says why."""
        tried_in_vain = self.state in (ProcessState.BACKOFF, ProcessState.FATAL)
        return tried_in_vain and self.spawnerr not in ("", TOO_QUICK)

    @property
    def shown(self) -> ProcessState:
        """The state to tell people: a start shows when its child is there, or cannot be.

        Clients know no STARTING without a pid, and may send a signal to the pid they are told.
        """
        starting = self.spawning and self.state is ProcessState.STARTING
        return self.before_start if starting else self.state

    def will_restart(self, status: ExitStatus, now: float) -> bool:
        """Whether it starts again without delay if `exited` is told this."""
        match self.state:
            case ProcessState.STARTING if now - self.started < self.spec.start.startsecs:
                return False
            case ProcessState.STARTING | ProcessState.RUNNING:
                return self._restarts_after(status.is_expected(self.spec.start.exitcodes))
            case _:
                return False

    # Commands

    def start(self, now: float) -> Effects:
        """Start it by request, with all its retries.  Nothing happens unless it is at rest."""
        if self.state not in STOPPED_STATES or self.state is ProcessState.UNKNOWN:
            return ()
        self.tries = 0
        return self._start(now)

    def stop(self, now: float) -> Effects:
        """Stop it.  Nothing happens when there is nothing to stop."""
        if self.state is ProcessState.BACKOFF:
            return (self._become(ProcessState.STOPPED),)
        if self.state not in RUNNING_STATES:
            return ()
        became = self._become(ProcessState.STOPPING)
        return (became, *self.ask_to_end(now))

    def give_up(self) -> Effects:
        """No more retries, by request: BACKOFF becomes FATAL.  For the end of the daemon."""
        return (self._give_up(expected=True),) if self.state is ProcessState.BACKOFF else ()

    def rest(self) -> None:
        """Do not start by itself any more; for a process at rest whose group is removed."""
        self.deadline = None

    # Facts

    def spawned(self, pid: int, now: float) -> Effects:
        """The child runs."""
        if not self.spawning:
            return ()
        self.spawning = False
        self.pid = pid
        self.started = now
        self.spawnerr, self.exit = "", None
        if self.state is ProcessState.STOPPING:
            return self.ask_to_end(now)
        if self.state is ProcessState.STARTING:
            self.deadline = now + self.spec.start.startsecs
        return ()

    def adopted(self, pid: int, started: float) -> Effects:
        """The child that an earlier daemon started at `started` is still there.

        It passes through STARTING, so that everybody hears of it, but nothing is spawned.
        """
        became = self._start(started)[0]
        return (became, *self.spawned(pid, started))

    def spawn_failed(self, text: str, now: float) -> Effects:
        """There is no child, for this reason."""
        if not self.spawning:
            return ()
        self.spawning = False
        self.spawnerr, self.exit = "", None
        if self.state is ProcessState.STOPPING:
            return (self._become(ProcessState.STOPPED),)
        if self.state is not ProcessState.STARTING:
            return ()
        self.spawnerr = text
        return (self._back_off(now, None),)

    def exited(self, status: ExitStatus, now: float) -> Effects:
        """The child is gone; `now` is when that was noticed."""
        if not self.pid:
            return ()
        pid, self.pid = self.pid, 0
        match self.state:
            case ProcessState.STARTING if now - self.started < self.spec.start.startsecs:
                self.spawnerr = TOO_QUICK
                return (self._back_off(now, status, pid),)
            case ProcessState.STARTING:
                self.tries = 0
                running = self._become(ProcessState.RUNNING, pid=pid, status=status)
                return (running, self._end(status, now, pid))
            case ProcessState.RUNNING:
                return (self._end(status, now, pid),)
            case ProcessState.STOPPING:
                self.exit = status
                expected = status.is_expected(self.spec.start.exitcodes)
                return (self._become(ProcessState.STOPPED, expected, status, pid),)
            case _:
                # UNKNOWN: nobody knows what was meant to happen, so nothing starts by itself.
                ended = self._end(status, now, pid)
                self.deadline = None
                return (ended,)

    def signal_failed(self, now: float) -> Effects:
        """The system refused a signal (not because the child was gone)."""
        return self.lost() if self.pid else ()

    def lost(self) -> Effects:
        """Something unexpected happened to it: UNKNOWN until its child ends, or for good."""
        if self.state not in SIGNALLABLE_STATES:
            return ()
        return (self._become(ProcessState.UNKNOWN),)

    def tick(self, now: float, may_start: bool = True) -> Effects:
        """The deadline was reached.  `may_start` False (shutdown): what would start rests
        instead.
        """
        if self.deadline is None or now < self.deadline:
            return ()
        self.deadline = None
        match self.state:
            case ProcessState.STARTING:
                self.tries = 0
                return (self._become(ProcessState.RUNNING),)
            case ProcessState.BACKOFF if self.tries > self.spec.start.startretries:
                return (self._give_up(expected=False),)
            case ProcessState.BACKOFF | ProcessState.EXITED if may_start:
                return self._start(now)
            case ProcessState.STOPPING:
                wait = max(self.spec.stop.stopwaitsecs, _SHORTEST_KILL_INTERVAL)
                self.deadline = now + wait
                stop = self.spec.stop
                return (Signal(SIGKILL, self.pid, stop.killasgroup, True, stop.tree),)
            case _:
                return ()

    # Steps

    def ask_to_end(self, now: float) -> Effects:
        """Send the stop signal, to be followed by SIGKILL: part of a stop that was asked for."""
        if not self.pid:
            return ()
        stop = self.spec.stop
        self.deadline = now + stop.stopwaitsecs
        to_tree = stop.tree and stop.stopasgroup
        return (Signal(stop.stopsignal, self.pid, stop.stopasgroup, to_tree=to_tree),)

    def _start(self, now: float) -> Effects:
        self.spawning = True
        self.before_start = self.state
        return (self._become(ProcessState.STARTING), Spawn())

    def _back_off(self, now: float, status: ExitStatus | None, pid: int = 0) -> Became:
        self.tries += 1
        became = self._become(ProcessState.BACKOFF, False, status, pid)
        # Out of tries: FATAL follows at once, as a change of its own.
        given_up = self.tries > self.spec.start.startretries
        self.deadline = now if given_up else now + self.tries
        return became

    def _give_up(self, expected: bool) -> Became:
        self.tries = 0
        return self._become(ProcessState.FATAL, expected)

    def _end(self, status: ExitStatus, now: float, pid: int) -> Became:
        expected = status.is_expected(self.spec.start.exitcodes)
        self.exit = status
        self.spawnerr = "" if expected else f"Bad exit code {status.number}"
        became = self._become(ProcessState.EXITED, expected, status, pid)
        if self._restarts_after(expected):
            self.deadline = now
        return became

    def _restarts_after(self, expected: bool) -> bool:
        rule = self.spec.start.autorestart
        return rule is AutoRestart.ALWAYS or (rule is AutoRestart.UNEXPECTED and not expected)

    def _become(
        self,
        state: ProcessState,
        expected: bool = True,
        status: ExitStatus | None = None,
        pid: int | None = None,
    ) -> Became:
        was, self.state = self.state, state
        self.deadline = None  # It belonged to the old state; who wants one sets it afterwards.
        assert state in EDGES[was], f"{was.name} may not become {state.name}"
        return Became(state, was, self.tries, self.pid if pid is None else pid, expected, status)
