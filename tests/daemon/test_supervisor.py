"""The heart on a fake machine: behaviour over hours, in milliseconds."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from builders import Heart, a_group, a_heart, a_process
from fakes import EPOCH, Behaviour
from proctor.core.events import Event, ProcessStateChanged
from proctor.core.faults import Fault
from proctor.core.plan import SpawnFailure
from proctor.core.spec import LogKind, OutputPolicy, SocketSpec
from proctor.core.states import ProcessState as S
from proctor.posix import users


def test_a_program_that_exits_at_once_is_retried_then_given_up() -> None:
    """The first start and startretries more, each a second later than the last, then FATAL."""
    with a_heart(a_process("web", startretries=3)) as heart:
        heart.host.always_dies("web:web", code=1)
        heart.start("web")
        heart.host.until(60)
        assert heart.states("web") == "STARTING BACKOFF " * 4 + "FATAL"
        assert heart.said("web")[-1] == (
            "INFO gave up: web entered FATAL state, too many start retries too quickly"
        )
        assert heart.said("exited")[0] == "WARN exited: web (exit status 1; not expected)"
        assert heart.host.next_timer() is None


def test_a_life_in_log_lines() -> None:
    """The lines that people grep for, with the process's name without its group."""
    with a_heart(a_group("g", a_process("web", startsecs=2))) as heart:
        heart.start("g:web")
        heart.host.forward(2)
        heart.stop("g:web")
        assert heart.lines == [
            "INFO spawned: 'web' with pid 101",
            "INFO success: web entered RUNNING state, process has stayed up for > than 2 seconds"
            " (startsecs)",
            "DEBG killing web (pid 101) with signal SIGTERM",
            "WARN stopped: web (terminated by SIGTERM)",
            "DEBG received SIGCHLD indicating a child quit",
        ]
        assert heart.host.signals == [("g:web", 101, signal.SIGTERM, False)]
        assert heart.host.acknowledged == [("g:web", 101)]


def test_an_exit_with_success_is_restarted_without_delay() -> None:
    """autorestart=true; the exit is told before the next start, in two steps."""
    with a_heart(a_process("web", startsecs=0, autorestart="true")) as heart:
        heart.start("web")
        heart.host.dies("web:web", code=0)
        assert heart.states("web") == "STARTING RUNNING EXITED STARTING RUNNING"
        assert heart.said("exited") == ["INFO exited: web (exit status 0; expected)"]
        assert heart.process("web").pid == 102


def test_a_day_with_a_crash_every_minute() -> None:
    """1,440 crashes, 1,440 restarts, one timer."""
    with a_heart(a_process("web", autorestart="true")) as heart:
        heart.host.always_dies("web:web", code=1, after=60)
        heart.start("web")
        heart.host.until(24 * 3600)
        assert len(heart.host.plans) == 1441
        assert len(heart.said("exited: web (exit status 1; not expected)")) == 1440


def test_faults_of_commands_that_do_not_fit() -> None:
    """start of what runs, stop of what rests, signal of what is not there."""
    with a_heart(a_process("web")) as heart:
        web, supervisor = heart.process("web"), heart.supervisor
        with pytest.raises(Fault, match="NOT_RUNNING: web"):
            supervisor.stop(web)
        with pytest.raises(Fault, match="NOT_RUNNING: web"):
            supervisor.signal(web, 1)
        heart.start("web")
        with pytest.raises(Fault, match="ALREADY_STARTED: web"):
            supervisor.start(web)
        heart.host.behaviour("web:web").refuses_signals = errno.EPERM
        heart.stop("web")
        assert web.state is S.UNKNOWN
        assert heart.said("CRIT") == ["CRIT cannot signal 'web' (101): Operation not permitted"]
        with pytest.raises(Fault, match="FAILED: web is in an unknown process state"):
            supervisor.start(web)
        with pytest.raises(Fault, match="NOT_RUNNING: web"):
            supervisor.stop(web)


