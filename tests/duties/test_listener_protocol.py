"""The listener protocol: what a listener's bytes mean, however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proctor.core.states import ListenerState
from proctor.duties.pools.protocol import (
    Answer,
    ListenerProtocol,
    Ready,
    RepeatedReady,
    Result,
    Violation,
)


def busy() -> ListenerProtocol:
    """A listener that was sent an event."""
    protocol = ListenerProtocol()
    assert protocol.feed(b"READY\n") == [Ready()]
    protocol.sent()
    return protocol


def test_a_round_of_the_protocol() -> None:
    """READY, an event, RESULT, and READY again."""
    protocol = busy()
    assert protocol.feed(b"RESULT 2\nOKREADY\n") == [Result(b"OK"), Ready()]
    assert protocol.state is ListenerState.READY


def test_ready_may_be_said_twice() -> None:
    """A much-copied listener writes READY itself and then through childutils (G16)."""
    protocol = ListenerProtocol()
    assert protocol.feed(b"READY\nREADY\n") == [Ready(), RepeatedReady()]
    assert protocol.state is ListenerState.READY


def test_the_second_ready_may_come_after_the_event_was_sent() -> None:
    """The two READY lines race with the event between them."""
    protocol = busy()
    assert protocol.feed(b"READY\nRESULT 2\nOK") == [RepeatedReady(), Result(b"OK")]


def test_a_newline_after_the_result_is_skipped() -> None:
    """`print('RESULT 2\\nOK')` adds one (G64)."""
    protocol = busy()
    assert protocol.feed(b"RESULT 2\nOK\nREADY\n") == [Result(b"OK"), Ready()]


@pytest.mark.parametrize(
    "line", [b"RESULT", b"RESULT x", b"RESULT -1", b"ABCDEFG2", b"RESULT 9" * 9]
)
def test_a_bad_result_line_is_a_violation(line: bytes) -> None:
    """It is named, and nothing more is read from the listener (G65)."""
    protocol = busy()
    assert protocol.feed(line + b"\nOK") == [Violation("bad result line", line)]
    assert protocol.state is ListenerState.UNKNOWN
    assert protocol.feed(b"READY\n") == []


@pytest.mark.parametrize("rubbish", [b"hello\n", b"READY?\n", b"ready\n"])
def test_rubbish_instead_of_ready_is_a_violation(rubbish: bytes) -> None:
    """A listener that prints to its stdout has broken the protocol."""
    (answer,) = ListenerProtocol().feed(rubbish)
    assert isinstance(answer, Violation)


def test_rubbish_while_ready_is_a_violation() -> None:
    """Only a repeated READY is forgiven."""
    protocol = ListenerProtocol()
    protocol.feed(b"READY\n")
    (answer,) = protocol.feed(b"debug: got here\n")
    assert isinstance(answer, Violation)


def test_an_endless_line_is_not_kept() -> None:
    """A flooding listener cannot fill the daemon's memory."""
    protocol = busy()
    answers: list[Answer] = []
    for _ in range(20):
        answers += protocol.feed(b"x" * 8192)
    assert [type(answer) for answer in answers] == [Violation]
    assert not protocol._buffer


def test_an_empty_result_is_a_result() -> None:
    """The original waits for one more byte before it notices."""
    assert busy().feed(b"RESULT 0\n") == [Result(b"")]


@given(st.lists(st.binary(max_size=40), max_size=5), st.data())
def test_cutting_does_not_matter(results: list[bytes], data: st.DataObject) -> None:
    """The same conversation in any chunks gives the same answers."""
    protocol = ListenerProtocol()
    for expected in results:
        answers: list[Answer] = feed_in_pieces(protocol, b"READY\n", data)
        assert answers == [Ready()]
        protocol.sent()
        answer = b"RESULT %d\n%s" % (len(expected), expected)
        assert feed_in_pieces(protocol, answer, data) == [Result(expected)]


def feed_in_pieces(protocol: ListenerProtocol, text: bytes, data: st.DataObject) -> list[Answer]:
    answers: list[Answer] = []
    while text:
        size = data.draw(st.integers(min_value=1, max_value=len(text)))
        answers += protocol.feed(text[:size])
        text = text[size:]
    return answers


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_no_bytes_break_it(chunks: list[bytes]) -> None:
    """Any bytes lead to answers, never to an exception; UNKNOWN is final."""
    protocol = ListenerProtocol()
    for chunk in chunks:
        before = protocol.state
        answers = protocol.feed(chunk)
        if before is ListenerState.UNKNOWN:
            assert answers == []
        if protocol.state is ListenerState.READY:
            protocol.sent()


def test_a_flood_of_ready_is_one_answer() -> None:
    """Half a megabyte of it is taken in one go, in any state."""
    protocol = ListenerProtocol()
    assert protocol.feed(b"READY\n" * 90_000) == [Ready(), RepeatedReady()]
    protocol.sent()
    assert protocol.feed(b"READY\n" * 90_000 + b"RESULT 2\nOK") == [
        RepeatedReady(),
        Result(b"OK"),
    ]


def test_ready_inside_a_result_belongs_to_it() -> None:
    """Only a line of its own is a repetition."""
    protocol = busy()
    assert protocol.feed(b"RESULT 12\n") == []
    assert protocol.feed(b"READY\n") == []
    assert protocol.feed(b"READY\n") == [Result(b"READY\nREADY\n")]


def test_an_answer_inside_a_result_belongs_to_it() -> None:
    """What is usually an answer may be a part of one."""
    protocol = busy()
    assert protocol.feed(b"RESULT 22\n") == []
    assert protocol.feed(b"RESULT 2\nOK") == []
    assert protocol.feed(b"RESULT 2\nOK") == [Result(b"RESULT 2\nOKRESULT 2\nOK")]
    protocol = busy()
    assert protocol.feed(b"RESULT 13\nRE") == []
    assert protocol.feed(b"RESULT 2\nOK") == [Result(b"RERESULT 2\nOK")]


def test_a_large_result_in_small_pieces() -> None:
    """Its cost grows with its size, not with the square of it."""
    protocol = busy()
    protocol.feed(b"RESULT 4000000\n")
    answers: list[Answer] = []
    for _ in range(40_000):
        answers += protocol.feed(b"x" * 100)
    assert answers == [Result(b"x" * 4_000_000)]
