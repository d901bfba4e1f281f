"""Start, stop, signal, feed and look, as clients of the original know it."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from api.desk import Desk, Sit
from builders import a_group, a_process
from fakes import EPOCH, NO_DESCRIPTORS
from proctor.core.faults import Fault
from proctor.core.info import ActionResult
from proctor.core.states import ProcessState

SIGTERM, SIGKILL = 15, 9


def _brief(results: object) -> list[tuple[str, int, str]]:
    assert isinstance(results, list)
    assert all(isinstance(result, ActionResult) for result in results)
    return [(f"{r.group}:{r.name}", r.status, r.description) for r in results]


# Start


def test_a_waiting_start_answers_when_the_process_runs(sit: Sit) -> None:
    """True comes after startsecs, not before."""
    desk = sit(a_process("web", startsecs=7))
    assert desk.ask(desk.service.start_process("web")) is True
    assert desk.heart.process("web").state is ProcessState.RUNNING
    assert desk.heart.host.now() == 7


def test_a_start_without_waiting_answers_when_there_is_a_child(sit: Sit) -> None:
    """True comes with the pid, while the process is still STARTING."""
    desk = sit(a_process("web", startsecs=7))
    desk.heart.host.behaviour("web:web").spawn_delay = 0.5
    assert desk.ask(desk.service.start_process("web", False)) is True
    assert desk.heart.process("web").state is ProcessState.STARTING
    assert (desk.heart.process("web").pid, desk.heart.host.now()) == (101, 0.5)


def test_dying_too_early_is_a_spawn_error_after_the_first_try(sit: Sit) -> None:
    """The caller hears of the first failure; the retries go on."""
    desk = sit(a_process("web"))
    desk.heart.host.always_dies("web:web")
    assert desk.refusal(desk.service.start_process("web")) == (50, "SPAWN_ERROR: web")
    assert desk.heart.host.now() == 0
    desk.heart.host.forward(20)
    assert desk.heart.process("web").state is ProcessState.FATAL


@pytest.mark.parametrize("wait", [True, False])
def test_no_child_at_all_is_a_spawn_error(sit: Sit, wait: bool) -> None:
    """A failed fork is told at once, waiting or not."""
    desk = sit(a_process("web"))
    desk.heart.host.behaviour("web:web").spawn_failure = NO_DESCRIPTORS
    assert desk.refusal(desk.service.start_process("web", wait)) == (50, "SPAWN_ERROR: web")


@pytest.mark.parametrize("startsecs", [0, 1])
def test_a_child_that_ends_at_once_was_started(sit: Sit, startsecs: int) -> None:
    """Who does not wait is told so, however soon its end is heard."""
    desk = sit(a_process("web", startsecs=startsecs, autorestart="false"))
    desk.heart.host.always_dies("web:web")
    assert desk.ask(desk.service.start_process("web", False)) is True


def test_being_stopped_while_starting_is_an_abnormal_termination(sit: Sit) -> None:
    """Somebody else's stop ends the wait."""
    desk = sit(a_process("web", startsecs=10))

    async def both() -> None:
        start = asyncio.ensure_future(desk.service.start_process("web"))
        await desk.breathe()
        await desk.service.stop_process("web", False)
        await desk.breathe()
        await start

    with pytest.raises(Fault, match=r"^ABNORMAL_TERMINATION: web$"):
        asyncio.run(both())


def test_a_running_process_is_already_started(sit: Sit) -> None:
    """STARTING, RUNNING and BACKOFF refuse alike; the name is the caller's."""
    desk = sit(a_process("a", group="g", startsecs=5))
    desk.heart.start("g:a")
    assert desk.refusal(desk.service.start_process("g:a")) == (60, "ALREADY_STARTED: g:a")
    desk.heart.host.forward(6)
    assert desk.refusal(desk.service.start_process("g:a")) == (60, "ALREADY_STARTED: g:a")
    desk.heart.host.always_dies("g:a")
    desk.heart.host.dies("g:a", 0)
    desk.heart.start("g:a")
    assert desk.heart.process("g:a").state is ProcessState.BACKOFF
    assert desk.refusal(desk.service.start_process("g:a")) == (60, "ALREADY_STARTED: g:a")


