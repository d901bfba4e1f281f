"""From the bus to a listener's stdin and back: who gets what, when, and what is said about it."""

from __future__ import annotations

import json
import os

import pytest

from builders import a_group, a_process
from pools_desk import FAIL, OK, READY, a_desk, a_listener, a_pool
from proctor.core.events import GroupChanged, SupervisorStateChanged, Tick
from proctor.core.spec import ProcessSpec
from proctor.core.states import ListenerState, ProcessState
from proctor.daemon.activity_log import Level
from proctor.duties.pools import merged
from proctor.duties.pools.judge import DeliveredEvent
from proctor.duties.pools.pool import MAX_TRIES, Counts

UNKNOWN = (
    "el: has entered the UNKNOWN state and will no longer receive events, this usually indicates"
    " the process violated the eventlistener protocol"
)


def two() -> tuple[ProcessSpec, ProcessSpec]:
    return a_listener("first"), a_listener("second")


def test_a_listener_reads_header_and_payload_as_documented() -> None:
    """Byte for byte; nothing comes after the payload."""
    with a_desk(a_pool("el")) as desk:
        desk.ready("el")
        desk.send("hello")
        assert desk.got("el") == (
            "ver:3.0 server:supervisor serial:0 pool:el poolserial:0"
            " eventname:REMOTE_COMMUNICATION len:15\ntype:test\nhello"
        )


def test_the_length_counts_characters_and_bytes_on_request() -> None:
    """G6: a Python 3 listener reads text; `events_with_bytes` adds the other number at the end."""
    with a_desk(a_pool("el"), a_pool("by", events_with_bytes=True)) as desk:
        desk.ready("el", "by")
        desk.send("爬虫")
        assert "len:12\ntype" in desk.got("el")
        assert "len:12 bytes:16\ntype" in desk.got("by")


def test_a_new_identifier_reaches_listeners() -> None:
    """It may be changed while the daemon runs."""
    with a_desk(a_pool("el")) as desk:
        desk.ready("el")
        supervisor = desk.heart.supervisor
        supervisor.settings = supervisor.settings._replace(identifier="renamed")
        desk.send("hello")
        assert desk.got("el").startswith("ver:3.0 server:renamed serial:0 pool:el ")


def test_also_in_the_events_that_wait() -> None:
    """The next one is rendered while the listener works, but not for good."""
    with a_desk(a_pool("el")) as desk:
        desk.ready("el")
        desk.send("first", "second", "third")
        desk.says("el", OK + READY)
        assert desk.heard("el") == ["first", "second"]
        supervisor = desk.heart.supervisor
        supervisor.settings = supervisor.settings._replace(identifier="renamed")
        desk.says("el", OK + READY)
        assert desk.got("el").startswith("ver:3.0 server:renamed serial:2 pool:el ")


def test_nothing_is_sent_before_ready_and_running() -> None:
    """G68: a listener that is READY while STARTING gets nothing until it is RUNNING."""
    with a_desk(a_pool("el", a_listener("el", startsecs=5))) as desk:
        desk.send("a")
        desk.ready("el")
        assert desk.got("el") == ""
        desk.heart.host.forward(5)
        assert desk.heard("el") == ["a"]


def test_one_event_at_a_time() -> None:
    """The next one is sent when the listener has answered and said READY again."""
    with a_desk(a_pool("el")) as desk:
        desk.ready("el")
        desk.send("a", "b")
        assert desk.heard("el") == ["a"]
        desk.says("el", OK)
        assert desk.heard("el") == []
        desk.ready("el")
        assert desk.heard("el") == ["b"]
        assert desk.heart.lines.count("DEBG el: event was processed") == 1


def test_the_first_free_listener_gets_it() -> None:
    """In the order of creation; each event goes to one listener of each pool."""
    with a_desk(a_pool("el", *two()), a_pool("other")) as desk:
        desk.ready("el:second", "el:first", "other")
        desk.send("a", "b", "c")
        assert desk.heard("el:first") == ["a"]
        assert desk.heard("el:second") == ["b"]
        assert desk.heard("other") == ["a"]
        desk.says("el:second", OK + READY)
        assert desk.heard("el:second") == ["c"]


