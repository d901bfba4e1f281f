"""The daemon's guard by itself: ends that come at an awkward moment."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from proctor.keeper.daemon import Daemon
from proctor.keeper.guard import ENOUGH, Guard
from proctor.keeper.protocol import ENVIRONMENT_VARIABLE, Message, Wire


class Room:
    """A guard.  Its daemons are processes that do nothing; the test speaks for them."""

    def __init__(self) -> None:
        self.poll = select.poll()
        self.timers: dict[Callable[[], None], float] = {}
        self.fails = False
        self.idle = False
        self.codes: list[int] = []
        self.wires: list[Wire] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        spawner: Any = self
        self.guard = Guard(
            ["daemon"],
            spawner,
            self.poll,
            self.timers,
            handle=self._handle,
            alone=lambda: None,
            leave=self.codes.append,
            idle=lambda: self.idle,
        )

    def spawn_daemon(self, command: list[str], added: Mapping[bytes, bytes]) -> int:
        """As the spawner does it."""
        if self.fails:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        self.wires.append(Wire(socket.socket(fileno=os.dup(int(added[_VARIABLE])))))
        return self._process()

    def first(self, *, beside: bool = False) -> Daemon:
        """Meet one that runs already; with `beside` as one that is no child of the keeper's."""
        ours, theirs = socket.socketpair()
        self.wires.append(Wire(theirs))
        pid = self._process()
        watch = os.pidfd_open(pid) if beside else None
        daemon = Daemon(pid, ours, time.monotonic(), watch)
        daemon.greeted = True
        self.guard.meet(daemon)
        return daemon

    def end(self, number: int) -> None:
        """Let this daemon be gone, reaped by whoever is its parent."""
        self.processes[number].kill()
        self.processes[number].wait()

    def stand_aside(self, number: int) -> None:
        """Its last word; the guard has not heard it yet."""
        ours, theirs = socket.socketpair()
        wire = self.wires[number]
        wire.queue("succeed", {"note": "", "seconds": 100.0}, [theirs.fileno()])
        assert wire.flush()
        wire.close()
        theirs.close()
        self.wires.append(Wire(ours))

    def close(self) -> None:
        for number in range(len(self.processes)):
            self.end(number)
        for wire in self.wires:
            wire.close()
        self.guard.aside_ended()
        daemon = self.guard.daemon
        if daemon is not None:
            daemon.wire.close()

    def _process(self) -> int:
        process = subprocess.Popen(["/bin/sleep", "1000"])
        self.processes.append(process)
        return process.pid

    def _handle(self, message: Message) -> None:
        self.guard.succession.requests[message.kind](message, **message.fields)
        message.close()


_VARIABLE = ENVIRONMENT_VARIABLE.encode()


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    yield room
    room.close()


def test_one_that_stood_aside_in_vain_and_is_gone_is_followed_by_another(room: Room) -> None:
    """It died with the word in its mouth, and no successor could be started: it cannot return."""
    first = room.first()
    room.stand_aside(0)
    room.fails = True
    room.end(0)
    room.guard.ended(first, 9)
    assert room.guard.daemon is None
    assert room.guard.start in room.timers
    assert room.guard.kill not in room.timers
    assert not room.guard.succession.is_under_way


def test_where_no_program_lives_it_is_not_tried_for_ever(room: Room) -> None:
    """Its configuration is gone, say.  With programs to look after nobody gives up."""
    room.fails = True
    for _ in range(2 * ENOUGH):
        room.guard.start()
        assert room.guard.start in room.timers
    room.idle = True
    room.guard.start()
    assert (room.codes, room.guard.start in room.timers) == ([1], False)


def _failed_twice(room: Room) -> None:
    """It says hello and cannot begin, so that the keeper waits with the next try."""
    for number in range(2):
        daemon = room.guard.daemon or room.first()
        daemon.greeted = True
        room.end(number)
        room.guard.ended(daemon, 2 << 8)
        if number == 0:
            room.guard.start()


def test_a_keeper_that_waits_with_nothing_to_stop_ends_at_once(room: Room) -> None:
    """No other daemon is started for that."""
    room.idle = True
    _failed_twice(room)
    room.guard.pass_on(signal.SIGTERM)
    assert (room.guard.alone, room.guard.daemon) == (True, None)


def test_an_order_to_stop_is_not_given_to_one_daemon_after_the_other(room: Room) -> None:
    """The next one may stop the programs as is configured; if it fails, the keeper does."""
    _failed_twice(room)
    room.guard.pass_on(signal.SIGTERM)
    daemon = room.guard.daemon
    assert daemon is not None
    daemon.greeted = True
    room.guard.greeted()
    room.end(2)
    room.guard.ended(daemon, 2 << 8)
    assert (room.guard.alone, room.guard.start in room.timers) == (True, False)


def test_where_no_program_lives_it_is_tried_often(room: Room) -> None:
    """For some minutes; one that lived well makes all failures before it forgotten."""
    room.fails = room.idle = True
    for _ in range(ENOUGH):
        room.guard.start()
    assert room.timers[room.guard.start] > time.monotonic() + 20
    room.guard.patience.restore()
    room.guard.start()
    assert room.codes == []
    assert room.timers[room.guard.start] < time.monotonic() + 20


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="there are no pidfds")
def test_one_that_is_no_child_is_dismissed_by_its_pidfd(room: Room) -> None:
    """Its parent may have reaped it: whoever has its pid now is a stranger."""
    first = room.first(beside=True)
    room.stand_aside(0)
    room.guard.listen(first)
    watch = room.guard.aside[1]
    stranger = room.processes[1]  # the successor
    room.guard.aside = (stranger.pid, watch)
    room.guard.succession.healthy(Message("healthy", {}, [], False))
    [dismiss] = [due for due, when in room.timers.items() if when < time.monotonic() + 50]
    dismiss()
    room.guard.aside = (first.pid, watch)
    assert room.processes[0].wait(100) == -signal.SIGKILL
    assert stranger.poll() is None


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="there are no pidfds")
@pytest.mark.parametrize("gone", [False, True])
def test_the_second_stands_aside_before_the_first_has_gone(room: Room, gone: bool) -> None:
    """A first one that is no child of ours is not watched on, or that would never be silent."""
    first = room.first(beside=True)
    assert first.watch is not None
    room.stand_aside(0)
    room.guard.listen(first)
    watched, second = room.guard.aside[1], room.guard.daemon
    assert watched is not None
    assert second is not None
    room.guard.succession.healthy(Message("healthy", {}, [], False))
    if gone:
        room.end(0)
    room.stand_aside(2)
    room.guard.listen(second)
    assert room.guard.aside == (second.pid, None)
    assert not [when for when in room.timers.values() if when < time.monotonic() + 50], "no kill"
    room.end(0)
    assert watched not in [fd for fd, _ in room.poll.poll(0)]
