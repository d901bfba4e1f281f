"""Ranges of logs as text: cut anywhere, filled with anything (gotcha G5, scenario 11)."""

from __future__ import annotations

import pytest

from proctor.api.text import readable


@pytest.mark.parametrize("start", range(5))
@pytest.mark.parametrize("end", range(5))
def test_a_character_cut_by_an_offset_is_left_out(start: int, end: int) -> None:
    """Wherever a four-byte character is cut, the rest is whole and nothing is invented."""
    data = "😀abc😀".encode()
    whole = readable(data[start : len(data) - end])
    assert whole == ("😀" if start == 0 else "") + "abc" + ("😀" if end == 0 else "")


def test_bytes_that_are_no_utf8_are_replaced_one_by_one() -> None:
    """A bad byte in the middle costs one character, not the answer."""
    assert readable(b"a\xff\xfeb\xc3(") == "a\ufffd\ufffdb\ufffd("


def test_a_text_of_nothing_but_broken_bytes_is_still_an_answer() -> None:
    """Latin-1 and binary logs come out as replacements."""
    assert readable(b"\x80" * 10) == "\ufffd" * 7
    assert readable(b"\x80\x80") == ""


def test_control_characters_stay() -> None:
    """Colours and NULs are the log's own; the XML-RPC face replaces what XML cannot carry."""
    assert readable(b"\x1b[31mred\x00\r\n") == "\x1b[31mred\x00\r\n"
