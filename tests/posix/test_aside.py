"""A daemon that stands aside and loses its keeper."""

from __future__ import annotations

import socket

import pytest

from proctor.keeper.protocol import Wire
from proctor.posix.aside import wait_for_word
from proctor.posix.keeper_line import KeeperGone


def word(*said: str, says_begun: bool = True) -> str | None:
    """What comes of these messages, and of a keeper that is killed then."""
    ours, theirs = socket.socketpair()
    with ours:
        wire = Wire(theirs)
        for kind in said:
            wire.queue(kind, {})
        assert wire.flush()
        wire.close()
        return wait_for_word(ours, says_begun)


def test_the_keeper_is_killed_before_there_is_a_successor() -> None:
    """Somebody has to go on."""
    with pytest.raises(KeeperGone):
        word()


def test_the_keeper_is_killed_when_there_is_a_successor() -> None:
    """That one goes on by itself."""
    assert word("begun") is None


def test_a_keeper_that_would_not_say_is_killed() -> None:
    """One of an older version: a successor may be there, and two would be worse than none."""
    assert word(says_begun=False) is None
