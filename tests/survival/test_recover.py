"""Which child goes on as which process, on a fake machine."""

from __future__ import annotations

import os
from dataclasses import replace

from builders import Heart, a_heart, a_process
from proctor.core.exits import ExitStatus
from proctor.core.plan import ChildPipes
from proctor.core.states import ProcessState
from proctor.daemon.host import ChildSink
from proctor.posix.loop_host import HeldChild, Holdings
from proctor.survival.recover import recover
from proctor.survival.snapshot import Record, record_of


def held(pid: int, status: ExitStatus | None = None) -> HeldChild:
    out, err = (os.open(os.devnull, os.O_RDONLY) for _ in range(2))
    return HeldChild("web:web", pid, "", ChildPipes(None, out, err), 0.0, status, 1.0)


def test_of_two_children_of_one_name_the_living_one_goes_on() -> None:
    """The end of the other was not acknowledged in time; that is no reason to stop this one, and
    the journal may lack it.
    """
    attached: list[int] = []
    missed: list[tuple[int, ExitStatus]] = []

    def attach(child: HeldChild, sink: ChildSink) -> None:
        attached.append(child.pid)
        if child.status is not None:
            sink.exited(child.status, child.ended)

    with a_heart(a_process("web")) as heart:
        holdings = Holdings((held(11, ExitStatus(code=1)), held(12)))
        recover(
            holdings,
            heart.supervisor,
            heart.host,
            attach,
            heart.log,
            missed=lambda child, status: missed.append((child.pid, status)),
        )
        heart.host.settle()
        assert missed == [(11, ExitStatus(code=1))]
        assert heart.process("web").pid == 12
        assert heart.process("web").state is ProcessState.STARTING
        assert sorted(attached) == [11, 12]
        assert heart.host.signals == []
        assert heart.host.acknowledged == [("web:web", 11)]


def the_record(heart: Heart, key: str = "web") -> Record:
    """What is remembered of a process at this moment."""
    process = heart.process(key)
    record = record_of(process.key, process.lifecycle, 0.0, 0.0, at=heart.host.now())
    again = Record.from_bytes(record.as_bytes(1024))
    assert again == record
    return record


def go_on(heart: Heart, record: Record, *children: HeldChild, at: float = 0.0) -> None:
    """Another daemon, at `at` seconds, with what is held and remembered."""
    heart.host.until(at)
    for child in children:
        if child.status is None:
            heart.host.revive(child.key, child.pid, heart.process("web"))

    def attach(child: HeldChild, sink: ChildSink) -> None:
        if child.status is not None:
            sink.exited(child.status, child.ended)

    holdings, records = Holdings(children, restarts=1), {record.key: record}
    recover(holdings, heart.supervisor, heart.host, attach, heart.log, records=records)
    heart.host.settle()


def test_running_is_not_announced_again() -> None:
    """It runs on, and nobody hears of it."""
    with a_heart(a_process("web", startsecs=1)) as first, a_heart(a_process("web")) as second:
        first.start("web")
        first.host.forward(2.0)
        go_on(second, the_record(first), held(101), at=3.0)
        assert second.process("web").state is ProcessState.RUNNING
        assert second.process("web").pid == 101
        assert second.states("web") == ""


def test_what_is_sent_before_its_logs_are_open_arrives() -> None:
    """They are opened by a thread, and meanwhile clients are served."""
    with a_heart(a_process("web")) as first, a_heart(a_process("web")) as second:
        first.start("web")
        first.host.forward(2.0)
        read, write = os.pipe()
        child = held(101)
        second.drain.frozen = True
        pipes = replace(child.pipes, stdin=write)
        go_on(second, the_record(first), replace(child, pipes=pipes), at=3.0)
        second.process("web").write_stdin(b"hello\n")
        assert os.read(read, 100) == b"hello\n"
        second.drain.thaw()
        second.host.settle()
        os.close(read)


def test_time_spent_in_starting_counts() -> None:
    """STARTING is not announced again, RUNNING comes when it would have come."""
    with a_heart(a_process("web", startsecs=9)) as first:
        first.host.forward(1.0)
        first.supervisor.start(first.process("web"))
        record = the_record(first)
    child = held(101)
    object.__setattr__(child, "started", 1.0)
    with a_heart(a_process("web", startsecs=9)) as second:
        go_on(second, record, child, at=5.0)
        second.host.until(9.9)
        assert second.states("web") == ""
        second.host.until(10.0)
        assert second.states("web") == "RUNNING"