def test_a_stop_that_is_ignored_ends_in_sigkill() -> None:
    """After stopwaitsecs, with a warning; to the group if so configured."""
    with a_heart(a_process("web", stopwaitsecs=4, killasgroup=True, startsecs=0)) as heart:
        heart.host.behaviour("web:web").ignores = frozenset({signal.SIGTERM})
        heart.start("web")
        heart.stop("web")
        heart.host.forward(3.9)
        assert heart.process("web").state is S.STOPPING
        heart.host.forward(0.1)
        assert heart.process("web").state is S.STOPPED
        assert heart.said("SIGKILL") == [
            "WARN killing 'web' (101) with SIGKILL",
            "DEBG killing web (pid 101) process group with signal SIGKILL",
            "WARN stopped: web (terminated by SIGKILL)",
        ]


def test_a_stop_that_overtakes_the_spawn() -> None:
    """The child that is on its way is signalled when it arrives."""
    with a_heart(a_process("web")) as heart:
        heart.host.behaviours["web:web"] = Behaviour(spawn_delay=3)
        heart.start("web")
        heart.stop("web")
        assert heart.process("web").state is S.STOPPING
        heart.host.forward(3)
        assert heart.states("web") == "STARTING STOPPING STOPPED"
        assert heart.host.children == {}


def test_a_stop_that_overtakes_the_request_for_a_child() -> None:
    """No child is made at all."""
    with a_heart(a_process("web")) as heart:
        heart.bus.subscribe(lambda _: heart.process("web").stop(), ["PROCESS_STATE_STARTING"])
        heart.start("web")
        assert heart.states("web") == "STARTING STOPPING STOPPED"
        assert heart.host.plans == []


def test_a_stop_does_not_wait_for_a_frozen_log_disk(tmp_path: Path) -> None:
    """Nor does a start after it; what the first one opened in the end is closed again."""
    log = OutputPolicy(kind=LogKind.FILE, path=str(tmp_path / "log"))
    before = len(os.listdir("/proc/self/fd"))
    with a_heart(a_process("web", stdout=log)) as heart:
        heart.drain.frozen = True
        heart.start("web")
        heart.stop("web")
        assert heart.states("web") == "STARTING STOPPING STOPPED"
        heart.start("web")
        heart.drain.thaw()
        heart.host.settle()
        assert [plan.key for plan in heart.host.plans] == ["web:web"]
        assert heart.process("web").pid == 101
        heart.stop("web")
        assert len(os.listdir("/proc/self/fd")) <= before


def test_a_signal_that_overtakes_the_spawn_waits_for_the_child() -> None:
    """`start` and `signal` in one breath."""
    with a_heart(a_process("web")) as heart:
        heart.host.behaviours["web:web"] = Behaviour(spawn_delay=3)
        heart.start("web")
        heart.supervisor.signal(heart.process("web"), signal.SIGHUP)
        assert heart.host.signals == []
        heart.host.forward(3)
        assert heart.host.signals == [("web:web", 101, signal.SIGHUP, False)]
        assert heart.said("sig") == ["DEBG sending web (pid 101) sig SIGHUP"]


def test_nobody_is_shown_a_start_without_a_pid() -> None:
    """Clients that see STARTING take its pid and may send it a signal."""
    with a_heart(a_process("web")) as heart:
        heart.host.behaviours["web:web"] = Behaviour(spawn_delay=3)
        heart.start("web")
        web = heart.process("web")
        assert (web.shown_state, web.start_wall) == (S.STOPPED, 0)
        heart.host.forward(3)
        assert (web.shown_state, web.start_wall, web.pid) == (S.STARTING, EPOCH, 101)


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (SpawnFailure("pipe", errno.EMFILE), "too many open files to spawn 'web'"),
        (
            SpawnFailure("fork", errno.EAGAIN),
            "Too many processes in process table to spawn 'web'",
        ),
        (SpawnFailure("fork", errno.ENOMEM), "unknown error during fork for 'web': ENOMEM"),
        (
            SpawnFailure("pipe", errno.ENXIO),
            "unknown error making dispatchers for 'web': ENXIO",
        ),
    ],
)
def test_spawn_errors(failure: SpawnFailure, text: str) -> None:
    """The text is in the log and in `spawnerr`; the start counts as failed."""
    with a_heart(a_process("web", startretries=0)) as heart:
        heart.host.behaviour("web:web").spawn_failure = failure
        heart.start("web")
        assert heart.states("web") == "STARTING BACKOFF FATAL"
        assert heart.said("spawnerr") == [f"INFO spawnerr: {text}"]
        assert heart.process("web").spawnerr == text
        assert heart.process("web").start_wall == EPOCH
        assert heart.process("web").stop_wall == 0


