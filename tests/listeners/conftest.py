"""Fixtures of the listeners' tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from listeners.stage import DaemonDouble, Theatre


@pytest.fixture
def theatre(scratch: Path) -> Theatre:
    """Runs commands with a sendmail of its own."""
    return Theatre(scratch)


@pytest.fixture
def daemon() -> Iterator[DaemonDouble]:
    """A supervisord that keeps a list, with web and off on it, and a group of two."""
    double = DaemonDouble()
    double.add("web", pid=11)
    double.add("w1", "grp", pid=12)
    double.add("off", state=0)
    double.add("web", "other", pid=14)
    with double.serving():
        yield double
