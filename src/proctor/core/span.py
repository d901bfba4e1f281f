"""How long something lasted, in words.  Imports nothing: the client starts in no time."""

from __future__ import annotations


def span(seconds: float) -> str:
    """How long, in at most two units: `0.3 s`, `12 s`, `5 min 2 s`, `3 h 10 min`, `4 d 2 h`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f}".removesuffix(".0") + " s"
    whole = int(seconds)
    for size, unit, smaller, name in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit}" + (f" {rest} {name}" if rest else "")
    return f"{whole} s"
