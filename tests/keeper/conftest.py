"""Fixtures: a keeper process, and the first daemon's talk with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keeper.keeping import KeeperProcess, Talk


@pytest.fixture
def keeper() -> Iterator[KeeperProcess]:
    """A keeper of its own for this test."""
    process = KeeperProcess()
    yield process
    process.close()


@pytest.fixture
def talk(keeper: KeeperProcess) -> Talk:
    """The first daemon, which has said hello and holds nothing."""
    first = keeper.next_talk()
    assert [message.kind for message in first.hello()] == ["welcome"]
    return first
