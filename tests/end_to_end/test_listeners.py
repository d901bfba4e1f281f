"""Event listeners under a real daemon (compat events.md; scenario rows 4 and 5; seed F5)."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.listeners import open_gate, recorded, recorder, until_recorded
from support.programs import program
from support.waiting import until

STATES = re.compile(r"(?<=PROCESS_STATE_)\w+")


def status_of(daemon: Daemon, name: str) -> str:
    """The description in `status`."""
    return str(daemon.call("supervisor.getProcessInfo", name)["description"])


def minutes_since(began: float) -> int:
    """Whole ones."""
    return int(time.monotonic() - began) // 60


def test_row_4_a_listener_that_always_rejects(launch: Launch, ours: Implementation) -> None:
    """Its rejections are nobody else's business: B gets exactly its events, the log stays small."""
    failing = program(
        "failing",
        "/bin/false",
        process_name="%(program_name)s_%(process_num)02d",
        numprocs=20,
        startsecs=5,
        startretries=1,
        autostart="false",
    )
    listeners = recorder("a", "PROCESS_STATE_BACKOFF", "fail") + recorder(
        "b", "PROCESS_STATE_FATAL", buffer_size=30
    )
    began = time.monotonic()
    daemon = launch(ours, listeners + failing)
    daemon.until_state("a", "RUNNING")
    daemon.until_state("b", "RUNNING")
    daemon.call("supervisor.startProcessGroup", "failing", False)
    fatal = until_recorded(daemon, "b", "PROCESS_STATE_FATAL", 20)
    until_recorded(daemon, "a", "PROCESS_STATE_BACKOFF", 60)
    assert recorded(daemon, "b") == fatal
    assert len(fatal) == 20
    assert len({one.payload for one in fatal}) == 20
    # The log says it once a minute.
    assert 1 <= daemon.log_text().count("event was rejected") <= 1 + minutes_since(began)
    assert "events rejected: " in status_of(daemon, "a")
    assert re.fullmatch(r"pid \d+, uptime \d+:\d\d:\d\d", status_of(daemon, "b"))


def test_row_5_a_burst_for_a_slow_listener(launch: Launch, ours: Implementation) -> None:
    """500 changes of state while it is busy with the first: all of them arrive, in order."""
    many = program(
        "many",
        process_name="%(program_name)s_%(process_num)02d",
        numprocs=50,
        autostart="false",
    )
    listeners = recorder("slow", "PROCESS_STATE", "gate", buffer_size=1000) + recorder(
        "small", "PROCESS_STATE", "gate", buffer_size=10
    )
    began = time.monotonic()
    daemon = launch(ours, listeners + many)
    daemon.until_state("slow", "RUNNING")
    daemon.until_state("small", "RUNNING")
    until_recorded(daemon, "slow", "PROCESS_STATE", 1)
    until_recorded(daemon, "small", "PROCESS_STATE", 1)
    for _ in range(3):
        daemon.call("supervisor.startProcessGroup", "many")
        daemon.call("supervisor.stopProcessGroup", "many")
    open_gate(daemon, "slow")
    open_gate(daemon, "small")
    events = until_recorded(daemon, "slow", "processname:many", 600)
    serials = [one.serial for one in events]
    assert serials == sorted(set(serials))
    for number in range(50):
        of_one = [one for one in events if f"processname:many_{number:02d} " in one.payload]
        states = [STATES.findall(one.name)[0] for one in of_one]
        assert states == ["STARTING", "RUNNING", "STOPPING", "STOPPED"] * 3
    # What was lost is seen: in the log by few lines, in status by its number.
    until_recorded(daemon, "small", "PROCESS_STATE_STOPPED")
    assert 1 <= daemon.log_text().count("event buffer overflowed") <= 2 + minutes_since(began)
    assert re.search(r", events lost: \d{3}$", status_of(daemon, "small"))
    assert "lost" not in status_of(daemon, "slow")


def test_row_5_a_listener_killed_mid_event(launch: Launch, ours: Implementation) -> None:
    """The event that it was busy with is delivered once more, nothing else twice."""
    daemon = launch(ours, recorder("el", "REMOTE_COMMUNICATION", "fragile", autorestart="true"))
    daemon.until_state("el", "RUNNING")
    for number in range(8):
        daemon.call("supervisor.sendRemoteCommEvent", "t", str(number))
    events = until_recorded(daemon, "el", "7$")
    assert [one.payload[-1] for one in events] == list("012234567")
    serials = [one.serial for one in events]
    assert serials[2] == serials[3]
    assert len(set(serials)) == 8


