"""Every change of a process knows why."""

from __future__ import annotations

import pytest

from builders import a_group, a_heart, a_process
from fakes import Behaviour
from proctor.core.cause import Cause, CauseKind, asked, because
from proctor.core.events import ProcessStateChanged
from proctor.core.exits import ExitStatus, Usage


def causes(heart: object, name: str = "web") -> list[str]:
    """`STATE kind` of every change, with who asked and the text behind it."""
    found = []
    for event in heart.events:  # type: ignore[attr-defined]
        if isinstance(event, ProcessStateChanged) and event.process == name:
            cause = event.cause
            assert cause is not None
            words = [event.state.name, cause.kind.value, cause.who, cause.text]
            found.append(" ".join(word for word in words if word))
    return found


def test_a_start_by_request_names_who_asked() -> None:
    """The command's cause is that of the change; what follows by itself has its own."""
    with a_heart(a_process()) as heart:
        with because(CauseKind.REQUEST, who="alice"):
            heart.start("web")
        heart.host.forward(2)
        with because(CauseKind.REQUEST, who="bob"):
            heart.stop("web")

        assert causes(heart) == [
            "STARTING request alice",
            "RUNNING stayed up",
            "STOPPING request bob",
            "STOPPED request bob",
        ]


def test_an_autostart_a_crash_and_the_restart() -> None:
    """A program that dies has its exit as cause, and the restart after it the rule's."""
    with a_heart(a_process(autostart=True, autorestart="true")) as heart:
        heart.supervisor.autostart()
        heart.host.forward(2)
        heart.host.dies("web:web", code=3)

        assert causes(heart) == [
            "STARTING autostart",
            "RUNNING stayed up",
            "EXITED exit",
            "STARTING autorestart",
        ]


def test_retries_until_it_is_given_up() -> None:
    """Too quick an end is an exit, the tries after it are retries, the last word is ours."""
    with a_heart(a_process(startretries=1)) as heart:
        heart.host.behaviours["web:web"] = Behaviour(lifetime=0.1, code=1)
        heart.start("web")
        heart.host.forward(60)

        assert causes(heart) == [
            "STARTING request",
            "BACKOFF exit",
            "STARTING retry",
            "BACKOFF exit",
            "FATAL gave up",
        ]


def test_a_failed_spawn_says_why() -> None:
    """The reason is in the cause."""
    with a_heart(a_process(command="/no/such/thing")) as heart:
        heart.process("web").start()
        heart.host.settle()

        assert causes(heart)[1].startswith("BACKOFF spawn failed ")
        assert "/no/such/thing" in causes(heart)[1]


def test_an_end_by_a_signal_that_somebody_had_sent() -> None:
    """Who sent the signal is who ended it; a signal that nobody sent is an exit."""
    with a_heart(a_process(autorestart="false")) as heart:
        heart.start("web")
        heart.host.forward(2)
        with because(CauseKind.REQUEST, who="alice"):
            heart.supervisor.signal(heart.process("web"), 10)
        heart.host.dies("web:web", signum=10)
        assert causes(heart)[-1] == "EXITED signal alice SIGUSR1"

        heart.start("web")
        heart.host.forward(2)
        heart.host.dies("web:web", signum=10)
        assert causes(heart)[-1] == "EXITED exit"


def test_a_stop_that_needs_a_kill_says_so() -> None:
    """It did not end within stopwaitsecs."""
    with a_heart(a_process(stopwaitsecs=5)) as heart:
        heart.host.behaviours["web:web"] = Behaviour(ignores=frozenset({15}))
        heart.start("web")
        heart.host.forward(2)
        heart.stop("web")
        heart.host.forward(10)

        assert causes(heart)[-1] == "STOPPED request killed"


@pytest.mark.parametrize("restarting", [False, True])
def test_a_shutdown_is_the_cause_of_every_stop(restarting: bool) -> None:
    """Also of those whose turn comes later."""
    group = a_group("all", a_process("one"), a_process("two"), priority=1)
    with a_heart(group, a_process("web")) as heart:
        for key in ("all:one", "all:two", "web"):
            heart.start(key)
        heart.host.forward(2)
        with because(CauseKind.RELOAD if restarting else CauseKind.SHUTDOWN, "SIGX", who="alice"):
            heart.supervisor.shutdown(restarting, lambda: None)
        heart.host.forward(5)

        kind = "reload" if restarting else "shutdown"
        for name in ("one", "two", "web"):
            assert causes(heart, name)[-2:] == [
                f"STOPPING {kind} alice SIGX",
                f"STOPPED {kind} alice SIGX",
            ]


def test_the_outermost_reason_counts() -> None:
    """An autostart that an update makes is the update's."""
    with because(CauseKind.UPDATE, who="alice"), because(CauseKind.AUTOSTART):
        assert asked() == Cause(CauseKind.UPDATE, "alice")
    assert asked() == Cause(CauseKind.REQUEST)


def test_two_ends_are_the_same_whatever_the_runs_took() -> None:
    """Usage is not part of an exit status; nonsense is none."""
    status = ExitStatus.from_wait(256, [0.5, 0.25, 2048])
    assert status == ExitStatus(code=1)
    assert status.usage == Usage(0.5, 0.25, 2 * 1024 * 1024)
    assert ExitStatus.from_wait(9).usage is None
