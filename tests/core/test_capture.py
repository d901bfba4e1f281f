"""What a child wrote, told apart into text and messages (compat logging.md, sections 5 and 7)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proctor.core.capture import (
    BEGIN_TOKEN,
    END_TOKEN,
    AnsiStripper,
    Capture,
    Message,
    Text,
    possible_prefix,
)

BIG = 1 << 20

# Streams made of what matters: tokens, their beginnings, escapes, their endings, and plain bytes.
fragments = st.one_of(
    st.sampled_from(
        [BEGIN_TOKEN, END_TOKEN, b"<!--XSUPERVISOR:", b"<", b"<!-", b"\x1b", b"\x1b[", b"m", b"31m"]
    ),
    st.binary(max_size=8),
)
streams = st.lists(fragments, max_size=20).map(b"".join)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(ends)]


def decode(capture: Capture, parts: list[bytes]) -> tuple[bytes, list[bytes]]:
    pieces = [piece for part in parts for piece in capture.feed(part)] + capture.flush()
    text = b"".join(piece.data for piece in pieces if isinstance(piece, Text))
    return text, [piece.data for piece in pieces if isinstance(piece, Message)]


@given(streams, st.lists(st.integers(0, 1000), max_size=12), st.booleans(), st.integers(1, 30))
def test_how_the_stream_is_cut_into_reads_changes_nothing(
    stream: bytes, cuts: list[int], strip: bool, maxbytes: int
) -> None:
    """Neither with tokens, nor with escapes, nor with a small bound for messages."""
    whole = decode(Capture(maxbytes, strip), [stream])
    assert decode(Capture(maxbytes, strip), split(stream, cuts)) == whole


@given(streams, st.lists(st.integers(0, 1000), max_size=12))
def test_without_capture_every_byte_is_text(stream: bytes, cuts: list[int]) -> None:
    """Tokens mean nothing, and nothing is held back."""
    capture = Capture()
    parts = split(stream, cuts)
    assert [capture.feed(part) for part in parts] == [[Text(part)] for part in parts]
    assert capture.flush() == []


@given(st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9)), max_size=4))
def test_text_and_messages_are_told_apart(pairs: list[tuple[bytes, bytes]]) -> None:
    """As a plain split at the tokens would do it."""
    clean = [(a.replace(b"<", b""), b.replace(b"<", b"")) for a, b in pairs]
    stream = b"".join(a + BEGIN_TOKEN + b + END_TOKEN for a, b in clean)
    text, messages = decode(Capture(BIG), [stream])
    assert text == b"".join(a for a, _ in clean)
    assert messages == [b for _, b in clean]


def test_only_a_possible_token_is_held_back() -> None:
    """Ordinary output is passed on at once (gotcha G22)."""
    capture = Capture(BIG)
    assert capture.feed(b"short") == [Text(b"short")]
    assert capture.feed(b"a <!--XSU") == [Text(b"a ")]
    assert capture.feed(b"per\n") == [Text(b"<!--XSUper\n")]


def test_what_was_held_back_comes_at_the_end() -> None:
    """Nothing of a program's last words is lost (gotcha G22)."""
    capture = Capture(BIG)
    capture.feed(b"bye <!--")
    assert capture.flush() == [Text(b"<!--")]
    assert capture.flush() == []


def test_a_message_that_is_never_ended_is_not_logged() -> None:
    """As in the original: it is neither text nor an event."""
    capture = Capture(BIG)
    assert capture.feed(b"a" + BEGIN_TOKEN + b"half") == [Text(b"a")]
    assert capture.flush() == []
    # But the process may have left a child that goes on.
    assert capture.feed(b" done" + END_TOKEN) == [Message(b"half done")]


@pytest.mark.parametrize("step", [1, 3, 100])
def test_a_message_keeps_its_last_bytes(step: int) -> None:
    """Never more than the bound, however it comes (gotcha G23)."""
    stream = BEGIN_TOKEN + bytes(range(100)) + END_TOKEN
    parts = [stream[i : i + step] for i in range(0, len(stream), step)]
    assert decode(Capture(10), parts) == (b"", [bytes(range(90, 100))])


def test_clear_forgets_what_a_message_has_collected() -> None:
    """The message itself goes on (compat logging.md, section 8)."""
    capture = Capture(BIG)
    capture.feed(BEGIN_TOKEN + b"old")
    capture.clear()
    assert capture.feed(b"new" + END_TOKEN) == [Message(b"new")]


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (b"\x1b[31mred\x1b[0m", b"red"),
        (b"\x1b[2J\x1b[1;1Htop", b"top"),
        (b"\x1b]0;title\x07x", b"\x1b]0;title\x07x"),
        (b"a\x1bb", b"a\x1bb"),
        (b"\x1b\x1b[0mx", b"\x1bx"),
        (b"x\x1b[12", b"x"),
        (b"x\x1b", b"x\x1b"),
    ],
)
def test_terminal_sequences_are_taken_out(raw: bytes, clean: bytes) -> None:
    """Only those that begin with ESC [; how they are cut into reads does not matter (G61)."""
    for step in (1, 2, 100):
        stripper = AnsiStripper()
        parts = [stripper.feed(raw[i : i + step]) for i in range(0, len(raw), step)]
        assert b"".join(parts) + stripper.flush() == clean


def test_messages_are_stripped_too() -> None:
    """Event payloads carry no colours."""
    stream = b"\x1b[1ma" + BEGIN_TOKEN + b"\x1b[1mb" + END_TOKEN
    assert decode(Capture(BIG, strip_ansi=True), [stream]) == (b"a", [b"b"])


def test_a_possible_prefix_is_the_longest_one() -> None:
    """Of a token that repeats itself, too."""
    assert possible_prefix(b"xaab", b"aabaabc") == 3
    assert possible_prefix(b"xaabaab", b"aabaabc") == 6
    assert possible_prefix(b"xyz", b"aabaabc") == 0