def test_a_command_that_cannot_run_leaves_everything_untouched(sit: Sit, tmp_path: Path) -> None:
    """NO_FILE and NOT_EXECUTABLE are checked first; no start is tried."""
    script = tmp_path / "script"
    script.write_text("")
    desk = sit(a_process("gone", command="/nonexistent/x"), a_process("plain", command=str(script)))
    missing = "NO_FILE: can't find command '/nonexistent/x'"
    assert desk.refusal(desk.service.start_process("gone")) == (20, missing)
    plain = f"NOT_EXECUTABLE: command at '{script}' is not executable"
    assert desk.refusal(desk.service.start_process("plain")) == (21, plain)
    info = desk.ask(desk.service.get_process_info("gone"))
    assert (info.statename, info.start, info.description) == ("STOPPED", 0, "Not started")


def test_the_command_is_checked_before_the_state(sit: Sit, tmp_path: Path) -> None:
    """A running process whose file was deleted: NO_FILE, not ALREADY_STARTED."""
    script = tmp_path / "script"
    script.write_text("")
    script.chmod(0o755)
    desk = sit(a_process("web", command=str(script)))
    desk.heart.start("web")
    os.unlink(script)
    assert desk.refusal(desk.service.start_process("web"))[0] == 20


def test_a_process_in_an_unknown_state_cannot_be_started(sit: Sit) -> None:
    """FAILED, with the reason."""
    desk = sit(a_process("web", startsecs=0))
    desk.heart.start("web")
    desk.heart.host.behaviour("web:web").refuses_signals = errno.EPERM
    refused = (30, "FAILED: web is in an unknown process state")
    assert desk.refusal(desk.service.stop_process("web")) == refused
    assert desk.heart.process("web").state is ProcessState.UNKNOWN
    assert desk.refusal(desk.service.start_process("web")) == refused


def test_starting_what_is_being_stopped(sit: Sit) -> None:
    """A waiting caller learns that it ended; another hears no refusal; there is no new child."""
    desk = sit(a_process("web", startsecs=0))
    desk.heart.start("web")
    desk.heart.host.behaviour("web:web").ignores = frozenset({SIGTERM})
    desk.heart.stop("web")
    abnormal = (40, "ABNORMAL_TERMINATION: web")
    assert desk.refusal(desk.service.start_process("web")) == abnormal
    assert desk.ask(desk.service.start_process("web", False)) is True
    assert len(desk.heart.host.plans) == 1
    assert desk.heart.said("WARN process 'web' already running")


@pytest.mark.parametrize("name", ["g:*", "g:"])
def test_a_group_is_started_by_a_star(sit: Sit, name: str) -> None:
    """The answer is a list: a struct for each process that was not running."""
    desk = sit(a_group("g", a_process("a"), a_process("b"), a_process("c")))
    desk.heart.start("g:b")
    results = desk.ask(desk.service.start_process(name))
    assert _brief(results) == [("g:a", 80, "OK"), ("g:c", 80, "OK")]
    assert desk.ask(desk.service.start_process_group("g")) == []


def test_everything_starts_by_priority_and_is_then_waited_for(sit: Sit) -> None:
    """Group priority, then process priority, then creation; all at once, refusals first."""
    desk = sit(
        a_group("late", a_process("z", priority=2), a_process("y", priority=1), priority=1000),
        a_group("b", a_process("slow", startsecs=5), a_process("bad", command="/nonexistent/x")),
        a_group("a", a_process("quick", startsecs=0)),
    )
    results = desk.ask(desk.service.start_all_processes())
    spawned = [plan.key for plan in desk.heart.host.plans]
    assert spawned == ["b:slow", "a:quick", "late:y", "late:z"]
    assert [name for name, _, _ in _brief(results)] == [
        "b:bad",
        "a:quick",
        "late:y",
        "late:z",
        "b:slow",
    ]
    assert _brief(results)[0][1:] == (20, "NO_FILE: can't find command '/nonexistent/x'")


