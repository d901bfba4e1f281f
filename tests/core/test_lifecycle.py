"""Histories of one process: what is asked, what happens, and what comes of it.

Every row is read from compat process.md or a gotcha; times are seconds on a clock that starts at 0.
"""

from __future__ import annotations

from typing import Any

import pytest

from builders import a_process
from proctor.core.exits import ExitStatus
from proctor.core.lifecycle import TOO_QUICK, Became, Effects, Lifecycle, Signal, Spawn
from proctor.core.states import ProcessState

OK = ExitStatus(code=0)
FAILED = ExitStatus(code=3)
KILLED = ExitStatus(signal=9)
S = ProcessState


def states(effects: Effects) -> list[ProcessState]:
    return [effect.state for effect in effects if isinstance(effect, Became)]


def running(now: float = 0.0, **options: Any) -> Lifecycle:
    """A process that has been up long enough."""
    life = Lifecycle(a_process(startsecs=1, **options))
    life.start(now - 2)
    life.spawned(7, now - 2)
    life.tick(now)
    assert life.state is S.RUNNING
    return life


def test_a_start_asks_for_a_child_and_promotes_it_after_startsecs() -> None:
    """STARTING until the child has been up for startsecs, then RUNNING, then nothing to wait
    for.
    """
    life = Lifecycle(a_process(startsecs=5))
    started, spawn = life.start(0)
    assert started == Became(S.STARTING, S.STOPPED, tries=0, pid=0)
    assert spawn == Spawn()
    life.spawned(7, 0.5)
    assert life.deadline == 5.5
    assert life.tick(5.4) == ()
    assert life.tick(5.5) == (Became(S.RUNNING, S.STARTING, tries=0, pid=7),)
    assert life.deadline is None


def test_retries_come_later_and_later_and_end_in_fatal() -> None:
    """Attempts at t, t+1, t+3 and t+6 for startretries=3, then FATAL in a change of its own."""
    life = Lifecycle(a_process(startretries=3))
    attempts, now = [0.0], 0.0
    life.start(now)
    while True:
        life.spawned(7, now)
        (backoff,) = life.exited(FAILED, now)
        assert isinstance(backoff, Became)
        assert backoff.tries == len(attempts)
        assert life.spawnerr == TOO_QUICK
        assert life.deadline is not None
        now = life.deadline
        if states(life.tick(now)) == [S.FATAL]:
            break
        attempts.append(now)
    assert attempts == [0, 1, 3, 6]
    assert life.tries == 0
    assert life.deadline is None


@pytest.mark.parametrize("noticed", [True, False])
def test_a_start_that_succeeds_gives_the_retries_back(noticed: bool) -> None:
    """Whether RUNNING was noticed in time or only at the end of the child."""
    life = Lifecycle(a_process(startsecs=1, autorestart="true"))
    life.start(0)
    life.spawn_failed("x", 0)
    life.tick(1)
    life.spawned(7, 1)
    if noticed:
        assert life.tick(2) == (Became(S.RUNNING, S.STARTING, tries=0, pid=7),)
    life.exited(OK, 2)
    assert life.tick(2)[0] == Became(S.STARTING, S.EXITED, tries=0, pid=0)


@pytest.mark.parametrize("retries", [0, -1])
def test_without_retries_the_first_failure_is_final(retries: int) -> None:
    """startretries=0, and less, give one attempt."""
    life = Lifecycle(a_process(startretries=retries))
    life.start(0)
    assert states(life.spawn_failed("no such thing", 0)) == [S.BACKOFF]
    assert life.spawnerr == "no such thing"
    assert life.deadline == 0
    assert life.tick(0) == (Became(S.FATAL, S.BACKOFF, tries=0, pid=0, expected=False),)


def test_a_start_by_request_has_all_its_retries() -> None:
    """Stopped in BACKOFF, started again: the counter begins anew (gotcha G28)."""
    life = Lifecycle(a_process(startretries=1))
    life.start(0)
    life.spawn_failed("x", 0)
    assert life.stop(0) == (Became(S.STOPPED, S.BACKOFF, tries=1, pid=0),)
    life.start(1)
    assert life.tries == 0


