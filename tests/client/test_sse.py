"""Server-sent events, cut anywhere."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from proctor.client.sse import events

STREAM = b""": hello

event: A
data: {1}

:

data:x
data: \xe7\x8c\xab
id: 3

event: B

data: cut"""


@given(st.lists(st.integers(0, len(STREAM))))
def test_pieces_of_any_size(cuts: list[int]) -> None:
    """Comments, other fields and what is not complete are left out."""
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[begin:end] for begin, end in pairwise(edges)]
    ids: list[str] = []
    assert list(events(pieces, ids.append)) == [("A", "{1}"), ("", "x\n猫")]
    assert ids == ["3"]
