"""Who changed what: a line for each change that was asked for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from api.desk import Desk, Sit
from builders import a_group, a_process
from proctor.api.access import asked_by
from proctor.core.caller import Caller, How, Peer, Role
from proctor.core.events import Event, ProcessStateChanged
from proctor.core.faults import Fault
from proctor.core.plan import ChildPipes

ALICE = Caller(How.TCP, user="alice", address="10.0.0.7:51034")
VERA = Caller(How.TCP, Role.VIEW, user="vera", address="10.0.0.8:1")


@pytest.fixture
def desk(sit: Sit) -> Desk:
    """A group of two, and one more."""
    two = [a_process(name, autostart=False) for name in ("a", "b")]
    return sit(a_group("web", *two), a_process("mail", autostart=False))


def audits(desk: Desk) -> list[str]:
    """The audit lines, without their time."""
    return [line.partition("audit: ")[2].strip() for line in desk.heart.said("audit: ")]


def test_a_change_leaves_a_line_with_who_where_what_and_its_fate(desk: Desk) -> None:
    """At INFO, once, when it is decided."""
    with asked_by(ALICE):
        desk.ask(desk.service.start_process("mail", wait=False))
        desk.refusal(desk.service.start_process("mail"))
    assert audits(desk) == [
        "alice from 10.0.0.7:51034: start_process mail: OK",
        "alice from 10.0.0.7:51034: start_process mail: ALREADY_STARTED: mail",
    ]
    assert all(line.startswith("INFO audit: ") for line in desk.heart.said("audit: "))


def test_a_program_of_ours_is_known_by_its_name(desk: Desk) -> None:
    """In the log and in the causes of what follows; also a child of it, by its process group."""
    heart = desk.heart
    causes: list[str] = []

    def hear(event: Event) -> None:
        assert isinstance(event, ProcessStateChanged)
        causes.append(event.cause.who if event.cause else "")

    heart.supervisor.bus.subscribe(hear, ["PROCESS_STATE_STARTING"])
    with leading_a_group() as (leader, member):
        heart.process("web:a").adopt(leader, ChildPipes(None, None, None), 0.0, lambda: None)
        for name, pid in (("web:b", leader), ("mail", member)):
            with asked_by(Caller(How.UNIX, peer=Peer(pid, 0, 0))):
                desk.ask(desk.service.start_process(name, wait=False))
    assert causes[-2:] == [f"web:a (pid {leader})", f"web:a (pid {member})"]
    assert audits(desk)[-1] == f"web:a, uid 0 (pid {member}): start_process mail: OK"


@contextmanager
def leading_a_group() -> Iterator[tuple[int, int]]:
    """The pids of two processes in one process group; they end with their stdin."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, process_group=0) as leader,
        subprocess.Popen(command, stdin=subprocess.PIPE, process_group=leader.pid) as member,
    ):
        yield leader.pid, member.pid


def test_an_action_on_many_counts_what_became_of_each(desk: Desk) -> None:
    """One line, also for `group:*`."""
    with asked_by(ALICE):
        desk.ask(desk.service.start_process("web:*", wait=False))
        desk.ask(desk.service.signal_process_group("web", "NOSUCH"))
    assert audits(desk) == [
        "alice from 10.0.0.7:51034: start_process web:*: 2 OK",
        "alice from 10.0.0.7:51034: signal_process_group web NOSUCH: 2 BAD_SIGNAL: NOSUCH",
    ]


def test_a_refusal_for_lack_of_rights_is_written_down(desk: Desk) -> None:
    """Whoever tries what they may not is of interest."""
    with asked_by(VERA):
        desk.refusal(desk.service.shutdown())
    assert audits(desk) == [
        "vera from 10.0.0.8:1: shutdown: FORBIDDEN: vera may not shutdown: that needs the role"
        " admin"
    ]


def test_looking_leaves_no_line_and_neither_does_the_daemon_itself(desk: Desk) -> None:
    """Signals have lines of their own."""
    with asked_by(ALICE):
        desk.ask(desk.service.get_all_process_info())
        desk.ask(desk.service.tail_process_stdout_log("mail", 0, 10))
    desk.ask(desk.service.start_process("mail", wait=False))
    with asked_by(Caller(How.SIGNAL)):
        desk.ask(desk.service.stop_process("mail", wait=False))
    assert audits(desk) == []


def test_what_is_sent_to_a_program_is_not_written_down(desk: Desk) -> None:
    """It may be a password; and a name with a line end in it stays one line."""
    with asked_by(ALICE):
        desk.ask(desk.service.start_process("mail", wait=False))
        desk.ask(desk.service.send_process_stdin("mail", "hunter2\n"))
        desk.refusal(desk.service.stop_process("x\nINFO forged"))
    assert not desk.heart.said("hunter2")
    assert r"stop_process x\nINFO forged: BAD_NAME" in audits(desk)[-1]


def test_whoever_gives_up_waiting_leaves_a_line_too(desk: Desk) -> None:
    """The order stands; only its end was not awaited."""

    async def leave() -> None:
        with asked_by(ALICE):
            waiting = asyncio.ensure_future(desk.service.start_process("mail"))
        await desk.breathe()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(leave())
    assert audits(desk) == ["alice from 10.0.0.7:51034: start_process mail: given up by the caller"]


def test_audit_false_writes_nothing(desk: Desk) -> None:
    """And checks all the same."""
    desk.heart.supervisor.settings = desk.heart.supervisor.settings._replace(audit=False)
    with asked_by(VERA), pytest.raises(Fault, match="FORBIDDEN"):
        asyncio.run(desk.service.start_process("mail"))
    assert audits(desk) == []
