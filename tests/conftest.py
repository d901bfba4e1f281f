"""Fixtures that start real daemons.  Unit tests need none of them."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from support import implementations
from support.daemon import Daemon, Launch
from support.implementations import Implementation

# Whoever started the tests in the background has switched Ctrl-C off for all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The tests are the same in every run, so that a change is judged by what it changes.  Looking for
# new cases is a run of its own: `make explore`.
EXPLORING = "PROCTOR_EXPLORE" in os.environ
hypothesis.settings.register_profile(
    "house",
    derandomize=not EXPLORING,
    # Time is no property of the code: on a machine that is busy everything is slow.
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def original() -> Implementation:
    """Supervisor 4.3.0 from PyPI."""
    return implementations.original()


@pytest.fixture(scope="session")
def ours() -> Implementation:
    """Proctor.  With PROCTOR_SELF_CHECK the original stands in for it: then every comparison must
    come out equal, or the test itself is not to be trusted."""
    if os.environ.get("PROCTOR_SELF_CHECK"):
        return implementations.original()
    return implementations.proctor()


@pytest.fixture(params=[pytest.param("original", marks=pytest.mark.oracle), "proctor"])
def either(request: pytest.FixtureRequest) -> Implementation:
    """Both, one after the other: for what must be the same."""
    chosen = implementations.original if request.param == "original" else implementations.proctor
    return chosen()


def _scratch() -> Iterator[Path]:
    # Not tmp_path: the path of a unix socket has room for 107 bytes only.
    directory = Path(tempfile.mkdtemp(prefix="proctor-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """An empty directory with a short name."""
    yield from _scratch()


def _launcher() -> Iterator[Launch]:
    started: list[Daemon] = []

    def launch(
        implementation: Implementation, programs: str = "", *, ready: bool = True, **more: Any
    ) -> Daemon:
        directory = Path(tempfile.mkdtemp(prefix="proctor-"))
        directory.chmod(0o755)
        start = {key: more.pop(key) for key in ("stdout", "command", "cwd") if key in more}
        daemon = Daemon(implementation, directory, programs, **more)
        started.append(daemon)
        return daemon.start(ready=ready, **start)

    yield launch
    troubles = []
    for daemon in reversed(started):
        try:
            daemon.stop()
        except AssertionError as error:
            troubles.append(str(error))
        shutil.rmtree(daemon.directory, ignore_errors=True)
    assert not troubles, "\n".join(troubles)


@pytest.fixture
def launch(scratch: Path) -> Iterator[Launch]:
    """Start daemons; they are stopped after the test, and must leave nothing behind.

    What a test puts into `scratch` is there until they have ended: they may run from it.
    """
    yield from _launcher()


@pytest.fixture(scope="module")
def launch_shared() -> Iterator[Launch]:
    """Like `launch`, for daemons that all tests of a file share."""
    yield from _launcher()
