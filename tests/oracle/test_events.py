"""What listeners read, byte for byte: one story told to both daemons, step by step."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from itertools import pairwise

import pytest

from oracle.compare import assert_same, side_by_side
from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.listeners import Recorded, recorded, recorder, until_recorded
from support.programs import OBEDIENT, program
from support.waiting import until

pytestmark = pytest.mark.oracle

PROGRAMS = (
    program("cat", OBEDIENT, autostart="false")
    + program("slow", OBEDIENT, autostart="false", startsecs=1, autorestart="false")
    + program("bad", "/bin/false", autostart="false", startsecs=5, startretries=1)
    + program("stubborn", """/bin/sh -c 'trap "" TERM; while :; do sleep 0.1; done'""",
              autostart="false", stopwaitsecs=1)
    + program("loud", OBEDIENT, autostart="false", stdout_events_enabled="true",
              stderr_events_enabled="true", stdout_capture_maxbytes="1KB")
    + program("[2]", OBEDIENT, autostart="false").replace("program:[2]", "program:爬虫")
)  # fmt: skip
LISTENER = recorder("el", "EVENT", buffer_size=1000)
TOKENS = "<!--XSUPERVISOR:BEGIN-->%s<!--XSUPERVISOR:END-->"


class Story:
    """Tells one daemon what to do, and waits after each step for the event that it ends with."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.told: dict[str, object] = {}
        self._read = 0

    def step(self, name: str, action: Callable[[], object], last: str) -> None:
        """Do something; what the listener reads up to its last event is the outcome."""
        action()

        until(
            lambda: any(re.search(last, one) for one in self._new()),
            lambda: f"{last} after {name}: {self._new()}",
        )
        self.told[name] = self._new()
        self._read = len(self._all())

    def call(self, method: str, *arguments: object) -> Callable[[], object]:
        """An XML-RPC call."""
        return lambda: self.daemon.client.outcome(f"supervisor.{method}", *arguments)

    def types(self, name: str, line: str) -> Callable[[], object]:
        """A line for an OBEDIENT program."""
        return self.call("sendProcessStdin", name, line + "\n")

    def _all(self) -> list[Recorded]:
        return [one for one in recorded(self.daemon, "el") if not one.name.startswith("TICK")]

    def _new(self) -> list[str]:
        return [plain_event(one) for one in self._all()[self._read :]]


def plain_event(event: Recorded) -> str:
    """The bytes of an event, without what differs from run to run."""
    text = event.header + event.payload
    text = re.sub(r"server:\S+", "server:<identifier>", text)
    text = re.sub(r"serial:\d+", "serial:<n>", text)
    text = re.sub(r"\bpid:[1-9]\d*", "pid:<pid>", text)
    # The length of a pid differs too: it is told apart in the payload.
    return re.sub(r"len:\d+", f"len:{len(event.payload) - len(event.payload.encode())}", text)


def lengths_and_serials(events: list[Recorded]) -> dict[str, object]:
    """What `plain_event` has left out, as facts that are equal."""
    serials = [one.serial for one in events]
    return {
        "first serial": serials[0],
        "serials rise by one": all(b == a + 1 for a, b in pairwise(serials)),
        "pool serials": [one.fields["poolserial"] for one in events]
        == [str(serial) for serial in serials],
        "lengths are in characters": all(
            int(one.fields["len"]) == len(one.payload) for one in events
        ),
    }