def test_row_5_a_listener_that_prints_a_line(launch: Launch, ours: Implementation) -> None:
    """It gets no more events; everybody sees why; the event is not lost for its colleague."""
    listeners = recorder("el", "REMOTE_COMMUNICATION", "stray")
    daemon = launch(ours, listeners)
    daemon.until_state("el", "RUNNING")
    daemon.call("supervisor.sendRemoteCommEvent", "t", "a")
    daemon.until_logged(
        r"WARN el: bad result line: 'debug: got here'\n.*WARN el: has entered the UNKNOWN state and"
        r" will no longer receive events, this usually indicates the process violated the"
        r" eventlistener protocol$"
    )
    daemon.call("supervisor.sendRemoteCommEvent", "t", "b")
    assert daemon.client.state("el") == "RUNNING"
    assert "gets no events: bad result line 'debug: got here'" in status_of(daemon, "el")
    (line,) = daemon.ctl("status").lines
    assert re.match(r"el +RUNNING   pid \d+, uptime \d+:\d\d:\d\d, gets no events", line)
    daemon.ctl("stop", "el")
    assert "gets no events" not in status_of(daemon, "el")


@pytest.mark.parametrize("word", ["silent", "flood", "pieces", "twice", "late"])
def test_a_bad_listener_is_nobody_elses_trouble(
    launch: Launch, ours: Implementation, word: str
) -> None:
    """One that never reads, floods, answers in pieces or is late: others and the daemon go on."""
    events = "REMOTE_COMMUNICATION"
    daemon = launch(ours, recorder("bad", events, word, buffer_size=20) + recorder("good", events))
    daemon.until_state("bad", "RUNNING")
    daemon.until_state("good", "RUNNING")
    texts = [f"{number:03d}" + "x" * 100_000 for number in range(20)]
    for text in texts:
        daemon.call("supervisor.sendRemoteCommEvent", "t", text)
        until_recorded(daemon, "good", f"\n{text[:3]}")
    assert [one.payload[7:] for one in recorded(daemon, "good")] == texts
    assert daemon.ctl("status").code == 0
    if word in ("pieces", "twice"):
        until_recorded(daemon, "bad", "\n019")
    if word == "late":
        open_gate(daemon, "bad")
        assert len(until_recorded(daemon, "bad", "REMOTE", 20)) == 20


def test_f5_events_wait_for_a_listener_that_is_started_again(
    launch: Launch, ours: Implementation
) -> None:
    """Stopped by hand or killed: what happens meanwhile waits, up to buffer_size."""
    listener = recorder("el", "REMOTE_COMMUNICATION", buffer_size=10)
    daemon = launch(ours, listener, settings="loglevel=debug")
    daemon.until_state("el", "RUNNING")
    say = daemon.call
    say("supervisor.sendRemoteCommEvent", "t", "0")
    # Recorded is not answered yet: an end in between brings the event once more, rightly.
    daemon.until_logged("DEBG el: event was processed")
    say("supervisor.stopProcess", "el")
    for number in range(1, 11):
        say("supervisor.sendRemoteCommEvent", "t", str(number))
    say("supervisor.startProcess", "el")
    daemon.until_logged("DEBG el: event was processed", 11)
    os.kill(daemon.client.pid("el"), signal.SIGKILL)
    say("supervisor.sendRemoteCommEvent", "t", "11")
    events = until_recorded(daemon, "el", "11$")
    assert [one.payload.rpartition("\n")[2] for one in events] == [str(n) for n in range(12)]


def test_the_start_up_burst_is_kept(launch: Launch, ours: Implementation) -> None:
    """60 programs begin before the listener is READY: it hears of all, and of its own group."""
    many = program("many", process_name="%(program_name)s_%(process_num)02d", numprocs=60)
    daemon = launch(ours, recorder("el", "EVENT", "late", startsecs=1) + many)
    for number in range(60):
        daemon.until_state(f"many:many_{number:02d}", "RUNNING")
    open_gate(daemon, "el")
    events = until_recorded(daemon, "el", "PROCESS_STATE_RUNNING processname:el")
    names = [one.name for one in events]
    assert names.count("PROCESS_STATE_RUNNING") == 61
    assert events[0].payload == "groupname:el\n"
    assert [one.serial for one in events] == list(range(len(events)))
    assert "overflowed" not in daemon.log_text()


