"""Lines that were said and not written when their daemon was killed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from proctor.core.settings import DaemonSettings
from proctor.daemon.activity_log import ActivityLog
from proctor.daemon.main_log import MainLog
from proctor.daemon.shelf import Shelf
from proctor.posix.drain import Drain
from proctor.posix.sinks import Sink
from proctor.posix.unwritten import CAPACITY, Unwritten, in_file_already
from support.waiting import until


@pytest.fixture
def unwritten() -> Iterator[Unwritten]:
    """New."""
    lines = Unwritten()
    yield lines
    lines.close()


def test_what_is_not_settled_is_pending(unwritten: Unwritten) -> None:
    """To the byte, in order; and a successor sees the same."""
    unwritten.add(b"one\n")
    unwritten.add(b"two\n")
    unwritten.settle(4 + 1)
    assert unwritten.pending() == b"wo\n"
    successor = Unwritten(os.dup(unwritten.fd))
    assert successor.pending() == b"wo\n"
    successor.settle(3)
    assert successor.pending() == b""
    successor.add(b"three\n")
    assert successor.pending() == b"three\n"
    successor.close()


def test_written_before_it_was_kept(unwritten: Unwritten) -> None:
    """The drain thread may be faster than the loop."""
    unwritten.settle(4)
    unwritten.add(b"one\n")
    assert unwritten.pending() == b""
    unwritten.add(b"two\n")
    assert unwritten.pending() == b"two\n"


def test_it_never_grows(unwritten: Unwritten) -> None:
    """Any number of lines, as long as they are written meanwhile."""
    for number in range(3 * CAPACITY // 8):
        unwritten.add(b"%07d\n" % number)
        unwritten.settle(8)
    unwritten.add(b"last\n")
    assert unwritten.pending() == b"last\n"


def test_too_much_is_not_kept(unwritten: Unwritten) -> None:
    """While a disk is frozen: the first lines are, and all are again when it has caught up."""
    line = b"x" * 1023 + b"\n"
    for _ in range(2 * CAPACITY // 1024):
        unwritten.add(line)
    unwritten.add(b"small\n")
    assert unwritten.pending() == line * (CAPACITY // 1024)
    unwritten.settle(2 * CAPACITY + 6)
    unwritten.add(b"next\n")
    assert unwritten.pending() == b"next\n"


@pytest.mark.parametrize(
    ("end", "count"),
    [(b"", 0), (b"old\n", 0), (b"old\none\n", 4), (b"old\none\ntw", 6), (b"one\ntwo\n", 8)],
)
def test_what_the_file_has_already(end: bytes, count: int) -> None:
    """It was written, and there was no time to say so."""
    assert in_file_already(b"one\ntwo\n", end) == count


@dataclass(slots=True)
class Keeper:
    """Holds descriptors."""

    held: dict[str, int] = field(default_factory=dict)

    def hold(self, name: str, fd: int) -> None:
        """Keep a copy."""
        self.release(name)
        self.held[name] = os.dup(fd)

    def release(self, name: str) -> None:
        """Forget it."""
        if name in self.held:
            os.close(self.held.pop(name))


class Hanging(Drain):
    """Takes lines and has no time to write them."""

    def write(self, sink: Sink, data: bytes) -> bool:
        """Nothing comes of it."""
        return True


def live(keeper: Keeper, path: Path, text: str, drain: Drain) -> None:
    """One daemon under this keeper, which says this."""
    log, shelf = ActivityLog(), Shelf(keeper)
    shelf.receive({name: os.dup(fd) for name, fd in keeper.held.items()})
    main_log = MainLog(DaemonSettings(str(path), "pid", "/tmp"), drain, log, shelf)
    main_log.open()
    log.info(text)
    drain.start()
    until(drain.stop, "the thread ends")
    main_log.close()


def post(callback: Callable[[], None]) -> None:
    """Call it."""
    callback()


def test_a_killed_daemons_lines_are_written_by_the_next(scratch: Path) -> None:
    """Once, in order, and before its own; also when that one is killed, too."""
    keeper, path = Keeper(), scratch / "main.log"
    live(keeper, path, "one", Drain(post))
    live(keeper, path, "two", Hanging(post))
    live(keeper, path, "three", Hanging(post))
    left = Unwritten(os.dup(keeper.held["main log"]))
    with path.open("ab") as file:
        # As if the last one had been killed in the middle of its second line.
        file.write(left.pending()[:-5])
    left.close()
    live(keeper, path, "four", Drain(post))
    said = [line.split(" INFO ")[1] for line in path.read_text().splitlines()]
    assert said == ["one", "two", "three", "four"]
    keeper.release("main log")
