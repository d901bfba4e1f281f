"""Where a log is cut, and which file becomes which (compat logging.md, section 4)."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proctor.core import rotation
from proctor.core.rotation import Cut, cut, shifts


def write(files: list[bytes], chunk: bytes, limit: int) -> None:
    """What LogFile does, on files that are byte strings; the last one is the log."""
    start = 0
    while start < len(chunk):
        current = files[-1]
        ended = current.endswith(b"\n") or not current
        part = cut(chunk, start, len(current), limit, partial(bool, ended))
        assert part.take > 0 or (part.rotate and current), "every step moves on"
        files[-1] += chunk[start : start + part.take]
        start += part.take
        if part.rotate:
            files.append(b"")


lines = st.lists(st.integers(0, 40).map(lambda n: b"x" * n + b"\n"), max_size=60)


@given(lines, st.integers(41, 120), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_lines_that_fit_are_never_broken(parts: list[bytes], limit: int, steps: list[int]) -> None:
    """However they arrive: each once, in order, and no file is over the limit by a line."""
    stream, files, position = b"".join(parts), [b""], 0
    while position < len(stream):
        step = steps[position % len(steps)]
        write(files, stream[position : position + step], limit)
        position += step
    assert b"".join(files) == stream
    assert all(file.endswith(b"\n") for file in files[:-1])
    longest = max(map(len, parts), default=0)
    assert all(len(file) < limit + longest for file in files)


@given(st.binary(max_size=3000), st.integers(1, 50), st.integers(1, 400))
def test_any_bytes_are_kept_whole(stream: bytes, limit: int, step: int) -> None:
    """Also where no line fits: no byte lost or doubled, no file empty but the last."""
    files = [b""]
    for position in range(0, len(stream), step):
        write(files, stream[position : position + step], limit)
    assert b"".join(files) == stream
    assert all(files[:-1])


@given(st.integers(1, 100), st.integers(1, 70))
def test_a_stream_without_newlines_does_not_fill_the_disk(limit: int, step: int) -> None:
    """A file is cut hard when it is twice as long as it may be."""
    files = [b""]
    for _ in range(0, 2000, step):
        write(files, b"x" * step, limit)
    assert all(len(file) == 2 * limit for file in files[:-1])


def test_a_log_that_fits_exactly_is_rotated_at_once() -> None:
    """As the original: the position has reached the limit."""
    assert cut(b"12345\n", 0, 4, 10, lambda: True) == Cut(6, rotate=True)


def test_a_line_goes_whole_into_the_next_file() -> None:
    """Its file is rotated before it, not within it."""
    assert cut(b"12345\n", 0, 5, 10, lambda: True) == Cut(0, rotate=True)


def test_a_line_that_has_begun_is_ended_where_it_began() -> None:
    """Even over the limit."""
    assert cut(b"678\nnext\n", 0, 9, 10, lambda: False) == Cut(4, rotate=True)


def test_the_end_of_the_file_is_only_looked_at_when_it_matters() -> None:
    """It costs a system call."""

    def never() -> bool:
        raise AssertionError("asked for nothing")

    assert cut(b"abc\n", 0, 0, 10, never) == Cut(4, rotate=False)
    assert cut(b"abc\ndef\nghi\n", 0, 0, 10, never) == Cut(8, rotate=True)


def rotate(numbers: set[int], backups: int) -> set[int]:
    """The set of files after a rotation; 0 is the log, before it is made anew."""
    files = {number: number for number in {0, *numbers}}
    for old, new in shifts(files.__contains__, backups):
        files[new] = files.pop(old)
    if not backups:
        del files[0]
    assert 0 not in files, "the name is free for the new log"
    return set(files)


@pytest.mark.parametrize(
    ("before", "backups", "after"),
    [
        (set(), 3, {1}),
        ({1}, 3, {1, 2}),
        ({1, 2, 3}, 3, {1, 2, 3}),
        ({1, 2, 3, 4}, 3, {1, 2, 3, 4}),
        ({1}, 1, {1}),
        (set(), 0, set()),
        ({1, 2}, 0, {1, 2}),
        ({1, 3}, 5, {1, 2, 3}),
    ],
)
def test_backups_are_shifted_up_and_the_oldest_goes(
    before: set[int], backups: int, after: set[int]
) -> None:
    """A gap takes the shift up: what is above it stays."""
    assert rotate(before, backups) == after


def test_the_youngest_backup_is_number_one() -> None:
    """From the top down, so that nothing is overwritten but the oldest."""
    assert shifts({1, 2, 3}.__contains__, 3) == [(2, 3), (1, 2), (0, 1)]


def test_thousands_of_backups_cost_nothing() -> None:
    """The search ends at the first free number (decisions.md, section 1)."""
    asked: list[int] = []

    def exists(number: int) -> bool:
        asked.append(number)
        return number < 3

    assert shifts(exists, 10_000) == [(2, 3), (1, 2), (0, 1)]
    assert asked == [1, 2, 3]


def test_the_overrun_is_bounded() -> None:
    """A log of 50 MB does not become one of 100."""
    limit = 50 << 20
    part = cut(b"x" * (2 << 20), 0, limit - 1, limit, lambda: False)
    assert part == Cut(rotation.OVERRUN + 1, rotate=True)