@pytest.mark.parametrize(
    ("lived", "expected"),
    [(0.99, [S.BACKOFF]), (1.0, [S.RUNNING, S.EXITED])],
)
def test_the_time_of_death_says_whether_it_was_too_quick(
    lived: float, expected: list[ProcessState]
) -> None:
    """Not the time at which somebody looks (gotcha G2)."""
    life = Lifecycle(a_process(startsecs=1))
    life.start(0)
    life.spawned(7, 0)
    assert states(life.exited(OK, lived)) == expected


def test_success_within_startsecs_is_a_failed_start() -> None:
    """Status 0 too, and even with autorestart=false it is tried again (gotcha G32)."""
    life = Lifecycle(a_process(startsecs=1, autorestart="false"))
    life.start(0)
    life.spawned(7, 0)
    (backoff,) = life.exited(OK, 0.5)
    assert backoff == Became(S.BACKOFF, S.STARTING, 1, 7, expected=False, status=OK)
    assert life.exit is None
    assert states(life.tick(1.5)) == [S.STARTING]


def test_with_startsecs_0_no_exit_is_too_quick() -> None:
    """RUNNING, then EXITED, in the same moment; the log shows no success."""
    life = Lifecycle(a_process(startsecs=0))
    life.start(0)
    life.spawned(7, 0)
    up, gone = life.exited(OK, 0)
    assert up == Became(S.RUNNING, S.STARTING, 0, 7, status=OK)
    assert gone == Became(S.EXITED, S.RUNNING, 0, 7, expected=True, status=OK)


@pytest.mark.parametrize(
    ("rule", "status", "again"),
    [
        ("false", FAILED, False),
        ("true", OK, True),
        ("unexpected", OK, False),
        ("unexpected", FAILED, True),
        ("unexpected", KILLED, True),
        ("unexpected", ExitStatus(), True),
    ],
)
def test_autorestart_after_an_exit(rule: str, status: ExitStatus, again: bool) -> None:
    """A death by signal is never expected, and neither is one nobody can tell about."""
    life = running(autorestart=rule)
    life.exited(status, 9)
    assert life.state is S.EXITED
    assert life.deadline == (9 if again else None)
    assert states(life.tick(9)) == ([S.STARTING] if again else [])


def test_a_stop_can_come_before_the_restart() -> None:
    """A restart without delay is a deadline, not an effect; but there is nothing to stop then."""
    life = running(autorestart="true")
    life.exited(OK, 9)
    assert life.stop(9) == ()
    life.rest()
    assert life.tick(9) == ()


def test_nothing_starts_by_itself_during_shutdown() -> None:
    """What would restart or retry rests; retries that ran out still end in FATAL."""
    life = running(autorestart="true")
    life.exited(OK, 9)
    assert life.tick(9, may_start=False) == ()
    assert life.deadline is None
    waiting = Lifecycle(a_process(startretries=1))
    waiting.start(0)
    waiting.spawn_failed("x", 0)
    assert waiting.tick(1, may_start=False) == ()
    assert states(waiting.give_up()) == [S.FATAL]


def test_a_stop_signals_and_kills_again_and_again() -> None:
    """The stopsignal to the child, SIGKILL after stopwaitsecs and every stopwaitsecs again."""
    life = running(now=10, stopsignal=2, stopwaitsecs=4, killasgroup=True)
    stopping, signal = life.stop(10)
    assert stopping == Became(S.STOPPING, S.RUNNING, 0, 7)
    assert signal == Signal(2, 7)
    assert life.tick(13.9) == ()
    assert life.tick(14) == (Signal(9, 7, to_group=True, forced=True),)
    assert life.tick(18) == (Signal(9, 7, to_group=True, forced=True),)
    assert life.exited(KILLED, 18.1) == (Became(S.STOPPED, S.STOPPING, 0, 7, False, KILLED),)
    assert life.exit == KILLED
    assert life.stop(19) == ()


def test_stopwaitsecs_0_kills_at_once_but_not_in_a_loop() -> None:
    """The second SIGKILL waits for a second."""
    life = running(now=10, stopwaitsecs=0)
    life.stop(10)
    assert life.tick(10) == (Signal(9, 7, forced=True),)
    assert life.deadline == 11


def test_stopasgroup_signals_the_group() -> None:
    """Both the stopsignal and, if so configured, SIGKILL go to the process group."""
    life = running(stopasgroup=True)
    assert life.stop(0)[1] == Signal(15, 7, to_group=True)