def test_serials_count_what_somebody_hears() -> None:
    """One serial for all pools, one of its own for each pool; an unheard event takes none."""
    with a_desk(a_pool("el"), a_pool("all", events="EVENT")) as desk:
        desk.ready("el", "all")
        before = desk.pools.serial
        desk.got("all")
        desk.send("a")
        assert f"serial:{before} pool:el poolserial:0" in desk.got("el")
        assert desk.pools.serial == before + 1


def test_overlapping_subscriptions_deliver_once() -> None:
    """G18."""
    with a_desk(a_pool("el", events="EVENT,REMOTE_COMMUNICATION")) as desk:
        desk.ready("el")
        desk.send("a")
        heard = []
        while (events := desk.heard("el")) != []:
            heard += events
            desk.says("el", OK + READY)
        assert heard.count("a") == 1


def test_a_pool_hears_of_its_own_coming() -> None:
    """And of everything after it."""
    with a_desk(a_pool("el", events="PROCESS_GROUP")) as desk:
        desk.ready("el")
        assert desk.got("el").endswith("eventname:PROCESS_GROUP_ADDED len:13\ngroupname:el\n")


def test_rejected_events_come_back_to_their_own_pool_only() -> None:
    """G1, scenario row 4: after a growing delay and a bounded number of times, then a record."""
    with a_desk(a_pool("a"), a_pool("b")) as desk:
        desk.ready("a", "b")
        desk.send("x")
        assert desk.heard("b") == ["x"]
        desk.says("b", OK + READY)
        tries, moments = 0, []
        while desk.heard("a") == ["x"]:
            tries += 1
            moments.append(desk.heart.host.time)
            desk.says("a", FAIL + READY)
            desk.heart.host.forward(5)
        assert tries == MAX_TRIES
        assert desk.heard("b") == []
        assert desk.heart.said("gives up") == [
            "ERRO pool a gives up event 0 (REMOTE_COMMUNICATION) after 20 tries"
        ]
        assert "events lost: 1, events rejected: 20" in desk.remark("a")


def test_the_delay_grows_and_others_go_on_meanwhile() -> None:
    """0.1 s at first, twice as long each time, 5 s at most."""
    with a_desk(a_pool("el")) as desk:
        desk.ready("el")
        desk.send("bad", "good")
        rests: list[float] = []
        for _ in range(8):
            while desk.heard("el") != ["bad"]:
                due = desk.heart.host.next_timer()
                assert due is not None
                desk.heart.host.until(due)
            start = desk.heart.host.time
            desk.says("el", FAIL + READY)
            if not rests:
                assert desk.heard("el") == ["good"]
                desk.says("el", OK + READY)
            dispatcher = desk.pools.dispatchers["el"]
            assert dispatcher.pool.deadline is not None
            rests.append(round(dispatcher.pool.deadline - start, 3))
        assert rests == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_a_listener_that_always_rejects_costs_few_lines() -> None:
    """Scenario row 4: never a line per event, and the number is told."""
    with a_desk(a_pool("el", buffer_size=100)) as desk:
        desk.ready("el")
        for number in range(50):
            desk.send(f"e{number}")
            desk.says("el", FAIL + READY)
        assert desk.heart.said("rejected") == ["WARN el: event was rejected"]
        desk.heart.host.forward(merged.INTERVAL)
        assert len(desk.heart.said("event was rejected")) == 2
        assert "times in the last 60 seconds" in desk.heart.said("event was rejected")[1]