def test_a_command_that_is_not_there() -> None:
    """Seen before anything is spawned; and it starts as soon as the program is installed."""
    with a_heart(a_process("web", command="/nowhere/web")) as heart:
        heart.start("web")
        assert heart.process("web").spawnerr == "can't find command '/nowhere/web'"
        assert heart.host.plans == []
        problem = heart.process("web").command_problem()
        assert problem is not None
        assert problem.text == "NO_FILE: can't find command '/nowhere/web'"


def test_the_last_words_come_before_the_news_of_the_death() -> None:
    """The exit is announced when the pipes are read, with the time at which it was noticed."""
    with a_heart(a_process("web", startsecs=1)) as heart:
        heart.start("web")
        heart.host.forward(0.5)
        heart.drain.frozen = True
        heart.host.dies("web:web", code=1)
        heart.host.forward(3)
        assert heart.states("web") == "STARTING"
        heart.drain.thaw()
        heart.host.settle()
        assert heart.states("web").startswith("STARTING BACKOFF")
        assert heart.process("web").stop_wall == EPOCH + 0.5


def test_a_dead_log_disk_delays_the_news_only_so_long() -> None:
    """After five seconds the death is told although the last words are not written."""
    with a_heart(a_process("web", startsecs=0, autorestart="false")) as heart:
        heart.start("web")
        heart.host.settle()
        heart.drain.frozen = True
        heart.host.dies("web:web", code=0)
        heart.host.forward(5)
        assert heart.states("web") == "STARTING RUNNING EXITED"
        heart.drain.thaw()
        heart.host.settle()
        assert heart.states("web") == "STARTING RUNNING EXITED"


def test_a_stop_between_death_and_news_signals_nobody() -> None:
    """The pid may be somebody else's by now."""
    with a_heart(a_process("web", startsecs=0, autorestart="true")) as heart:
        heart.start("web")
        heart.drain.frozen = True
        heart.host.dies("web:web", code=0)
        heart.stop("web")
        heart.drain.thaw()
        heart.host.settle()
        assert heart.host.signals == []
        assert heart.states("web") == "STARTING RUNNING STOPPING STOPPED"


def test_a_listener_that_answers_in_the_same_breath() -> None:
    """Nobody recurses: what it asks for comes after what is under way."""
    with a_heart(a_process("web", startsecs=0)) as heart:
        told: list[str] = []

        def meddle(event: Event) -> None:
            assert isinstance(event, ProcessStateChanged)
            told.append(event.state.name)
            if event.state is S.RUNNING and len(told) < 4:
                heart.supervisor.stop(heart.process("web"))
            if event.state is S.STOPPED:
                heart.supervisor.start(heart.process("web"))

        heart.bus.subscribe(meddle, ["PROCESS_STATE"])
        heart.start("web")
        assert told == ["STARTING", "RUNNING", "STOPPING", "STOPPED", "STARTING", "RUNNING"]


