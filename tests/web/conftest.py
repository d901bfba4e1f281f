"""Servers for the tests of web/."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from webhost import Served

Serve = Callable[..., Served]


@pytest.fixture
def serve(scratch: Path) -> Iterator[Serve]:
    """Start servers; they are closed after the test."""
    running: list[Served] = []

    def start(**more: Any) -> Served:
        directory = scratch / str(len(running))
        directory.mkdir()
        running.append(Served(directory, **more))
        return running[-1]

    yield start
    for served in running:
        served.close()


@pytest.fixture
def served(serve: Serve) -> Served:
    """One server without a login."""
    return serve()
