"""What a daemon has not loaded while nothing was asked of it that needs it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.daemon import Launch
from support.implementations import Implementation
from support.torture import daemon_pid
from support.waiting import until

LARGE = ("libsqlite3", "libcrypto", "libssl", "libffi")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_daemon_without_programs_has_no_large_library(
    launch: Launch, ours: Implementation
) -> None:
    """Nor a journal: SQLite alone is more than a megabyte."""
    daemon = launch(ours)
    pid = until(lambda: daemon_pid(daemon.pid), "there is a daemon")
    daemon.ctl("status")

    mapped = Path(f"/proc/{pid}/maps").read_text()
    assert [name for name in LARGE if name in mapped] == []
    assert not list(daemon.directory.glob("*.journal*"))