def test_a_child_that_never_came_to_be_is_asked_for_again() -> None:
    """The daemon died between STARTING and the request to the keeper: one STARTING, one child."""
    with a_heart(a_process("web")) as first, a_heart(a_process("web")) as second:
        first.supervisor.start(first.process("web"))
        go_on(second, the_record(first))
        second.host.forward(2.0)
        assert second.states("web") == "RUNNING"
        assert len(second.host.plans) == 1


def test_the_wait_for_the_next_try_goes_on() -> None:
    """With the tries it has had, until the moment at which it would have ended."""
    with a_heart(a_process("web", startretries=5)) as first:
        first.host.always_dies("web:web")
        first.start("web")
        first.host.until(1.0)
        record = the_record(first)
    assert (record.tries, record.deadline) == (2, 3.0)
    with a_heart(a_process("web", startretries=5)) as second:
        second.host.always_dies("web:web")
        go_on(second, record, at=2.0)
        assert second.host.plans == []
        second.host.until(3.0)
        assert len(second.host.plans) == 1
        assert second.process("web").lifecycle.tries == 3


def test_an_end_that_was_announced_is_only_acknowledged() -> None:
    """The daemon died after it had told everybody, before it had told the keeper."""
    with a_heart(a_process("web", autorestart="false")) as first:
        first.start("web")
        first.host.forward(2.0)
        first.host.dies("web:web", 4)
        record = the_record(first)
    with a_heart(a_process("web", autorestart="false")) as second:
        go_on(second, record, held(101, ExitStatus(code=4)), at=3.0)
        assert second.process("web").state is ProcessState.EXITED
        assert second.states("web") == ""
        assert second.host.acknowledged == [("web:web", 101)]


def test_a_start_that_follows_an_announced_end_is_not_mistaken_for_it() -> None:
    """STARTING was written down; the child that is held ended before."""
    with a_heart(a_process("web", startsecs=5)) as first:
        first.host.forward(3.0)
        first.supervisor.start(first.process("web"))
        record = the_record(first)
    with a_heart(a_process("web", startsecs=5)) as second:
        go_on(second, record, held(101, ExitStatus(code=4)), at=4.0)
        assert len(second.host.plans) == 1
        assert second.process("web").state is ProcessState.STARTING


def test_a_stop_goes_on() -> None:
    """Who was asked to end is not asked again, and killed when it would have been."""
    with a_heart(a_process("web", stopwaitsecs=10)) as first:
        first.host.behaviour("web:web").ignores = frozenset({15})
        first.start("web")
        first.host.until(5.0)
        first.stop("web")
        record = the_record(first)
    for signalled, expected in (({15: 5.0}, []), ({15: 2.0}, [15]), ({}, [15])):
        child = held(101)
        object.__setattr__(child, "signalled", signalled)
        with a_heart(a_process("web", stopwaitsecs=10)) as second:
            second.host.behaviour("web:web").ignores = frozenset({15})
            go_on(second, record, child, at=9.0)
            assert [signum for _, _, signum, _ in second.host.signals] == expected
            second.host.until(15.0 if signalled == {15: 5.0} else 19.0)
            assert [signum for _, _, signum, _ in second.host.signals] == [*expected, 9]
            assert second.states("web") == "STOPPED"


def test_a_run_whose_end_nobody_saw_has_ended() -> None:
    """There is no child: its exit status is unknown, and that is what everybody hears."""
    with a_heart(a_process("web")) as first, a_heart(a_process("web")) as second:
        first.start("web")
        first.host.forward(2.0)
        go_on(second, the_record(first), at=3.0)
        assert second.states("web").split()[:2] == ["EXITED", "STARTING"]
        assert second.said("exited: web (exit status unknown; not expected)")


def test_a_changed_program_is_started_again() -> None:
    """As `update` would: it is stopped, then started as it is configured now."""
    with a_heart(a_process("web")) as first, a_heart(a_process("web", autostart=True)) as second:
        first.start("web")
        first.host.forward(2.0)
        record = replace(the_record(first), spec="other")
        go_on(second, record, held(101), at=3.0)
        assert second.states("web") == "STOPPING STOPPED STARTING"
        assert [plan.key for plan in second.host.plans] == ["web:web"]


def test_a_record_that_is_too_long_leaves_out_what_is_dear_to_nobody() -> None:
    """The state is what counts."""
    logs = {"stdout": "/" + 2000 * "x"}
    record = Record("a:a", 20, 1.0, 2.0, spawnerr="no", logs=logs)
    assert Record.from_bytes(record.as_bytes(1024)) == replace(record, spawnerr="", logs={})