def test_overflow_is_told_at_once_then_merged() -> None:
    """The oldest event goes, with its serial in the first line and a count in the next."""
    with a_desk(a_pool("el", buffer_size=2)) as desk:
        desk.ready("el")
        desk.send("a", *"bcdefg")
        line = "ERRO pool el event buffer overflowed, discarding event"
        assert desk.heart.said("overflowed") == [f"{line} 1"]
        desk.heart.host.forward(merged.INTERVAL)
        assert desk.heart.said("overflowed") == [
            f"{line} 1",
            f"{line} 4 (3 times in the last 60 seconds)",
        ]
        desk.send("h", "i")
        assert len(desk.heart.said("overflowed")) == 2
        desk.heart.host.forward(3 * merged.INTERVAL)
        assert desk.heart.said("overflowed")[2:] == [f"{line} 6 (2 times in the last 60 seconds)"]
        desk.says("el", OK + READY)
        assert desk.heard("el") == ["a", "h"]
        assert desk.remark("el") == "events lost: 6"


def test_lines_that_wait_are_written_at_the_end() -> None:
    """When the pool goes, nothing that is to be told is lost."""
    with a_desk(a_pool("el", buffer_size=1)) as desk:
        desk.ready("el")
        desk.send("a", *"bcd")
        desk.pools.close()
        assert desk.heart.said("overflowed")[1:] == [
            "ERRO pool el event buffer overflowed, discarding event 2"
        ]
        assert desk.heart.host.next_timer() is None


def test_an_idle_pool_plans_nothing() -> None:
    """No timer while nothing rests and no line waits."""
    with a_desk(a_pool("el")) as desk:
        desk.ready("el")
        desk.send("a")
        desk.says("el", OK + READY)
        assert desk.heart.host.next_timer() is None


# Start-up


def test_the_start_up_burst_waits_for_the_first_ready() -> None:
    """G67: far more than buffer_size, and all of it is delivered."""
    with a_desk(a_pool("el", a_listener("el", startsecs=3), buffer_size=2)) as desk:
        texts = [f"e{number}" for number in range(40)]
        desk.send(*texts[:30])
        desk.heart.host.forward(3)
        desk.send(*texts[30:])
        desk.ready("el")
        heard = desk.heard("el")
        for _ in range(39):
            desk.says("el", OK + READY)
            heard += desk.heard("el")
        assert heard == texts
        assert desk.heart.said("overflowed") == []


def test_the_burst_is_cut_when_no_listener_will_come() -> None:
    """All are FATAL: from then on the buffer holds what it is configured to."""
    with a_desk() as desk:
        desk.heart.host.always_dies("el:el")
        desk.add(a_pool("el", a_listener("el", startsecs=1, startretries=1), buffer_size=2))
        desk.send(*"abcde")
        assert desk.heart.said("overflowed") == []
        desk.heart.host.forward(60)
        assert desk.heart.process("el").state is ProcessState.FATAL
        assert len(desk.pools.dispatchers["el"].pool) == 2


def test_a_shutdown_discards_nothing_of_the_burst() -> None:
    """A listener that never was READY is stopped by it; its buffer has not overflowed."""
    with a_desk(a_pool("el", buffer_size=2)) as desk:
        desk.send(*"abcde")
        desk.heart.supervisor.shutdown(False, lambda: None)
        desk.heart.host.forward(60)
        assert desk.heart.process("el").state is ProcessState.STOPPED
        assert desk.heart.said("overflowed") == []
        assert len(desk.ledger.open) == 5


def test_a_listener_that_is_started_again_still_has_its_chance() -> None:
    """It ended before it ever was READY, and comes back by itself."""
    with a_desk(a_pool("el", a_listener("el", autorestart="true"), buffer_size=2)) as desk:
        desk.send(*"abcde")
        desk.dies("el")
        desk.send(*"fgh")
        desk.ready("el")
        heard = desk.heard("el")
        for _ in range(7):
            desk.says("el", OK + READY)
            heard += desk.heard("el")
        assert heard == list("abcdefgh")


def test_nobody_waits_for_listeners_that_do_not_start_by_themselves() -> None:
    """autostart=false: buffer_size counts at once."""
    with a_desk(a_pool("el", a_listener("el", autostart=False), buffer_size=2)) as desk:
        desk.send(*"abcde")
        assert desk.pools.dispatchers["el"].pool.counts.overflowed == 3
        desk.heart.start("el")
        desk.ready("el")
        desk.says("el", OK + READY)
        assert desk.heard("el") == ["d", "e"]


