"""Any history at all: whatever is asked and whatever happens, some things always hold.

1. A pid if and only if a child is alive; never two children, never two spawns on their way.
2. Only legal edges; an event for every change, in order.
3. Never stuck: at rest, or with a child, a spawn or a deadline to wait for.
4. A copy made of plain data at any moment goes on exactly as the original.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from builders import a_process
from proctor.core.exits import ExitStatus
from proctor.core.lifecycle import Became, Effects, Lifecycle, Signal, Spawn
from proctor.core.states import EDGES, STOPPED_STATES, ProcessState

STATUSES = st.sampled_from([ExitStatus(0), ExitStatus(3), ExitStatus(signal=9), ExitStatus()])
PAUSES = st.sampled_from([0.0, 0.25, 1.0, 2.0, 10.0])


class History(RuleBasedStateMachine):
    """One process and a machine that does anything a machine may do."""

    @initialize(
        startsecs=st.integers(0, 2),
        startretries=st.integers(-1, 3),
        stopwaitsecs=st.integers(0, 3),
        autorestart=st.sampled_from(["false", "true", "unexpected"]),
    )
    def begin(self, **options: Any) -> None:
        """Configure it."""
        self.life = Lifecycle(a_process(**options))
        self.now = 0.0
        self.announced = ProcessState.STOPPED
        self.child = 0
        self.on_its_way = False
        self.pids = iter(range(100, 10_000))
        self.shutting_down = self.was_lost = False

    def do(self, name: str, *arguments: object) -> None:
        """Tell it, and tell a copy of it, and carry out what it says."""
        copy = through_json(self.life)
        effects: Effects = getattr(self.life, name)(*arguments)
        assert getattr(copy, name)(*arguments) == effects
        assert copy == self.life
        for effect in effects:
            self.carry_out(effect)

    def carry_out(self, effect: object) -> None:
        """What a Supervisor would do."""
        match effect:
            case Became():
                assert effect.from_state is self.announced
                assert effect.state in EDGES[effect.from_state]
                self.announced = effect.state
            case Spawn():
                assert not self.on_its_way
                assert not self.child
                assert not self.shutting_down
                self.on_its_way = True
            case Signal():
                assert effect.pid == self.child != 0
            case _:
                raise AssertionError(effect)

    @rule(pause=PAUSES)
    def time_passes(self, pause: float) -> None:
        """The timer rings late, or early, or in time."""
        self.now += pause
        self.do("tick", self.now, not self.shutting_down)

    @precondition(lambda self: not self.shutting_down)
    @rule()
    def somebody_starts_it(self) -> None:
        """At any moment."""
        self.do("start", self.now)

    @rule()
    def somebody_stops_it(self) -> None:
        """At any moment."""
        self.do("stop", self.now)

    @rule()
    def the_daemon_shuts_down(self) -> None:
        """Nothing starts from now on."""
        self.shutting_down = True
        self.do("give_up")

    @precondition(lambda self: self.on_its_way)
    @rule()
    def the_child_is_there(self) -> None:
        """The host found room for it."""
        self.on_its_way, self.child = False, next(self.pids)
        self.do("spawned", self.child, self.now)

    @precondition(lambda self: self.on_its_way)
    @rule()
    def the_spawn_fails(self) -> None:
        """The host did not."""
        self.on_its_way = False
        self.do("spawn_failed", "no room", self.now)

    @precondition(lambda self: self.child)
    @rule(status=STATUSES)
    def the_child_ends(self, status: ExitStatus) -> None:
        """By itself or by a signal: all the same."""
        self.child = 0
        self.do("exited", status, self.now)

    @rule()
    def a_signal_is_refused(self) -> None:
        """Perhaps one sent to a child that is gone."""
        self.do("signal_failed", self.now)
        self.was_lost = self.was_lost or self.life.state is ProcessState.UNKNOWN

    @rule()
    def something_breaks(self) -> None:
        """An error while its effects were carried out."""
        self.do("lost")
        self.was_lost = self.was_lost or self.life.state is ProcessState.UNKNOWN

    @invariant()
    def a_pid_means_a_child(self) -> None:
        """And no pid means none."""
        assert self.life.pid == self.child
        assert self.life.spawning == self.on_its_way
        assert self.life.state is self.announced

    @invariant()
    def a_process_that_runs_has_its_retries_back(self) -> None:
        """And one that is at rest for good has none counted."""
        if self.life.state in (ProcessState.RUNNING, ProcessState.EXITED, ProcessState.FATAL):
            assert self.life.tries == 0 or self.was_lost

    @invariant()
    def it_is_never_stuck(self) -> None:
        """Something will happen, or nothing needs to."""
        pending = self.child or self.on_its_way or self.life.deadline is not None
        assert pending or self.life.state in STOPPED_STATES or self.shutting_down

    @invariant()
    def what_moves_with_time_has_a_deadline(self) -> None:
        """STARTING and STOPPING with a child, and BACKOFF."""
        timed = {ProcessState.STARTING, ProcessState.STOPPING}
        if self.child and self.life.state in timed:
            assert self.life.deadline is not None
        waits = {*timed, ProcessState.BACKOFF, ProcessState.EXITED}
        assert self.life.deadline is None or self.life.state in waits
        if self.life.state is ProcessState.BACKOFF and not self.shutting_down:
            assert self.life.deadline is not None


def through_json(life: Lifecycle) -> Lifecycle:
    """A copy by way of text, as a snapshot would make it."""
    data = {f.name: getattr(life, f.name) for f in dataclasses.fields(life) if f.name != "spec"}
    data["exit"] = life.exit and dataclasses.asdict(life.exit)
    back = json.loads(json.dumps(data))
    back["state"] = ProcessState(back["state"])
    back["before_start"] = ProcessState(back["before_start"])
    back["exit"] = back["exit"] and ExitStatus(**back["exit"])
    return Lifecycle(spec=life.spec, **back)


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