def test_without_waiting_results_come_in_the_order_of_the_processes(sit: Sit) -> None:
    """Refusals stand in their place; a failed spawn is named with its group."""
    desk = sit(a_group("g", a_process("a"), a_process("b", command=""), a_process("c")))
    desk.heart.host.behaviour("g:a").spawn_failure = NO_DESCRIPTORS
    assert _brief(desk.ask(desk.service.start_process_group("g", False))) == [
        ("g:a", 50, "SPAWN_ERROR: g:a"),
        ("g:b", 21, "NOT_EXECUTABLE: command is empty"),
        ("g:c", 80, "OK"),
    ]


def test_others_are_served_while_somebody_waits(sit: Sit) -> None:
    """A start that takes long delays no question."""
    desk = sit(a_process("web", startsecs=100))

    async def both() -> str:
        start = asyncio.ensure_future(desk.service.start_process("web"))
        await desk.breathe()
        info = await desk.service.get_process_info("web")
        start.cancel()
        return info.statename

    assert asyncio.run(both()) == "STARTING"


def test_a_caller_who_goes_away_stops_nothing_and_leaves_nothing(sit: Sit) -> None:
    """The start goes on; no timer and no observer is left of the one who waited."""
    desk = sit(a_process("web", startsecs=3))

    async def leave() -> None:
        for waiting in (desk.service.start_process("web"), desk.service.stop_process("web")):
            task = asyncio.ensure_future(waiting)
            await desk.breathe()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    desk.heart.host.behaviour("web:web").ignores = frozenset({SIGTERM})
    asyncio.run(leave())
    desk.heart.host.forward(60)
    assert desk.heart.states("web") == "STARTING STOPPING STOPPED"
    assert desk.heart.host.next_timer() is None
    assert len(desk.heart.said("waiting for web to stop")) == 1


# Stop


def test_a_waiting_stop_answers_when_the_process_has_ended(sit: Sit) -> None:
    """With a line in the log at once and every two seconds."""
    desk = sit(a_process("web", startsecs=0, stopwaitsecs=5))
    desk.heart.start("web")
    desk.heart.host.behaviour("web:web").ignores = frozenset({SIGTERM})
    assert desk.ask(desk.service.stop_process("web")) is True
    assert desk.heart.host.now() == 5
    assert len(desk.heart.said("INFO waiting for web to stop")) == 3
    assert desk.heart.host.next_timer() is None


def test_a_stop_without_waiting_answers_at_once(sit: Sit) -> None:
    """The process is STOPPING then, and nobody reports on it."""
    desk = sit(a_process("web", startsecs=0))
    desk.heart.start("web")
    desk.heart.host.behaviour("web:web").ignores = frozenset({SIGTERM})
    assert desk.ask(desk.service.stop_process("web", False)) is True
    assert desk.heart.process("web").state is ProcessState.STOPPING
    assert not desk.heart.said("waiting for")


def test_what_is_not_running_cannot_be_stopped(sit: Sit) -> None:
    """Nor what is being stopped already; groups leave them out."""
    desk = sit(a_process("web", startsecs=0))
    assert desk.refusal(desk.service.stop_process("web")) == (70, "NOT_RUNNING: web")
    assert desk.ask(desk.service.stop_process("web:*")) == []
    desk.heart.start("web")
    desk.heart.host.behaviour("web:web").ignores = frozenset({SIGTERM})
    desk.heart.stop("web")
    assert desk.refusal(desk.service.stop_process("web")) == (70, "NOT_RUNNING: web")
    assert desk.ask(desk.service.stop_process_group("web")) == []


def test_a_pending_retry_is_stopped_at_once(sit: Sit) -> None:
    """BACKOFF becomes STOPPED, and nobody waits (gotcha G33)."""
    desk = sit(a_process("web"))
    desk.heart.host.always_dies("web:web")
    desk.heart.start("web")
    assert desk.ask(desk.service.stop_process("web")) is True
    assert desk.heart.process("web").state is ProcessState.STOPPED
    assert not desk.heart.said("waiting for")


