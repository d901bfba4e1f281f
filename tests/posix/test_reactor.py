"""The drain thread's reactor: calls from other threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from proctor.posix.reactor import Reactor


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    """One that nobody runs yet."""
    reactor = Reactor()
    yield reactor
    reactor.close()


def test_many_calls_cost_one_wake_up(reactor: Reactor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand processes that stop at once do not make a thousand system calls."""
    written: list[bytes] = []
    write = os.write

    def counting(fd: int, data: bytes) -> int:
        written.append(data)
        return write(fd, data)

    monkeypatch.setattr("proctor.posix.reactor.os.write", counting)
    made: list[int] = []
    for number in range(1000):
        reactor.call_soon(lambda number=number: made.append(number))  # type: ignore[misc]
    reactor.turn()
    assert made == list(range(1000))
    assert written == [b"\0"]
    reactor.call_soon(lambda: None)
    assert len(written) == 2, "after a turn the next call has to wake it again"


def test_no_call_is_left_lying(reactor: Reactor) -> None:
    """Whatever comes while the thread goes to sleep still wakes it."""
    made: list[int] = []
    done = threading.Event()

    def run() -> None:
        while not done.is_set():
            reactor.turn()

    thread = threading.Thread(target=run)
    thread.start()
    for number in range(2000):
        heard = threading.Event()
        reactor.call_soon(lambda number=number: made.append(number))  # type: ignore[misc]
        reactor.call_soon(heard.set)
        if number % 10 == 0:
            assert heard.wait(60), f"call {number} was never made"
    reactor.call_soon(done.set)
    thread.join(60)
    assert made == list(range(2000))