# Death


def test_the_event_of_a_listener_that_died_goes_to_the_next_at_once() -> None:
    """Scenario row 5: redelivered once, with the same serials."""
    with a_desk(a_pool("el", *two())) as desk:
        desk.ready("el:first")
        desk.send("a")
        before = desk.got("el:first")
        desk.ready("el:second")
        desk.dies("el:first")
        assert desk.got("el:second") == before
        desk.says("el:second", OK + READY)
        desk.heart.host.forward(60)
        assert desk.got("el:second") == ""


def test_or_to_its_own_next_child() -> None:
    """Seed F5: nothing is lost while it is restarted, in the order of the events."""
    with a_desk(a_pool("el", buffer_size=10)) as desk:
        desk.ready("el")
        desk.send("a")
        desk.dies("el")
        desk.send("b", "c")
        heard = []
        for _ in range(3):
            desk.ready("el")
            heard += desk.heard("el")
            desk.says("el", OK)
        assert heard == ["a", "b", "c"]


def test_an_event_that_kills_listeners_does_not_do_so_for_ever() -> None:
    """The second death over the same event counts as a rejection: others come first."""
    with a_desk(a_pool("el")) as desk:
        desk.ready("el")
        desk.send("poison", "good")
        assert desk.heard("el") == ["poison"]
        desk.dies("el")
        desk.ready("el")
        assert desk.heard("el") == ["poison"]
        desk.dies("el")
        desk.ready("el")
        assert desk.heard("el") == ["good"]


def test_an_answer_before_the_end_counts() -> None:
    """Seed D6: a listener that handles one event, answers and ends; the next child gets the next
    event."""
    with a_desk(a_pool("el")) as desk:
        desk.ready("el")
        desk.send("a", "b")
        assert desk.heard("el") == ["a"]
        desk.says("el", OK)
        desk.dies("el")
        desk.ready("el")
        assert desk.heard("el") == ["b"]


def test_a_listener_that_is_being_stopped_gets_nothing_new() -> None:
    """Its event waits in the buffer until it is started again."""
    with a_desk(a_pool("el")) as desk:
        desk.ready("el")
        desk.heart.host.behaviour("el:el").ignores = frozenset({15})
        desk.heart.stop("el")
        desk.send("a")
        assert desk.got("el") == ""
        desk.heart.host.forward(10)
        desk.heart.start("el")
        desk.ready("el")
        assert desk.heard("el") == ["a"]


def test_the_protocol_begins_anew_with_every_child() -> None:
    """A child in the middle of a word leaves nothing to the next."""
    with a_desk(a_pool("el")) as desk:
        desk.says("el", b"REA")
        desk.dies("el")
        desk.says("el", b"READY\n")
        desk.send("a")
        assert desk.heard("el") == ["a"]


# Violations


def test_a_bad_result_line() -> None:
    """The exact lines; the event goes back; the process goes on, without events."""
    with a_desk(a_pool("el", *(a_listener("el"), a_listener("second")))) as desk:
        desk.ready("el:el")
        desk.send("a")
        desk.says("el:el", b"RESULT\nOK")
        assert desk.heart.said("WARN")[-2:] == [
            "WARN el: bad result line: 'RESULT'",
            f"WARN {UNKNOWN}",
        ]
        listener = desk.listener("el:el")
        assert listener.protocol.state is ListenerState.UNKNOWN
        assert listener.process.state is ProcessState.RUNNING
        assert "bad result line" in desk.remark("el:el")
        desk.ready("el:second")
        desk.heart.host.forward(1)
        assert desk.heard("el:second") == ["a"]
        desk.says("el:el", READY * 3)
        desk.send("b")
        assert desk.heard("el:el") == ["a"]