def test_one_process_s_failure_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug about one process is logged, in one line, and ends in UNKNOWN for that one only."""
    with a_heart(a_process("bad"), a_process("good", startsecs=0)) as heart:
        spawn = heart.host.spawn

        def broken(plan: object, sink: object) -> None:
            if sink is heart.process("bad"):
                raise ZeroDivisionError("a bug")
            spawn(plan, sink)  # type: ignore[arg-type]

        monkeypatch.setattr(heart.host, "spawn", broken)
        heart.start("bad")
        heart.start("good")
        assert heart.process("bad").state is S.UNKNOWN
        assert heart.process("good").state is S.RUNNING
        (line,) = heart.said("CRIT")
        assert "unexpected error about 'bad'" in line
        assert "ZeroDivisionError" in line


def test_a_thousand_idle_programs_plan_nothing() -> None:
    """No timer is left when all are up, and a step looks at one process only."""
    with a_heart(*(a_process(f"p{n}", autostart=True) for n in range(1000))) as heart:
        heart.supervisor.autostart()
        heart.host.until(10)
        assert len(heart.said("success")) == 1000
        assert heart.host.next_timer() is None


def test_exit_numbers() -> None:
    """0 when there is none, -1 for a death by signal."""
    with a_heart(a_process("web", startsecs=0, autorestart="false")) as heart:
        web = heart.process("web")
        assert web.exit_number == 0
        heart.start("web")
        heart.host.dies("web:web", code=None, signum=signal.SIGSEGV)
        assert web.exit_number == -1
        assert web.spawnerr == "Bad exit code -1"
        assert heart.said("SEGV") == ["WARN exited: web (terminated by SIGSEGV; not expected)"]
        heart.start("web")
        assert web.exit_number == 0


# Groups


def test_groups_come_and_go() -> None:
    """Twice the same name, an unknown one, and one that is still running are refused."""
    spec = a_group("g", a_process("web"))
    with a_heart(spec) as heart:
        with pytest.raises(Fault, match="ALREADY_ADDED: g"):
            heart.supervisor.add_group(spec)
        with pytest.raises(Fault, match="BAD_NAME: other"):
            heart.supervisor.remove_group("other")
        heart.start("g:web")
        with pytest.raises(Fault, match="STILL_RUNNING: g"):
            heart.supervisor.remove_group("g")
        heart.stop("g:web")
        heart.supervisor.remove_group("g")
        assert heart.supervisor.groups == {}
        names = [event.name for event in heart.events if event.name.startswith("PROCESS_GROUP")]
        assert names == ["PROCESS_GROUP_ADDED", "PROCESS_GROUP_REMOVED"]


def test_a_removed_process_does_not_come_back() -> None:
    """Even when its restart was due in the same moment."""
    with a_heart(a_process("web", startsecs=0, autorestart="true")) as heart:
        heart.start("web")
        heart.bus.subscribe(
            lambda _: heart.supervisor.remove_group("web"), ["PROCESS_STATE_EXITED"]
        )
        heart.host.dies("web:web")
        heart.host.forward(10)
        assert heart.states("web") == "STARTING RUNNING EXITED"


def autostarted(heart: Heart) -> list[str]:
    heart.supervisor.autostart()
    heart.host.settle()
    return [plan.key for plan in heart.host.plans]


def test_what_starts_first() -> None:
    """Groups by priority, then processes by priority, equal ones as they came (gotcha G12)."""
    on: dict[str, Any] = {"autostart": True}
    with a_heart(
        a_group("last", a_process("z", **on)),
        a_group(
            "first",
            a_process("c", priority=5, **on),
            a_process("b", priority=1, **on),
            a_process("a", priority=5, **on),
            a_process("off"),
            priority=1,
        ),
    ) as heart:
        assert autostarted(heart) == ["first:b", "first:c", "first:a", "last:z"]


def test_children_start_in_this_order_whatever_they_need(tmp_path: Path) -> None:
    """One has a log to open, one a socket, one nothing."""
    on: dict[str, Any] = {"autostart": True}
    log = OutputPolicy(kind=LogKind.FILE, path=str(tmp_path / "log"))
    with a_heart(
        a_process("c", priority=3, **on),
        a_process("b", priority=2, socket=SocketSpec(f"unix://{tmp_path}/s"), **on),
        a_process("a", priority=1, stdout=log, **on),
    ) as heart:
        assert autostarted(heart) == ["a:a", "b:b", "c:c"]
        heart.stop("b")


# Shutdown


def names_of(heart: Heart, state: S) -> list[str]:
    changes = (event for event in heart.events if isinstance(event, ProcessStateChanged))
    return [change.process for change in changes if change.state is state]


def test_shutdown_goes_group_by_group_from_the_highest_priority_down() -> None:
    """The next group's turn comes with the last end of the one before; nobody waits for a clock."""
    low = a_group("low", a_process("a"), a_process("b", priority=1), priority=1)
    high = a_group("high", a_process("c"), a_process("d", priority=1000), priority=900)
    with a_heart(low, high) as heart:
        for key in ("low:a", "low:b", "high:c", "high:d"):
            heart.start(key)
        stopped: list[bool] = []
        heart.supervisor.shutdown(restarting=False, on_stopped=lambda: stopped.append(True))
        assert names_of(heart, S.STOPPING) == ["d", "c"]
        heart.host.settle()
        assert names_of(heart, S.STOPPING) == ["d", "c", "a", "b"]
        assert names_of(heart, S.STOPPED) == ["d", "c", "a", "b"]
        assert stopped == [True]
        assert heart.host.time == 0
        assert heart.host.next_timer() is None