def test_a_group_is_signalled_from_the_highest_priority_down(sit: Sit) -> None:
    """All at once; the results come as they end (gotcha G11)."""
    members = [a_process(name, startsecs=0, priority=n) for n, name in enumerate("abc")]
    desk = sit(a_group("g", *members))
    desk.ask(desk.service.start_all_processes())
    results = desk.ask(desk.service.stop_process("g:*", False))
    assert [key for key, *_ in desk.heart.host.signals] == ["g:c", "g:b", "g:a"]
    assert [name for name, _, _ in _brief(results)] == ["g:a", "g:b", "g:c"]


def test_stop_all_waits_for_all(sit: Sit) -> None:
    """One answer, when the last has ended, in the order in which they ended."""
    desk = sit(*(a_process(name, startsecs=0, stopwaitsecs=3) for name in ("stubborn", "meek")))
    desk.ask(desk.service.start_all_processes())
    desk.heart.host.behaviour("stubborn:stubborn").ignores = frozenset({SIGTERM})
    results = desk.ask(desk.service.stop_all_processes())
    assert _brief(results) == [("meek:meek", 80, "OK"), ("stubborn:stubborn", 80, "OK")]
    assert desk.heart.host.now() == 3


# Signal and feed


@pytest.mark.parametrize(
    ("signal", "number"),
    [("HUP", 1), ("sighup", 1), ("1", 1), (1, 1), (" HUP ", 1), (0, 0), ("0", 0), ("SIGRTMIN", 34)],
)
def test_signals_have_names_and_numbers(sit: Sit, signal: str | int, number: int) -> None:
    """In any case, with or without SIG; 0 asks only whether it is alive (gotcha G92)."""
    desk = sit(a_process("web", startsecs=0, stopasgroup=True))
    desk.heart.start("web")
    assert desk.ask(desk.service.signal_process("web", signal)) is True
    assert desk.heart.host.signals == [("web:web", 101, number, False)]
    assert desk.heart.process("web").state is ProcessState.RUNNING


@pytest.mark.parametrize("signal", ["HUPP", "", "-1", "99", 99, 40, "_DFL", "\u0661"])
def test_what_is_no_signal(sit: Sit, signal: str | int) -> None:
    """BAD_SIGNAL comes after BAD_NAME and before NOT_RUNNING."""
    desk = sit(a_process("web"))
    text = f"BAD_SIGNAL: {signal}" if signal != "" else "BAD_SIGNAL"
    assert desk.refusal(desk.service.signal_process("web", signal)) == (11, text)
    assert desk.refusal(desk.service.signal_process("nope", signal)) == (10, "BAD_NAME: nope")


def test_a_group_is_signalled_where_there_is_a_child(sit: Sit) -> None:
    """What rests is left out; a bad signal is the result of each."""
    desk = sit(a_group("g", a_process("a"), a_process("b")))
    assert desk.refusal(desk.service.signal_process("g:a", "HUP")) == (70, "NOT_RUNNING: g:a")
    assert desk.ask(desk.service.signal_all_processes("HUPP")) == []
    desk.heart.start("g:b")
    assert _brief(desk.ask(desk.service.signal_process("g:*", "HUP"))) == [("g:b", 80, "OK")]
    bad = [("g:b", 11, "BAD_SIGNAL: HUPP")]
    assert _brief(desk.ask(desk.service.signal_process_group("g", "HUPP"))) == bad


def test_text_is_sent_to_stdin_as_utf8(sit: Sit) -> None:
    """Only to a process that has a child and is not being stopped."""
    desk = sit(a_process("web", startsecs=0))
    send = desk.service.send_process_stdin
    assert desk.refusal(send("web", "x")) == (70, "NOT_RUNNING: web")
    desk.heart.start("web")
    assert desk.ask(send("web", "größer\n")) is True
    assert desk.heart.host.children["web:web"].read_stdin() == "größer\n".encode()
    assert desk.refusal(send("web:*", "x")) == (10, "BAD_NAME: web:*")
    desk.heart.host.behaviour("web:web").ignores = frozenset({SIGTERM})
    desk.heart.stop("web")
    assert desk.refusal(send("web", "x")) == (70, "NOT_RUNNING: web")