def test_stray_output() -> None:
    """Scenario row 5: a listener that prints a line gets no more events and says so in status."""
    with a_desk(a_pool("el")) as desk:
        desk.ready("el")
        desk.says("el", b"debug\n")
        assert desk.heart.said("WARN") == [
            "WARN el: expected READY, got b'debug\\n'",
            f"WARN {UNKNOWN}",
        ]
        assert desk.remark("el").startswith("gets no events: expected READY")
        assert desk.pools.dispatchers["el"].pool.counts == Counts(violations=1)
        desk.dies("el")
        assert "gets no events" not in desk.remark("el")
        desk.ready("el")
        desk.send("a")
        assert desk.heard("el") == ["a"]


def test_a_second_ready_is_ignored() -> None:
    """G16."""
    with a_desk(a_pool("el")) as desk:
        desk.says("el", READY + READY)
        desk.send("a")
        assert desk.heard("el") == ["a"]
        assert desk.heart.said("READY again") == [
            "DEBG el: said READY again, which is ignored",
        ]


def test_a_violation_can_restart_the_listener() -> None:
    """G66: only if it was asked for."""
    with a_desk(a_pool("el", restart_on_violation=True)) as desk:
        first = desk.heart.process("el").pid
        desk.ready("el")
        desk.send("a")
        desk.says("el", b"rubbish\n")
        desk.heart.host.forward(1)
        assert desk.heart.process("el").state is ProcessState.RUNNING
        assert desk.heart.process("el").pid != first
        desk.ready("el")
        assert desk.heard("el") == ["a"]


# Listeners that do not listen


def test_one_that_never_reads_holds_up_only_its_own_event() -> None:
    """Its pipe is full: the rest of its event waits, all others go on."""
    with a_desk(a_pool("el", *two())) as desk:
        desk.ready("el:first", "el:second")
        desk.send("x" * 200_000, "b")
        assert desk.heard("el:second") == ["b"]
        desk.says("el:second", OK + READY)
        desk.send("c")
        assert desk.heard("el:second") == ["c"]


def test_one_that_closed_its_stdin_is_passed_over() -> None:
    """With one DEBG line, not one for each event."""
    with a_desk(a_pool("el", *two())) as desk:
        desk.ready("el:first", "el:second")
        child = desk.heart.host.children["el:first"]
        assert child.stdin is not None
        os.close(child.stdin)
        child.stdin = None
        desk.send("a")
        assert desk.heard("el:second") == ["a"]
        desk.says("el:second", OK + READY)
        desk.send("b")
        assert desk.heard("el:second") == ["b"]
        assert len(desk.heart.said("closed its stdin")) == 1
        assert "closed its stdin" in desk.remark("el:first")


def test_an_event_that_is_too_large_is_dropped_with_a_record() -> None:
    """More than may wait for a pipe; the next event is not held up."""
    with a_desk(a_pool("el")) as desk:
        desk.ready("el")
        desk.send("x" * (9 * 1024 * 1024), "b")
        assert desk.heard("el") == ["b"]
        assert desk.heart.said("gives up event 0")


# Result handlers


class RejectEvent(Exception):
    """As the compatibility package names it."""


class Stricter(RejectEvent):
    """A plug-in's own kind of it."""


def test_a_result_handler_decides() -> None:
    """It gets the event and the bytes; RejectEvent and its kinds reject, by name."""
    heard: list[tuple[str, str, bytes]] = []

    def handler(event: DeliveredEvent, response: bytes) -> None:
        heard.append((event.name, event.payload(), response))
        if response == b"no":
            raise Stricter

    with a_desk(a_pool("el", result_handler="m:h"), load=lambda spec: handler) as desk:
        desk.ready("el")
        desk.send("a", "b")
        desk.says("el", b"RESULT 3\nyesREADY\n")
        desk.says("el", b"RESULT 2\nno")
        assert heard == [
            ("REMOTE_COMMUNICATION", "type:test\na", b"yes"),
            ("REMOTE_COMMUNICATION", "type:test\nb", b"no"),
        ]
        assert desk.heart.said("WARN") == ["WARN el: event was rejected"]