def test_shutdown_says_whom_it_waits_for() -> None:
    """At once and every three seconds, in the order of the groups."""
    with a_heart(a_process("a"), a_process("b", stopwaitsecs=7)) as heart:
        heart.host.behaviour("b:b").ignores = frozenset({signal.SIGTERM})
        heart.start("a")
        heart.start("b")
        heart.supervisor.shutdown(restarting=True, on_stopped=lambda: None)
        heart.host.until(60)
        assert heart.said("waiting") == [
            "INFO waiting for a, b to die",
            "INFO waiting for a, b to die",
            "INFO waiting for a, b to die",
        ]
        assert heart.process("a").state is S.STOPPED
        with pytest.raises(Fault, match="SHUTDOWN_STATE"):
            heart.supervisor.start(heart.process("a"))


def test_shutdown_gives_up_retries_and_restarts_nothing() -> None:
    """BACKOFF becomes FATAL without a word; what exits meanwhile stays so."""
    with a_heart(
        a_process("a", autorestart="true", startsecs=0),
        a_process("b", command="/nowhere"),
        a_process("c"),
    ) as heart:
        heart.host.behaviour("c:c").ignores = frozenset({signal.SIGTERM})
        for key in "abc":
            heart.start(key)
        heart.supervisor.shutdown(restarting=False, on_stopped=lambda: None)
        heart.host.dies("a:a")
        heart.host.until(60)
        assert heart.states("a") == "STARTING RUNNING EXITED"
        assert heart.states("b").endswith("BACKOFF FATAL")
        assert heart.said("gave up") == []
        assert heart.states("c") == "STARTING STOPPING STOPPED"


def test_shutdown_of_nothing_is_done_at_once() -> None:
    """And a second request changes only what comes after it."""
    with a_heart(a_process("a")) as heart:
        done: list[str] = []
        heart.supervisor.shutdown(restarting=True, on_stopped=lambda: done.append("first"))
        heart.supervisor.shutdown(restarting=False, on_stopped=lambda: done.append("second"))
        assert done == ["first"]
        assert heart.supervisor.mood.name == "SHUTDOWN"
        stopping = [e.name for e in heart.events if e.name.startswith("SUPERVISOR")]
        assert stopping == ["SUPERVISOR_STATE_CHANGE_STOPPING"]


def test_users_are_looked_up_where_it_may_take_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory server that does not answer must not hold up the loop, only the logs."""
    asked: list[int] = []

    def identity(uid: int) -> users.Identity:
        asked.append(uid)
        return users.Identity(uid, 7, (7, 8))

    monkeypatch.setattr("proctor.daemon.launch.identity", identity)
    with a_heart(a_process("web", uid=os.getuid() + 1)) as heart:
        heart.drain.frozen = True
        heart.start("web")
        assert not asked
        heart.drain.thaw()
        heart.host.settle()
        assert (heart.host.plans[0].gid, heart.host.plans[0].groups) == (7, (7, 8))
    assert asked == [os.getuid() + 1]


def test_who_stands_still_hears_of_no_end() -> None:
    """It is neither told nor acknowledged: the next daemon does both."""
    with a_heart(a_process("web", startsecs=0, autorestart="true")) as heart:
        heart.start("web")
        heart.supervisor.stand_still()
        heart.host.dies("web:web", code=3)
        heart.host.forward(60)
        assert heart.states("web") == "STARTING RUNNING"
        assert heart.host.acknowledged == []
        assert heart.said("exited") == []
