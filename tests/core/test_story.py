"""Why a process is as it is: sentences over many histories."""

from __future__ import annotations

from proctor.core.cause import Cause, CauseKind
from proctor.core.exits import ExitStatus, Usage
from proctor.core.history import Birth, Change, Explanation, Run
from proctor.core.span import span
from proctor.core.states import ProcessState
from proctor.core.story import Present, explain

ALICE = Cause(CauseKind.REQUEST, "alice (uid 1000, pid 7)")
AUTOSTART = Cause(CauseKind.AUTOSTART)
EXIT = Cause(CauseKind.EXIT)
KEY = "web:web"


class Tale:
    """A history in the making: each call is a change, `seconds` after the one before."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.changes: list[Change] = []
        self.runs: dict[int, Run] = {}
        self.state = ProcessState.STOPPED
        self.pid = 0

    def turn(
        self,
        state: str,
        cause: Cause,
        *,
        after: float = 0.0,
        status: ExitStatus | None = None,
        expected: bool = True,
        tries: int = 0,
    ) -> Tale:
        self.now += after
        was, self.state = self.state, ProcessState[state]
        change = Change(self.now, KEY, was, self.state, cause, self.pid, tries, expected, status)
        self.changes.append(change)
        return self

    def start(self, cause: Cause = ALICE, *, pid: int = 10, after: float = 0.0) -> Tale:
        self.turn("STARTING", cause, after=after)
        self.pid = pid
        self.runs[pid] = Run(len(self.runs) + 1, Birth(KEY, pid, self.now), self.now, cause)
        return self

    def run(self, cause: Cause = ALICE, *, pid: int = 10, after: float = 0.0) -> Tale:
        return self.start(cause, pid=pid, after=after).turn(
            "RUNNING", Cause(CauseKind.STAYED_UP), after=1
        )

    def told(self, after: float = 0.0) -> Explanation:
        alive = self.state in (ProcessState.RUNNING, ProcessState.STOPPING)
        present = Present(KEY, self.state, self.now + after, self.pid if alive else 0)
        return explain(present, self.changes, self.runs, lambda when: f"t{when:g}")

    def steps(self) -> list[str]:
        return [step.text for step in self.told().steps]


def test_a_program_that_alice_started() -> None:
    """Since when, for how long, by whom."""
    tale = Tale().run()
    assert tale.told(after=59).sentence == (
        "web is RUNNING since t1000, for 1 min (pid 10): it was started by alice (uid 1000, pid 7)."
    )


def test_a_program_that_was_never_started() -> None:
    """There is nothing to tell."""
    assert Tale().told().sentence == (
        "web is STOPPED: it was not started since the journal begins."
    )


def test_a_program_that_crashed_and_runs_again() -> None:
    """The sentence says what made the restart necessary."""
    tale = Tale().run(AUTOSTART)
    tale.turn("EXITED", EXIT, after=100, status=ExitStatus(code=1), expected=False)
    tale.run(Cause(CauseKind.AUTORESTART), pid=11)
    assert tale.told(after=9).sentence == (
        "web is RUNNING since t1101, for 10 s (pid 11): it was started again by itself"
        " (autorestart) after it ended by itself (exit status 1), which was not expected."
    )
    assert tale.steps() == [
        "was started with its group (autostart)",
        "ended by itself after 1 min 41 s (exit status 1), which was not expected",
        "was started again by itself (autorestart)",
    ]


def test_a_daemon_that_took_it_over_is_told_of() -> None:
    """How it came to run stays the headline; many daemons are one step."""
    tale = Tale().run(AUTOSTART)
    for _ in range(20):
        tale.turn("RUNNING", Cause(CauseKind.ADOPTED), after=1)
    assert tale.told().sentence.endswith("(pid 10): it was started with its group (autostart).")
    assert tale.steps() == [
        "was started with its group (autostart)",
        "was taken over by a new supervisord, 20 times in a row",
    ]


def test_a_program_that_was_given_up() -> None:
    """How often it was tried, how the last try ended, who had started it."""
    tale = Tale()
    for number in range(4):
        cause = ALICE if not number else Cause(CauseKind.RETRY)
        tale.start(cause, pid=10 + number, after=number)
        tale.turn(
            "BACKOFF", EXIT, after=0.1, status=ExitStatus(code=1), expected=False, tries=number + 1
        )
    tale.turn("FATAL", Cause(CauseKind.GAVE_UP), expected=False)
    assert tale.told().sentence == (
        "web is FATAL since t1006.4: it ended 4 times within 1 s of its start, the last time with"
        " exit status 1, and was given up."
    )
    assert tale.steps() == [
        "was started by alice (uid 1000, pid 7)",
        "ended within 1 s of its start (exit status 1), 4 times in a row",
        "was given up",
    ]


def test_a_program_that_cannot_be_started() -> None:
    """The reason is the spawner's."""
    failed = Cause(CauseKind.SPAWN_FAILED, text="can't find command 'x'")
    tale = Tale().turn("STARTING", AUTOSTART).turn("BACKOFF", failed, expected=False, tries=1)
    assert tale.told().sentence == (
        "web is BACKOFF since t1000: it could not be started (can't find command 'x');"
        " it is tried again, this was try 1."
    )
    tale.turn("STARTING", Cause(CauseKind.RETRY), after=1).turn("BACKOFF", failed, tries=2)
    tale.turn("FATAL", Cause(CauseKind.GAVE_UP), expected=False)
    assert tale.told().sentence == (
        "web is FATAL since t1001: it could not be started 2 times (can't find command 'x'), and"
        " was given up."
    )