def test_a_closed_stdin_is_no_file(sit: Sit) -> None:
    """A child that closed its end: NO_FILE with the caller's name."""
    desk = sit(a_process("web", startsecs=0))
    desk.heart.start("web")
    child = desk.heart.host.children["web:web"]
    assert child.stdin is not None
    os.close(child.stdin)
    child.stdin = None
    assert desk.refusal(desk.service.send_process_stdin("web", "x")) == (20, "NO_FILE: web")


# Names


@pytest.mark.parametrize("name", ["nope", "nope:*", "g", "g:nope", "", ":", "nope:a"])
def test_a_name_that_is_nobodys(sit: Sit, name: str) -> None:
    """BAD_NAME with the name as given, for every verb that takes one."""
    desk = sit(a_group("g", a_process("a")))
    service = desk.service
    refused = (10, f"BAD_NAME: {name}" if name else "BAD_NAME")
    assert desk.refusal(service.start_process(name)) == refused
    assert desk.refusal(service.stop_process(name)) == refused
    assert desk.refusal(service.signal_process(name, "HUP")) == refused
    assert desk.refusal(service.get_process_info(name)) == refused
    assert desk.refusal(service.send_process_stdin(name, "x")) == refused


def test_a_group_that_is_not_there(sit: Sit) -> None:
    """BAD_NAME from the verbs about groups."""
    desk = sit(a_process("web"))
    for verb in (desk.service.start_process_group, desk.service.stop_process_group):
        assert desk.refusal(verb("nope")) == (10, "BAD_NAME: nope")
    refused = desk.refusal(desk.service.signal_process_group("nope", "HUPP"))
    assert refused == (10, "BAD_NAME: nope")


# Look


def test_what_is_known_of_a_process(sit: Sit) -> None:
    """All keys, before, during and after a run."""
    desk = sit(a_process("web", group="g", autorestart="false"))
    before = desk.ask(desk.service.get_process_info("g:web")).as_struct()
    assert before == {
        "name": "web", "group": "g", "start": 0, "stop": 0, "now": int(EPOCH), "state": 0,
        "statename": "STOPPED", "spawnerr": "", "exitstatus": 0, "logfile": "",
        "stdout_logfile": "", "stderr_logfile": "", "pid": 0, "description": "Not started",
    }  # fmt: skip
    desk.heart.start("g:web")
    desk.heart.host.forward(3725.9)
    during = desk.ask(desk.service.get_process_info("g:web"))
    assert (during.state, during.pid, during.start) == (20, 101, int(EPOCH))
    assert during.description == "pid 101, uptime 1:02:05"
    desk.heart.host.dies("g:web", signum=SIGKILL)
    after = desk.ask(desk.service.get_process_info("g:web"))
    assert (after.state, after.pid, after.exitstatus) == (100, 0, -1)
    assert (after.start, after.stop) == (int(EPOCH), int(EPOCH) + 3725)
    assert after.spawnerr == "Bad exit code -1"


def test_all_processes_are_listed_by_group_and_name(sit: Sit) -> None:
    """Whatever their priority and order of creation."""
    desk = sit(a_group("g", a_process("z"), a_process("a")), a_process("b"), a_process("h"))
    infos = desk.ask(desk.service.get_all_process_info())
    assert [(i.group, i.name) for i in infos] == [("b", "b"), ("g", "a"), ("g", "z"), ("h", "h")]


def test_asking_about_a_whole_group_is_a_bad_name(sit: Sit) -> None:
    """getProcessInfo wants one process."""
    desk: Desk = sit(a_group("g", a_process("a")))
    assert desk.refusal(desk.service.get_process_info("g:*")) == (10, "BAD_NAME: g:*")
