"""Events that were not delivered when the daemon was killed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from proctor.daemon.shelf import Shelf
from proctor.posix.slots import SIZE
from proctor.survival import undelivered as module
from proctor.survival.undelivered import AHEAD, NAME, Undelivered, undelivered
from support.daemon import Launch
from support.implementations import Implementation
from support.listeners import open_gate, recorder, until_recorded
from support.programs import program
from support.torture import kill_daemon
from support.waiting import until

STATE = "PROCESS_STATE_EXITED"


class Keeper:
    """Keeps copies."""

    def __init__(self) -> None:
        self.held: dict[str, int] = {}

    def hold(self, name: str, fd: int) -> None:
        """One more descriptor of the same file."""
        self.release(name)
        self.held[name] = os.dup(fd)

    def release(self, name: str) -> None:
        """Let go."""
        fd = self.held.pop(name, None)
        if fd is not None:
            os.close(fd)


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    """Lets go of everything at the end."""
    keeper = Keeper()
    yield keeper
    for name in list(keeper.held):
        keeper.release(name)


def _next(keeper: Keeper) -> dict[str, object]:
    """What the next daemon finds."""
    shelf = Shelf(keeper)
    shelf.receive({name: os.dup(fd) for name, fd in keeper.held.items()})
    found: dict[str, object] = json.loads(undelivered(shelf) or "{}")
    return found


def test_a_record_that_nobody_can_read_keeps_no_daemon_from_starting(keeper: Keeper) -> None:
    """One of another version, or half of one; the others are delivered."""
    store = Undelivered(Shelf(keeper))
    store.begin()
    store.took("pool", 7, STATE, "payload")
    fd = keeper.held[NAME]
    for place, record in enumerate(
        (b'["pool", 8', b'["pool", 9]', b'{"of": "another version"}'), 1
    ):
        os.pwrite(fd, record.ljust(SIZE), place * SIZE)
    assert _next(keeper)["left"] == {"pool": [[7, STATE, "payload"]]}


def test_the_next_daemon_finds_what_was_not_done(keeper: Keeper) -> None:
    """By pool, oldest first, however places were used again; with a serial that is unused."""
    book = Undelivered(Shelf(keeper))
    book.begin()
    for serial in range(20):
        book.reached(serial)
        book.took("el", serial, STATE, f"n:{serial} 中")
        if serial % 2:
            book.took("other", serial, STATE, "")
            book.done("el", serial)
        if serial > 9:
            book.done("el", serial - 10)
    book.done("el", 1000)
    found = _next(keeper)
    assert found["left"] == {
        "el": [[serial, STATE, f"n:{serial} 中"] for serial in range(10, 20, 2)],
        "other": [[serial, STATE, ""] for serial in range(1, 20, 2)],
    }
    assert found["serial"] == AHEAD
    for serial in range(20, AHEAD + 1):
        book.reached(serial)
    assert _next(keeper)["serial"] == 2 * AHEAD
    book.end()


def test_nothing_is_left_by_an_orderly_end(keeper: Keeper) -> None:
    """Its heir has it from itself."""
    book = Undelivered(Shelf(keeper))
    book.begin()
    book.took("el", 1, STATE, "")
    book.end()
    book.took("el", 2, STATE, "")
    book.done("el", 1)
    assert keeper.held == {}
    assert _next(keeper) == {}


def test_it_is_bounded(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """In number and in size; what went makes room."""
    monkeypatch.setattr(module, "MOST", 3)
    book = Undelivered(Shelf(keeper))
    book.begin()
    for serial in range(5):
        book.took("el", serial, STATE, "")
    book.done("el", 1)
    book.took("el", 9, STATE, "x" * SIZE)
    book.took("el", 10, STATE, "x")
    left = _next(keeper)["left"]
    assert isinstance(left, dict)
    assert [event[0] for event in left["el"]] == [0, 2, 10]
    assert os.fstat(keeper.held[NAME]).st_size <= 4 * SIZE
    book.end()


@pytest.mark.parametrize("name", ["PROCESS_LOG_STDOUT", "PROCESS_COMMUNICATION_STDERR", "TICK_5"])
def test_what_comes_by_the_thousand_is_not_written_down(keeper: Keeper, name: str) -> None:
    """It would cost a system call each."""
    book = Undelivered(Shelf(keeper))
    assert not book.matters(name)
    assert book.matters(STATE)
    assert book.matters("REMOTE_COMMUNICATION")
    book.end()


def test_without_a_keeper_there_is_nobody_to_write_for() -> None:
    """Nothing is open, nothing is done."""
    book = Undelivered(Shelf())
    assert not book.matters(STATE)
    book.begin()
    book.took("el", 1, STATE, "")
    book.reached(1)
    book.done("el", 1)
    book.end()


def test_no_state_event_dies_with_the_daemon(launch: Launch, ours: Implementation) -> None:
    """Killed twice while a listener is busy: it gets what it was busy with again, then all that
    waited, each once and in order; and no serial twice."""
    listener = recorder("el", "PROCESS_STATE,REMOTE_COMMUNICATION", "gate", buffer_size=50)
    daemon = launch(ours, listener + program("cat", autostart="false"))
    daemon.until_state("el", "RUNNING")
    until_recorded(daemon, "el", "PROCESS_STATE_STARTING processname:el")
    daemon.call("supervisor.startProcess", "cat")
    daemon.call("supervisor.sendRemoteCommEvent", "t", "before")
    for number in range(2):
        kill_daemon(daemon.pid)
        until(lambda: daemon.call("supervisor.getPID"), "it answers again")
        daemon.until_logged("el: is started again", number + 1)
        daemon.until_logged("spawned: 'el'", number + 2)
        until_recorded(daemon, "el", "PROCESS_STATE_STARTING processname:el", number + 2)
    daemon.call("supervisor.sendRemoteCommEvent", "t", "after")
    open_gate(daemon, "el")
    events = until_recorded(daemon, "el", "after")
    again, told = events[:2], events[2:]
    assert {one.serial for one in again} == {told[0].serial}, "what it was busy with"
    names = [f"{one.name} {one.payload}" for one in told]
    (running,) = (
        n for n, one in enumerate(names) if one.startswith(f"{STATE[:14]}RUNNING processname:cat")
    )
    assert names.index("REMOTE_COMMUNICATION type:t\nbefore") > running
    serials = [one.serial for one in told]
    assert serials == sorted(set(serials))