def test_a_program_that_was_stopped() -> None:
    """By whom, and how it ended; the request itself is not told twice."""
    tale = Tale().run(AUTOSTART).turn("STOPPING", ALICE, after=5)
    assert tale.told().sentence == (
        "web is STOPPING since t1006: it was stopped by alice (uid 1000, pid 7)."
    )
    tale.turn("STOPPED", ALICE, after=1, status=ExitStatus(signal=15))
    assert tale.told().sentence == (
        "web is STOPPED since t1007: it was stopped by alice (uid 1000, pid 7) and ended"
        " (terminated by SIGTERM)."
    )
    assert len(tale.steps()) == 2


def test_a_program_that_would_not_stop() -> None:
    """It was killed, and that is said."""
    killed = Cause(CauseKind.REQUEST, "bob", "killed")
    tale = Tale().run().turn("STOPPING", Cause(CauseKind.REQUEST, "bob"))
    tale.turn("STOPPED", killed, after=10, status=ExitStatus(signal=9))
    assert tale.told().sentence == (
        "web is STOPPED since t1011: it was stopped by bob, did not end in time and was killed"
        " (terminated by SIGKILL)."
    )


def test_a_program_that_got_a_signal_from_somebody() -> None:
    """Who sent it is who ended it."""
    tale = Tale().run()
    tale.turn(
        "EXITED",
        Cause(CauseKind.SIGNAL, "bob from 10.0.0.7:5", "SIGUSR1"),
        after=2,
        status=ExitStatus(signal=10),
        expected=False,
    )
    assert tale.told().sentence == (
        "web is EXITED since t1003: it ended after 3 s by SIGUSR1 from bob from 10.0.0.7:5"
        " (terminated by SIGUSR1)."
    )


def test_memory_that_ran_out_is_told_as_sure_as_it_is() -> None:
    """A control group knows, the machine's count is a hint."""
    for memory, words in (
        ("yes", "the kernel killed it, memory had run out"),
        ("probably", "probably killed by the kernel because memory had run out"),
    ):
        tale = Tale().run()
        tale.runs[10] = Run(1, Birth(KEY, 10, 1.0), 1000.0, ALICE, memory=memory, last="too\nmuch")
        tale.turn("EXITED", EXIT, after=1, status=ExitStatus(signal=9), expected=False)
        assert words in tale.told().sentence
        assert tale.told().last_output == "too\nmuch"


def test_the_end_of_the_daemon_is_a_reason() -> None:
    """Shutdown, restart, update, each with what asked for it."""
    for kind, words in (
        (CauseKind.SHUTDOWN, "because supervisord was shut down (SIGTERM)"),
        (CauseKind.RELOAD, "because supervisord was restarted (SIGTERM)"),
        (CauseKind.UPDATE, "when the configuration was updated (SIGTERM)"),
    ):
        tale = Tale().run().turn("STOPPING", Cause(kind, text="SIGTERM"))
        assert tale.told().sentence.endswith(f"it was stopped {words}.")


def test_what_happened_before_the_last_start_on_request_is_left_out() -> None:
    """But for the change directly before it."""
    tale = Tale()
    for _ in range(5):
        tale.run().turn("STOPPING", ALICE).turn("STOPPED", ALICE, status=ExitStatus(code=0))
    tale.run()
    assert tale.steps() == [
        "was stopped by alice (uid 1000, pid 7) and ended (exit status 0)",
        "was started by alice (uid 1000, pid 7)",
    ]


def test_a_state_the_journal_does_not_know_of() -> None:
    """Nothing is made up."""
    present = Present(KEY, ProcessState.RUNNING, 5.0, 12)
    told = explain(present, Tale().run().turn("STOPPING", ALICE).changes, {}, str)
    assert told.sentence == "web is RUNNING (pid 12); the journal does not say why."


def test_lengths_of_time() -> None:
    """At most two units."""
    assert [span(s) for s in (0, 0.25, 9.96, 12, 60, 302, 11400, 180000)] == [
        "0 s", "0.2 s", "10 s", "12 s", "1 min", "5 min 2 s", "3 h 10 min", "2 d 2 h",
    ]  # fmt: skip


def test_a_run_for_programs() -> None:
    """What is not known is not there."""
    usage = Usage(1.0, 0.5, 0)
    run = Run(3, Birth("g:web", 10, 1.0), 100.0, ALICE)
    assert run.as_struct(160.0) == {
        "run": 3,
        "process": "g:web",
        "pid": 10,
        "start": 100.0,
        "uptime": 60.0,
        "started": {"kind": "request", "who": ALICE.who},
        "config": "",
    }
    ended = Run(
        3, Birth(KEY, 10, 1.0), 100.0, ALICE, end=110.0, status=ExitStatus(2, usage=usage),
        ended=EXIT, expected=False,
    )  # fmt: skip
    assert (
        ended.as_struct(160.0).items()
        >= {
            "end": 110.0,
            "uptime": 10.0,
            "exit_code": 2,
            "ending": "exit status 2",
            "cpu_seconds": 1.5,
            "expected": False,
        }.items()
    )
    assert "peak_bytes" not in ended.as_struct(160.0)


def test_a_listener_that_was_renewed() -> None:
    """The reason, not the word for its kind."""
    rule = Cause(CauseKind.RULE, text="it broke the protocol of listeners (bad result line)")
    tale = Tale().run()
    tale.turn("STOPPING", rule).turn("STOPPED", rule, status=ExitStatus(signal=15))
    assert tale.told().sentence.endswith(
        "it was stopped because it broke the protocol of listeners (bad result line), and ended"
        " (terminated by SIGTERM)."
    )