def test_a_result_handler_that_fails() -> None:
    """The listener is not sent any more events; the daemon goes on."""

    def handler(event: DeliveredEvent, response: bytes) -> None:
        raise ZeroDivisionError("oops")

    with a_desk(a_pool("el", result_handler="m:h"), load=lambda spec: handler) as desk:
        desk.ready("el")
        desk.send("a")
        desk.says("el", OK + READY)
        assert desk.heart.said("WARN") == [
            "WARN el: event caused an error",
            "WARN el: its result handler raised ZeroDivisionError('oops')",
            f"WARN {UNKNOWN}",
        ]
        assert len(desk.pools.dispatchers["el"].pool) == 1
        desk.heart.host.forward(10)
        assert desk.heard("el") == ["a"]


def test_a_result_handler_may_cause_events() -> None:
    """They are delivered after the one that is being judged."""
    with a_desk() as desk:

        def handler(event: DeliveredEvent, response: bytes) -> None:
            if "a" in event.payload():
                desk.send("b")

        desk.pools._load = lambda spec: handler
        desk.add(a_pool("el", result_handler="m:h"))
        desk.ready("el")
        desk.send("a")
        desk.says("el", OK + READY)
        assert desk.heard("el") == ["a", "b"]
        desk.says("el", OK + READY)
        assert desk.heart.said("WARN") == []


# Coming and going


def test_a_pool_that_comes_later_hears_what_comes_later() -> None:
    """And one that has gone hears nothing, and costs nothing."""
    with a_desk(a_pool("a")) as desk:
        desk.send("1")
        desk.add(a_pool("b"))
        desk.send("2")
        desk.ready("b")
        assert desk.heard("b") == ["2"]
        for name in ("a", "b"):
            desk.heart.stop(name)
            desk.heart.supervisor.remove_group(name)
        serial = desk.pools.serial
        desk.send("3")
        assert desk.pools.serial == serial


def test_events_wait_for_a_pool_that_is_replaced() -> None:
    """Removed and added again with another specification: what nobody got goes on."""
    with a_desk(a_pool("el")) as desk:
        desk.send("a", "b")
        desk.heart.stop("el")
        desk.heart.supervisor.remove_group("el")
        desk.send("nobody")
        desk.add(a_pool("el", buffer_size=50))
        desk.ready("el")
        desk.says("el", OK + READY)
        assert desk.heard("el") == ["a", "b"]


def test_a_group_that_is_reshaped_keeps_its_pool() -> None:
    """The listener that stays goes on; the new one takes part."""
    with a_desk(a_pool("el", a_listener("first"))) as desk:
        desk.ready("el:first")
        desk.send("a", "b")
        desk.heart.supervisor.autostart_only(
            desk.heart.supervisor.reshape_group(a_pool("el", *two()))
        )
        desk.heart.host.settle()
        desk.ready("el:second")
        assert desk.heard("el:second") == ["b"]
        desk.says("el:first", OK + READY)
        desk.send("c")
        assert desk.heard("el:first") == ["a", "c"]


def test_serials_and_undelivered_events_survive_the_daemon() -> None:
    """What one daemon leaves the next one delivers, also what a listener was busy with."""
    with a_desk(a_pool("el")) as desk:
        desk.ready("el")
        desk.send("done")
        desk.says("el", OK + READY)
        desk.send("busy", "waiting")
        desk.heart.stop("el")
        legacy = desk.pools.close()
    with a_desk(a_pool("el"), legacy=legacy) as desk:
        desk.send("new")
        desk.ready("el")
        for _ in range(2):
            desk.says("el", OK + READY)
        text = desk.got("el")
        assert "serial:1 pool:el poolserial:0" in text
        assert "serial:2 pool:el poolserial:1" in text
        assert "serial:3 pool:el poolserial:2" in text


def test_what_is_not_delivered_is_written_down() -> None:
    """From the moment in which a pool takes it until it is acknowledged or discarded; a death of
    the listener changes nothing."""
    with a_desk(a_pool("el", buffer_size=1)) as desk:
        desk.send("a", "b")
        assert desk.ledger.open == [("el", 0), ("el", 1)]
        desk.ready("el")
        desk.says("el", OK + READY)
        assert desk.ledger.open == [("el", 1)]
        desk.send("c", "d")
        assert desk.ledger.open == [("el", 1), ("el", 3)]
        desk.dies("el")
        assert desk.ledger.open == [("el", 1), ("el", 3)]


