"""--profile_options."""

from __future__ import annotations

import signal

from support.daemon import Launch
from support.implementations import Implementation


def test_where_the_time_went(either: Implementation, launch: Launch) -> None:
    """What the profiler saw is printed at the end, sorted as asked for, callers if asked for."""
    daemon = launch(either, arguments=("-n", "-s", "--profile_options=cumulative,calls,callers"))
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    told = daemon.console.read_text()
    assert "Ordered by: cumulative time, call count" in told
    assert "was called by..." in told