def tell(story: Story) -> None:
    """Everything that makes events."""
    step, call, types = story.step, story.call, story.types
    step("start-up", lambda: None, "PROCESS_STATE_RUNNING.*\nprocessname:el ")
    step("start", call("startProcess", "cat"), "STATE_RUNNING")
    step("stop", call("stopProcess", "cat"), "STATE_STOPPED")
    step("start again", call("startProcess", "cat"), "STATE_RUNNING")
    step("exit as expected", types("cat", "exit 0"), "STATE_EXITED")
    step("start after the exit", call("startProcess", "cat"), "STATE_RUNNING")
    step("exit and restart", types("cat", "exit 9"), "STATE_RUNNING")
    step("death by signal", call("signalProcess", "cat", "KILL"), "STATE_RUNNING")
    step("startsecs", call("startProcess", "slow"), "STATE_RUNNING")
    step("no restart", types("slow", "exit 1"), "STATE_EXITED")
    step("retries", call("startProcess", "bad"), "STATE_FATAL")
    step("a stop that takes time", call("startProcess", "stubborn"), "STATE_RUNNING")
    step("killed", call("stopProcess", "stubborn"), "STATE_STOPPED")
    step("a message", call("sendRemoteCommEvent", "my type", "some\ndata 中文"), "REMOTE")
    step("an empty message", call("sendRemoteCommEvent", "", ""), "REMOTE")
    step("a name", call("startProcess", "爬虫"), "STATE_RUNNING")
    step("loud", call("startProcess", "loud"), "STATE_RUNNING")
    step("output", types("loud", "printf 'x%.0s' $(seq 60)"), "PROCESS_LOG_STDOUT")
    step("error output", types("loud", "echo ' two  words 中' >&2"), "PROCESS_LOG_STDERR")
    step("no text", types("loud", r"printf '\377\n' >&2"), "PROCESS_LOG_STDERR")
    captured = TOKENS % "a b\\n中" + "y" * 60
    step("capture", types("loud", f"printf '{captured}'"), "LOG_STDOUT.*\n.*\n.*yyy")


def test_a_story(launch: Launch, original: Implementation, ours: Implementation) -> None:
    """The same events with the same bytes, in the same order."""

    def run(which: Implementation) -> dict[str, object]:
        daemon = launch(which, LISTENER + PROGRAMS)
        story = Story(daemon)
        tell(story)
        daemon.configure(LISTENER + PROGRAMS + program("new"))
        story.step("group added", lambda: daemon.ctl("update"), "STATE_RUNNING")
        daemon.configure(LISTENER + PROGRAMS)
        story.step("group removed", lambda: daemon.ctl("update"), "GROUP_REMOVED")
        events = recorded(daemon, "el")
        return {**story.told, **lengths_and_serials(events)}

    assert_same("events", *side_by_side(run, original, ours))


def test_shutdown(launch: Launch, original: Implementation, ours: Implementation) -> None:
    """A listener hears the end of all others before its own; the original leaves off earlier."""
    # So that the listener has the time: each ends when its STOPPING was heard.
    heard_of = "grep -q STOPPING.*processname:%(program_name)s %(here)s/el.events"
    patient = f"""/bin/sh -c 'trap "until {heard_of}; do sleep 0.1; done; exit" TERM
        while :; do sleep 0.1; done'"""

    def run(which: Implementation) -> list[str]:
        programs = (program(name, patient, priority=number) for number, name in enumerate("ab", 1))
        daemon = launch(which, LISTENER + "".join(programs))
        for name in ("a", "b"):
            until_recorded(daemon, "el", f"RUNNING processname:{name} ")
        before = len(recorded(daemon, "el"))
        daemon.signal(signal.SIGTERM)
        daemon.wait()
        heard = [plain_event(one) for one in recorded(daemon, "el")[before:]]
        return [one for one in heard if "TICK" not in one]

    theirs, mine = side_by_side(run, original, ours)
    assert len(theirs) >= 3
    assert mine[: len(theirs)] == theirs[: len(mine)]
    expected = [(state, name) for name in "ba" for state in ("STOPPING", "STOPPED")]
    heard = [re.findall(r"PROCESS_STATE_(\w+).*\nprocessname:(\w+)", one) for one in mine[1:]]
    assert [one for [one] in heard] in (expected, expected[:3])  # The last is nobody's to wait for.


@pytest.mark.parametrize("word", ["stray", "fail"])
def test_log_lines(
    launch: Launch, original: Implementation, ours: Implementation, word: str
) -> None:
    """The words that people grep for, the first time each."""

    def run(which: Implementation) -> dict[str, object]:
        daemon = launch(which, recorder("el", "REMOTE_COMMUNICATION", word))
        daemon.until_state("el", "RUNNING")
        daemon.call("supervisor.sendRemoteCommEvent", "t", "d")
        until_recorded(daemon, "el", "REMOTE")
        last = "has entered the UNKNOWN state" if word == "stray" else "event was rejected"
        daemon.until_logged(last)
        lines = [line for line in daemon.log_lines() if line.startswith("WARN el: ")]
        return {"lines": list(dict.fromkeys(lines))}

    assert_same(f"event lines of a listener: {word}", *side_by_side(run, original, ours))