def test_a_stop_before_the_child_is_there_waits_for_it() -> None:
    """STOPPING at once; the signal goes out when the child is known; its clock starts then."""
    life = Lifecycle(a_process(stopwaitsecs=10))
    life.start(0)
    assert states(life.stop(0)) == [S.STOPPING]
    assert life.deadline is None
    assert life.spawned(7, 3) == (Signal(15, 7),)
    assert life.deadline == 13
    assert states(life.exited(KILLED, 4)) == [S.STOPPED]


def test_a_stop_before_a_failed_spawn_is_done() -> None:
    """Nothing came to be, so nothing is left to stop, and it is no failure to report."""
    life = Lifecycle(a_process())
    life.start(0)
    life.stop(0)
    assert states(life.spawn_failed("x", 1)) == [S.STOPPED]
    assert life.spawnerr == ""


def test_a_refused_signal_leads_to_unknown_and_a_death_out_of_it() -> None:
    """The original's daemon dies of that death; ours notes it and starts nothing by itself."""
    life = running(autorestart="true")
    life.stop(0)
    assert life.signal_failed(0) == (Became(S.UNKNOWN, S.STOPPING, 0, 7),)
    assert life.start(1) == ()
    assert life.stop(1) == ()
    assert states(life.exited(KILLED, 2)) == [S.EXITED]
    assert life.deadline is None
    assert states(life.start(3)) == [S.STARTING]


def test_a_child_that_comes_to_a_lost_process_is_known() -> None:
    """So that its end can be heard."""
    life = Lifecycle(a_process())
    life.start(0)
    life.lost()
    assert life.spawned(7, 1) == ()
    assert life.pid == 7
    assert states(life.exited(OK, 2)) == [S.EXITED]


@pytest.mark.parametrize(("status", "text"), [(OK, ""), (FAILED, "Bad exit code 3")])
def test_an_unexpected_exit_leaves_its_reason(status: ExitStatus, text: str) -> None:
    """Until the next start; the exit number is kept too."""
    life = running(autorestart="false")
    life.exited(status, 9)
    assert life.spawnerr == text
    assert life.exit == status
    life.start(10)
    life.spawned(8, 10)
    assert life.spawnerr == ""
    assert life.exit is None


def test_a_start_shows_when_there_is_a_child() -> None:
    """Until then people see what was before: there is no STARTING without a pid."""
    life = running(autorestart="true")
    life.exited(FAILED, 9)
    life.tick(9)
    shown = [life.shown]
    assert (life.state, life.exit) == (S.STARTING, FAILED)
    life.spawned(8, 10)
    shown.append(life.shown)
    life.exited(FAILED, 10)
    life.tick(11)
    shown.append(life.shown)
    assert life.spawnerr == TOO_QUICK
    life.stop(11)
    shown.append(life.shown)
    assert shown == [S.EXITED, S.STARTING, S.BACKOFF, S.STOPPING]


def test_commands_that_do_not_fit_do_nothing() -> None:
    """A second start, a stop of what rests, facts about children that are not there."""
    life = Lifecycle(a_process())
    assert life.stop(0) == ()
    assert life.give_up() == ()
    assert life.spawned(7, 0) == ()
    assert life.spawn_failed("x", 0) == ()
    assert life.exited(OK, 0) == ()
    assert life.signal_failed(0) == ()
    life.start(0)
    assert life.start(0) == ()
    assert life.signal_failed(0) == (), "it was about a child of long ago"
    assert life == Lifecycle(life.spec, S.STARTING, spawning=True)


@pytest.mark.parametrize("autorestart", ["true", "false", "unexpected"])
@pytest.mark.parametrize("status", [OK, FAILED, KILLED])
@pytest.mark.parametrize("age", [0.5, 1.5, 3.0])
@pytest.mark.parametrize("stopped", [False, True])
def test_it_can_say_beforehand_whether_it_restarts(
    autorestart: str, status: ExitStatus, age: float, stopped: bool
) -> None:
    """Without delay, that is; what it says is what it does."""
    life = Lifecycle(a_process(startsecs=1, autorestart=autorestart))
    life.start(0)
    life.spawned(7, 0)
    if age > 2:
        life.tick(2)
    if stopped:
        life.stop(age)
    foretold = life.will_restart(status, age)
    life.exited(status, age)
    assert foretold == (life.state is S.EXITED and life.deadline == age)
