"""Fixtures for other people's code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from compat.shelf import Shelf, filled
from support.daemon import Daemon, Launch
from support.implementations import Implementation


@pytest.fixture(scope="session")
def shelf() -> Shelf:
    """Published packages, installed on first use."""
    return filled()


@pytest.fixture
def plugged(launch: Launch, ours: Implementation, shelf: Shelf) -> Callable[[str], Daemon]:
    """Starts a daemon that can import the packages."""

    def start(sections: str) -> Daemon:
        return launch(ours, sections, environment={"PYTHONPATH": shelf.packages})

    return start