@pytest.mark.parametrize("settings", ["", "keeper=false"])
def test_a_reload_loses_nothing(launch: Launch, ours: Implementation, settings: str) -> None:
    """Serials go on, and what the listener has not got before it was stopped it gets after."""
    daemon = launch(
        ours, recorder("el", "EVENT", "gate", buffer_size=100) + program("cat"), settings=settings
    )
    daemon.until_state("cat", "RUNNING")
    until_recorded(daemon, "el", "PROCESS_GROUP_ADDED")
    daemon.call("supervisor.sendRemoteCommEvent", "t", "爬虫 waits")
    assert daemon.ctl("reload").lines == ["Restarted supervisord"]
    daemon.until_logged(r"supervisord started with pid", 2)
    open_gate(daemon, "el")
    events = until_recorded(daemon, "el", "PROCESS_STATE_RUNNING processname:el", 2)
    events = until_recorded(daemon, "el", "PROCESS_STATE_RUNNING processname:cat", 2)
    serials = [one.serial for one in events]
    assert serials[0] == serials[1], "the one that it was busy with came again"
    assert serials[1:] == list(range(len(serials) - 1))
    assert "REMOTE_COMMUNICATION type:t\n爬虫 waits" in [f"{e.name} {e.payload}" for e in events]
    names = [one.name for one in events]
    assert names.count("SUPERVISOR_STATE_CHANGE_STOPPING") == 1
    assert names.count("SUPERVISOR_STATE_CHANGE_RUNNING") == 2


def test_update_of_a_listener_loses_nothing(launch: Launch, ours: Implementation) -> None:
    """Its section changes while events wait."""
    daemon = launch(ours, recorder("el", "REMOTE_COMMUNICATION", "gate", buffer_size=50))
    daemon.until_state("el", "RUNNING")
    for number in range(3):
        daemon.call("supervisor.sendRemoteCommEvent", "t", str(number))
    until_recorded(daemon, "el", "0$")
    daemon.configure(recorder("el", "REMOTE_COMMUNICATION", buffer_size=60, priority=5))
    assert daemon.ctl("update").code == 0
    events = until_recorded(daemon, "el", "2$")
    assert [one.payload[-1] for one in events] == ["0", "0", "1", "2"]


def test_a_daemon_that_was_killed_starts_its_listeners_again(
    launch: Launch, ours: Implementation
) -> None:
    """Nobody knows what they were told last; from then on they are sent events."""
    daemon = launch(ours, recorder("el", "REMOTE_COMMUNICATION") + program("cat"))
    daemon.until_state("el", "RUNNING")
    daemon.until_state("cat", "RUNNING")
    before, cat = daemon.client.pid("el"), daemon.client.pid("cat")
    children = Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text().split()
    (killed,) = {int(pid) for pid in children} - {before, cat}
    os.kill(killed, signal.SIGKILL)
    daemon.until_logged("el: is started again")

    def anew() -> bool:
        return daemon.client.state("el") == "RUNNING" and daemon.client.pid("el") != before

    until(anew, "the listener has a new child")
    daemon.call("supervisor.sendRemoteCommEvent", "t", "after")
    until_recorded(daemon, "el", "after")
    assert daemon.client.pid("cat") == cat
    assert "it was started because what an earlier daemon told it" in daemon.ctl("why", "el").out


def test_the_header_tells_bytes_to_those_who_ask(launch: Launch, ours: Implementation) -> None:
    """G6: events_with_bytes=true; the field is the last one."""
    daemon = launch(ours, recorder("el", "REMOTE_COMMUNICATION", events_with_bytes="true"))
    daemon.until_state("el", "RUNNING")
    daemon.call("supervisor.sendRemoteCommEvent", "t", "爬虫")
    (event,) = until_recorded(daemon, "el", "爬虫")
    assert event.header.endswith(" len:9 bytes:13\n")


def test_a_listener_is_started_again_if_that_is_wanted(
    launch: Launch, ours: Implementation
) -> None:
    """G66: restart_on_violation=true."""
    daemon = launch(ours, recorder("el", "REMOTE_COMMUNICATION", "stray", restart_on_violation=1))
    daemon.until_state("el", "RUNNING")
    daemon.call("supervisor.sendRemoteCommEvent", "t", "a")
    daemon.until_logged("INFO el: is started again: bad result line")
    daemon.until_logged("INFO spawned: 'el'", 2)
    until_recorded(daemon, "el", "a$", 2)


def test_ticks_come_to_those_who_ask(launch: Launch, ours: Implementation) -> None:
    """A multiple of five seconds since the epoch; none at the start."""
    daemon = launch(ours, recorder("el", "TICK_5"))
    (event, *_) = until_recorded(daemon, "el", r"TICK_5 when:\d+[05]$")
    assert event.header.endswith("eventname:TICK_5 len:15\n")
