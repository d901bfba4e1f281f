"""--profile: what Python's profiler saw of a daemon's life."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def profiled(columns: str | None) -> Iterator[None]:
    """Print what Python's profiler saw, sorted by these columns; None: do without."""
    if columns is None:
        yield
        return
    import cProfile
    import pstats

    with cProfile.Profile() as profile:
        yield
    words = columns.split(",")
    stats = pstats.Stats(profile).sort_stats(*(word for word in words if word != "callers"))
    (stats.print_callers if "callers" in words else stats.print_stats)(0.3)
