"""Courier, on a loop that turns only when the test says so, beside a thread that is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from proctor.core.capture import Message, Piece
from proctor.posix.courier import BOUND, PIECE, PORTION, Courier
from proctor.posix.reactor import Reactor


class Loop:
    """What is posted in a turn is run in the next one."""

    def __init__(self) -> None:
        self.posted: list[Callable[[], None]] = []

    def post(self, callback: Callable[[], None]) -> None:
        """Run it in the next turn."""
        self.posted.append(callback)

    def turn(self) -> None:
        """Run what was posted before."""
        posted, self.posted = self.posted, []
        for callback in posted:
            callback()


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    """Of a thread that nobody runs."""
    reactor = Reactor()
    yield reactor
    reactor.close()


def messages(count: int) -> list[Piece]:
    return [Message(b"%d" % number) for number in range(count)]


def test_each_turn_of_the_loop_gets_a_portion(reactor: Reactor) -> None:
    """Others have their turn in between, however many pieces wait, in one read or in several."""
    loop, heard = Loop(), list[Piece]()
    courier = Courier(reactor, loop.post, heard.extend, lambda: None)
    pieces = messages(2 * PORTION + 1)
    courier.send(pieces)
    courier.send(pieces[:1])
    turns = list[int]()
    while loop.posted:
        loop.turn()
        turns.append(len(heard))
    assert turns == [PORTION, 2 * PORTION, 2 * PORTION + 1, 2 * PORTION + 2]
    assert heard == [*pieces, pieces[0]]


def test_what_comes_then_comes_after_all_that_was_sent(reactor: Reactor) -> None:
    """The end of a child is not told before its last words."""
    loop, told = Loop(), list[Sequence[Piece] | str]()
    courier = Courier(reactor, loop.post, told.append, lambda: None)
    courier.send(messages(1))
    courier.send(messages(2))
    courier.then(lambda: told.append("end"))
    while loop.posted:
        loop.turn()
    assert told == [messages(1), messages(2), "end"]
    courier.then(lambda: told.append("again"))
    loop.turn()
    assert told[-1] == "again"


def test_a_bug_of_the_hearer_stops_nothing(reactor: Reactor) -> None:
    """The loop reports it; what was sent later is delivered."""
    loop, heard = Loop(), list[Piece]()

    def stumble(pieces: Sequence[Piece]) -> None:
        if not heard:
            heard.append(pieces[0])
            raise ZeroDivisionError

    courier = Courier(reactor, loop.post, stumble, lambda: None)
    courier.send(messages(1))
    courier.then(lambda: heard.append(Message(b"end")))
    with pytest.raises(ZeroDivisionError):
        loop.turn()
    loop.turn()
    assert heard == [Message(b"0"), Message(b"end")]


def test_many_small_pieces_are_much(reactor: Reactor) -> None:
    """A piece takes memory beside its bytes; when the loop has heard them there is room again."""
    loop = Loop()
    courier = Courier(reactor, loop.post, lambda _: None, lambda: None)
    courier.send(messages(BOUND // PIECE))
    assert courier.must_wait()
    while loop.posted:
        loop.turn()
    assert not courier.must_wait()
