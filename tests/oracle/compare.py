"""Running one thing beside the other, making the outcomes comparable, and comparing them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from oracle.differences import DIFFERENCES, Difference

T = TypeVar("T")
K = TypeVar("K")

_WHENEVER = (
    (re.compile(r"\d\d\d\d-\d\d-\d\d \d\d:\d\d:\d\d,\d\d\d"), "<time>"),
    (re.compile(r"uptime (\d+ days?, )?\d+:\d\d:\d\d"), "uptime <up>"),
    (re.compile(r"[A-Z][a-z]{2} \d\d \d\d:\d\d [AP]M"), "<when>"),
    (re.compile(r"\bpid \d+"), "pid <pid>"),
    (re.compile(r"^[1-9]\d*$", re.MULTILINE), "<pid>"),
)


def plain(text: str, directory: Path) -> str:
    """The text without what differs from run to run: pids, times and the scratch directory."""
    text = text.replace(str(directory), "<dir>").replace(directory.name, "<dir>")
    for pattern, instead in _WHENEVER:
        text = pattern.sub(instead, text)
    return text


def side_by_side(run: Callable[[K], T], *which: K) -> list[T]:
    """Run the same thing for each of `which`, at the same time."""
    with ThreadPoolExecutor(len(which)) as pool:
        return list(pool.map(run, which))


def assert_same(topic: str, original: Mapping[str, object], ours: Mapping[str, object]) -> None:
    """Compare two outcomes, entry by entry.

    An entry may differ if `differences.py` says so; a difference that is listed there and is none
    must be taken off the list.
    """
    assert list(original) == list(ours)
    wrong = []
    for key, expected in original.items():
        listed = next((one for one in DIFFERENCES if one.covers(topic, key)), None)
        verdict = _verdict(expected, ours[key], listed)
        if verdict:
            wrong.append(
                f"{topic}: {key}: {verdict}\n  original {expected!r}\n  ours     {ours[key]!r}"
            )
    assert not wrong, "\n".join(wrong)


def _verdict(expected: object, got: object, listed: Difference | None) -> str:
    if listed is None:
        return "" if expected == got else "differs"
    if expected == got:
        return f"is the same, but differences.py lists it as {listed.gotcha}"
    if listed.ours and not re.search(listed.ours, str(got)):
        return f"differs from the original as {listed.gotcha} allows, but not as it is meant to"
    return ""