def test_what_is_given_up_is_crossed_out() -> None:
    """Rejected too often, or too large."""
    with a_desk(a_pool("el"), a_pool("b")) as desk:
        desk.ready("el", "b")
        desk.send("a")
        desk.says("b", OK + READY)
        for _ in range(MAX_TRIES):
            assert desk.ledger.open == [("el", 0)]
            desk.says("el", FAIL + READY)
            desk.heart.host.forward(6)
        assert desk.ledger.open == []
        desk.send("x" * 20_000_000)
        assert desk.ledger.open == []


def test_ticks_are_not_written_down() -> None:
    """The next one comes by itself."""
    with a_desk(a_pool("el", events="TICK")) as desk:
        desk.heart.bus.publish(Tick(5, 5))
        desk.heart.host.settle()
        assert desk.ledger.open == []
        assert desk.ledger.serial == 0


def test_what_a_removed_pool_has_left_stays_written_down() -> None:
    """Its next one delivers it."""
    with a_desk(a_pool("el")) as desk:
        desk.send("a")
        desk.heart.stop("el")
        desk.heart.supervisor.remove_group("el")
        assert desk.ledger.open == [("el", 0)]
        desk.add(a_pool("el"))
        desk.ready("el")
        assert desk.heard("el") == ["a"]
        desk.says("el", OK)
        assert desk.ledger.open == []


def test_what_nobody_subscribes_to_any_more_is_not_inherited() -> None:
    """The next daemon's pool may be interested in other things."""
    left = [[4, "TICK_5", "when:5"], [5, "REMOTE_COMMUNICATION", "type:test\na"]]
    legacy = json.dumps({"serial": 6, "left": {"el": left}})
    with a_desk(a_pool("el"), legacy=legacy) as desk:
        desk.ready("el")
        assert desk.got("el").startswith("ver:3.0 server:supervisor serial:5 ")


def test_shutdown_is_heard_until_the_pool_is_stopped_last() -> None:
    """Priority -1: the others are gone by then."""
    with a_desk(a_pool("el", events="PROCESS_STATE_STOPPED,SUPERVISOR_STATE_CHANGE")) as desk:
        desk.add(a_group("web", a_process("web", autostart=True)))
        desk.ready("el")
        heard = ""
        desk.heart.supervisor.shutdown(restarting=False, on_stopped=lambda: None)
        for _ in range(5):
            if "el:el" in desk.heart.host.children:
                heard += desk.got("el")
                desk.says("el", OK + READY)
                desk.heart.host.settle()
        assert "SUPERVISOR_STATE_CHANGE_STOPPING" in heard
        desk.heart.host.settle()
        assert desk.heart.states("el").endswith("STOPPING STOPPED")


def test_events_of_the_daemon_and_of_groups() -> None:
    """Names and payloads of those that are not about processes."""
    with a_desk(a_pool("el", events="SUPERVISOR_STATE_CHANGE,PROCESS_GROUP_REMOVED")) as desk:
        desk.ready("el")
        desk.heart.bus.publish(SupervisorStateChanged())
        assert desk.got("el").endswith("eventname:SUPERVISOR_STATE_CHANGE_RUNNING len:0\n")
        desk.says("el", OK + READY)
        desk.heart.bus.publish(GroupChanged("gone", added=False))
        assert desk.got("el").endswith("eventname:PROCESS_GROUP_REMOVED len:15\ngroupname:gone\n")


@pytest.mark.parametrize("level", [Level.INFO, Level.DEBUG])
def test_rebuffering_is_a_debug_line(level: Level) -> None:
    """As the original words it."""
    with a_desk(a_pool("el")) as desk:
        desk.heart.log.level = level
        desk.ready("el")
        desk.send("a")
        desk.says("el", FAIL)
        expected = ["DEBG rebuffering event 0 for pool el (buf size=1, max=10)"]
        assert desk.heart.said("rebuffering") == (expected if level is Level.DEBUG else [])
