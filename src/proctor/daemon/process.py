"""Process: one spec, its Lifecycle, its child and the child's channels.

It hears the facts about its child, lets the Lifecycle decide, and does what the Lifecycle says; in
which order, and that nobody recurses, is the Supervisor's business (`Surroundings.submit`).

Between the death of a child and its announcement (ending.py) nothing else is decided by time, so a
child that died too early is never promoted to RUNNING (gotcha G2).  Nothing starts again, and
nobody hears that it stopped, while a part of it still runs.

What others may see of it is in seen.py, what they hear of it in announcer.py, what is sent to it in
signalling.py, and what it is told and says in streams.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from proctor.core.cause import Cause, CauseKind, Reasons
from proctor.core.exits import ExitStatus
from proctor.core.lifecycle import Became, Effects, Signal, Spawn
from proctor.core.plan import ChildPipes, SpawnFailure
from proctor.core.spec import ProcessSpec
from proctor.core.states import ProcessState
from proctor.daemon import words
from proctor.daemon.announcer import Announcer
from proctor.daemon.ending import Ending
from proctor.daemon.fastcgi import SharedSocket
from proctor.daemon.host import Timer
from proctor.daemon.launch import Launch, needs_only_logs
from proctor.daemon.signalling import Signalling
from proctor.daemon.streams import Streams
from proctor.daemon.surroundings import Job, Surroundings

# Why a launch came to nothing that nobody wants any more.
OVERTAKEN = "a stop came first"


class Process(Streams):
    """One process.  A ChildSink: the host tells it what becomes of its child."""

    def __init__(
        self,
        spec: ProcessSpec,
        around: Surroundings,
        paths: Mapping[str, str | None],
        socket: SharedSocket | None = None,
    ) -> None:
        super().__init__(spec, around, paths)
        self._reasons = Reasons()
        self._announcer = Announcer(spec, around)
        self._signalling = Signalling(spec, self.key, around, self._reasons)
        self._launched = 0.0
        self._launching: Launch | None = None
        self._socket = socket
        self._timer: Timer | None = None
        self._due: float | None = None
        # Between the death of the child and the moment at which it is announced.
        self._ending: Ending | None = None

    # What others may see

    def observe(self, callback: Callable[[ProcessState], None]) -> Callable[[], None]:
        """Hear every state it comes to, and the spawn of its child.

        Answers with the function that ends it.
        """
        return self._announcer.observe(callback)

    # Commands.  The Supervisor says whether they are allowed.

    def start(self) -> None:
        """Start it by request (`cause.because` says whose, or why else)."""
        self._step(self.lifecycle.start(self._around.host.now()), self._reasons.command())

    def stop(self) -> None:
        """Ask it to end."""
        self._step(self.lifecycle.stop(self._around.host.now()), self._reasons.command())
        self._cancel_launch()

    def give_up(self) -> None:
        """No more retries."""
        self._step(self.lifecycle.give_up(), self._reasons.command())

    def adopt(
        self,
        pid: int,
        pipes: ChildPipes,
        started: float,
        done: Callable[[], None],
        *,
        effects: Effects | None = None,
        ended: bool = False,
    ) -> None:
        """Go on with the child of an earlier daemon, which was started at `started` (Host.now()).

        `effects` are what is left to do when its lifecycle is as it was; None: that is not known.
        `done` is called when its output is read again; only then may its end be told, and if it
        has `ended` already nothing is decided by time until then.
        """
        self.adopted = True
        self._take_stdin(pipes.stdin)  # Clients may send something before the logs are open.
        if effects is None:
            self.start_wall = self._around.host.wall() - (self._around.host.now() - started)
            effects = self.lifecycle.adopted(pid, started)
        if self._socket is not None:
            self._socket.rejoin(self.key)
        if ended:
            self.lifecycle.deadline = None
        self._step(effects, self._reasons.command(Cause(CauseKind.ADOPTED)))

        def opened(error: OSError | None) -> None:
            if error is not None:
                self._around.log.error(f"cannot open the logs of '{self.name}': {error}")
            self._output.attach(pid, pipes)
            self._announcer.tell(self.state)
            done()

        self._output.open(opened)

    def go_on(self, effects: Effects) -> None:
        """Its lifecycle is as an earlier daemon left it, without a child; this is left to do."""
        self._step(effects)

    def lost(self) -> None:
        """Something unexpected happened while its effects were carried out."""
        self._step(self.lifecycle.lost())
        self._cancel_launch()

    def retire(self) -> None:
        """It is at rest and its group is gone: it must not start by itself any more."""
        self.lifecycle.rest()
        self._arm()

    def signal(self, signum: int) -> None:
        """Send a signal to the child; one that is on its way gets it when it is there."""
        if self.lifecycle.spawning:
            self._signalling.keep(signum)
        elif self._ending is None:  # Else it is gone; we only have not said so yet.
            self._signalling.send(self.pid, signum)

    # Facts

    def spawned(self, pid: int, pipes: ChildPipes, at: float) -> None:
        """The child runs."""
        self._submit(partial(self._spawned, pid, pipes, at))

    def spawn_failed(self, failure: SpawnFailure, at: float) -> None:
        """There is no child."""
        text = words.spawn_failure(self.name, failure)
        self._submit(partial(self._spawn_failed, text, at))

    def exited(self, status: ExitStatus, at: float) -> None:
        """The child is gone."""
        self._submit(partial(self._exited, status, at))

    def signal_failed(self, errno: int, at: float) -> None:
        """A signal was refused."""
        reason = os.strerror(errno)
        self._around.log.critical(f"cannot signal '{self.name}' ({self.pid}): {reason}")
        self._step(self.lifecycle.signal_failed(at))

    def tree_left(self, left: Sequence[str], at: float) -> None:
        """Who is left of what came from its child."""
        if self._ending is not None:
            self._ending.tree_left(left)

    def _spawned(self, pid: int, pipes: ChildPipes, at: float) -> None:
        self.start_wall = self._launched
        self._launching = None
        self.adopted = False
        self._reasons.spawned()
        self.survivors = ()
        self._output.attach(pid, pipes)
        self._take_stdin(pipes.stdin)
        self._around.log.info(f"spawned: '{self.name}' with pid {pid}")
        self._step(self.lifecycle.spawned(pid, at))
        self._signalling.send_kept(pid)
        self._announcer.spawned(pid, self.state)

    def _spawn_failed(self, text: str, at: float) -> None:
        self.start_wall = self._launched
        self._launching = None
        self._signalling.drop_kept()
        self._output.abandon()
        self._give_socket_back()
        self._step(self.lifecycle.spawn_failed(text, at))
        self._announcer.tell(self.state)

    def _exited(self, status: ExitStatus, at: float) -> None:
        self._ending = Ending(
            self.spec,
            self.key,
            self.pid,
            status,
            at,
            self._around,
            self._output,
            submit=self._submit,
            outlived=self._outlived,
            moved=self._arm,
            last_words=partial(self._prepare, status, at),
            announce=self._ended,
        )
        stopping = self.state is ProcessState.STOPPING
        self._ending.begin(self, self.lifecycle.deadline, stopping)

    def _prepare(self, status: ExitStatus, at: float) -> None:
        """While the end is announced, the drain thread has time for the next run."""
        again = self._around.may_start() and self.lifecycle.will_restart(status, at)
        if again and needs_only_logs(self.spec, self._socket):
            self._output.prepare()

    def _outlived(self, survivors: tuple[str, ...]) -> None:
        self.survivors = survivors

    def _ended(self, status: ExitStatus, at: float) -> None:
        self._ending = None
        pid = self.pid
        host = self._around.host
        self.stop_wall = host.wall() - (host.now() - at)
        self._close_stdin()
        self._give_socket_back()
        self._step(self.lifecycle.exited(status, at))
        self._submit(partial(self._around.log.debug, "received SIGCHLD indicating a child quit"))
        told = partial(host.acknowledge, self.key, pid)
        self._submit(partial(self._around.when_written, told))

    # Effects

    def _submit(self, job: Job) -> None:
        self._around.submit(self, job)

    def _step(self, effects: Effects, command: Cause | None = None) -> None:
        """Carry these out soon; `command` led to them, None when nobody commanded."""
        now = self._around.host.now()
        for effect in effects:
            if isinstance(effect, Became):
                cause = self._reasons.of(effect, command, self.spawnerr, now)
                self._submit(partial(self._announce, effect, cause))
            else:
                self._submit(partial(self._carry_out, effect))
        self._arm()

    def _carry_out(self, effect: Spawn | Signal) -> None:
        match effect:
            case Spawn():
                self._launch()
            case Signal() if self._ending is None:  # Else it is gone; we only have not said so yet.
                self._signalling.carry_out(effect, self)

    def _announce(self, change: Became, cause: Cause) -> None:
        self._announcer.announce(change, self.spawnerr, cause)

    def _launch(self) -> None:
        if self.state is not ProcessState.STARTING:
            self._spawn_failed(OVERTAKEN, self._around.host.now())
            return
        self._launched = self._around.host.wall()
        self._launching = Launch(
            self.spec,
            self.key,
            self._around,
            self._output,
            self._socket,
            sink=self,
            failed=lambda text: self._spawn_failed(text, self._around.host.now()),
            submit=self._submit,
        )
        self._launching.begin()

    def _cancel_launch(self) -> None:
        if self._launching is not None and self._launching.cancel():
            self._submit(partial(self._spawn_failed, OVERTAKEN, self._around.host.now()))

    def _give_socket_back(self) -> None:
        if self._socket is not None:
            self._socket.release(self.key)

    # Time

    def _arm(self) -> None:
        """Keep the one timer where it is unless the deadline changed."""
        lifecycle = self.lifecycle
        if not (lifecycle.spawning or self._ending) and lifecycle.deadline is None:
            self._output.abandon()  # What was prepared is not wanted any more.
        due = lifecycle.deadline if self._ending is None else self._ending.due
        if due == self._due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = None if due is None else self._around.host.call_at(due, self._ring)

    def _ring(self) -> None:
        self._timer = self._due = None
        if self._ending is not None:
            self._ending.hurry()
            return
        self._step(self.lifecycle.tick(self._around.host.now(), self._around.may_start()))
