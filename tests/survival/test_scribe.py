"""The journal's thread: nothing lost that can be kept, and nobody waits for the disk."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from proctor.core.cause import Cause, CauseKind
from proctor.core.exits import ExitStatus, Usage
from proctor.core.history import Birth, Change
from proctor.core.states import ProcessState
from proctor.survival.entries import Ended, Entry, Left, Spawned, Turned
from proctor.survival.evidence import Witness
from proctor.survival.reading import Reader, numbered
from proctor.survival.scribe import MOST, MOST_WAITING, Post, Scribe, at_once
from support.waiting import GENEROUS, until

EXIT = Cause(CauseKind.EXIT)
ALICE = Cause(CauseKind.REQUEST, "alice")


def a_run(number: int, name: str = "web:web") -> Spawned:
    return Spawned(Birth(name, 100 + number, float(number)), 1000.0 + number, ALICE, "abcd")


def an_end(number: int, status: ExitStatus | None = None, **more: object) -> Ended:
    end = status or ExitStatus(1, usage=Usage(0.5, 0.25, 4096))
    values = {"cause": EXIT, "expected": False} | more
    return Ended(a_run(number), 1010.0 + number, end, **values)  # type: ignore[arg-type]


def a_turn(number: int, text: str = "") -> Turned:
    cause = Cause(CauseKind.SPAWN_FAILED, text=text)
    states = ProcessState.STARTING, ProcessState.BACKOFF
    return Turned(Change(1000.0 + number, "web:web", *states, cause, tries=number))


class Room:
    """A scribe, and the loop it talks to: what it posts is called in `settle`."""

    def __init__(
        self, path: Path, maxbytes: int = 0, maxdays: int = 0, soon: Post = at_once
    ) -> None:
        self.path = path
        self.said: list[str] = []
        self._posted: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.scribe = Scribe(
            str(path),
            self._posted.put,
            self.said.append,
            maxbytes=maxbytes,
            maxdays=maxdays,
            retry=0.05,
            soon=soon,
        )
        self.reader = Reader(str(path))

    def settle(self) -> None:
        with suppress(Empty):
            while True:
                self._posted.get_nowait()()

    def write(self, *entries: Entry) -> None:
        """Write, and wait until that is over."""
        for entry in entries:
            self.scribe.write(entry)
        over: list[bool] = []
        self.scribe.after(lambda: over.append(True))

        def look() -> bool:
            self.settle()
            return bool(over)

        until(look, "the scribe answers")

    def until_said(self, text: str) -> None:
        def look() -> bool:
            self.settle()
            return any(text in line for line in self.said)

        until(look, lambda: f"{text!r} is said, not only {self.said}")

    def runs(self) -> list[int]:
        return [run.birth.pid - 100 for run in self.reader.runs("web:web", 0.0, 100_000)]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path / "journal")
    yield room
    room.scribe.close(GENEROUS)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "proctor-test", str(disk)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_what_was_written_is_read(room: Room) -> None:
    """A run from its beginning to its end, and the changes."""
    room.write(a_run(1), a_turn(1, "no such file"), an_end(1), a_run(2))
    first, second = room.reader.runs("web:web", 0.0, 10)
    assert (first.number, first.start, first.end) == (1, 1001.0, 1011.0)
    assert first.status == ExitStatus(1)
    assert first.status.usage == Usage(0.5, 0.25, 4096)
    assert (first.started, first.ended, first.expected) == (ALICE, EXIT, False)
    assert second.end is None
    assert room.reader.changes("web:web", 10) == [a_turn(1, "no such file").change]
    assert room.path.stat().st_mode & 0o777 == 0o600
    assert room.said == []


def test_the_latest_of_many(room: Room) -> None:
    """Only so many, only since then, of one or of all."""
    room.write(*(entry for n in range(1, 6) for entry in (a_run(n), an_end(n))), a_run(9, "x:y"))
    assert [run.birth.pid for run in room.reader.runs("web:web", 0.0, 2)] == [104, 105]
    assert [run.birth.pid for run in room.reader.runs(None, 1014.5, 10)] == [105, 109]
    runs = room.reader.runs("web:web", 0.0, 10)
    pids = [found and found.birth.pid for found in (numbered(runs, n) for n in (0, -1, -4, -5, 2))]
    assert pids == [105, 104, 101, None, 102]


def test_a_journal_that_is_not_there_is_empty(room: Room) -> None:
    """And nothing is made by looking."""
    assert room.reader.runs(None, 0.0, 10) == []
    assert not room.path.exists()


def test_an_end_is_written_once(room: Room) -> None:
    """The next daemon hears of the same end again, perhaps with less; the first word counts."""
    room.write(a_run(1), an_end(1))
    room.write(an_end(1, ExitStatus(0)), an_end(2))
    first, second = room.reader.runs("web:web", 0.0, 10)
    assert first.status == ExitStatus(1)
    assert (second.birth.pid, second.status) == (102, ExitStatus(1)), "also without a beginning"


def test_what_went_on_and_is_not_there_any_more_has_ended(room: Room) -> None:
    """Nobody saw it; so nothing is said of how."""
    room.write(a_run(1), a_run(2), Left(frozenset({("web:web", 102)}), 2000.0))
    gone, alive = room.reader.runs("web:web", 0.0, 10)
    assert (gone.end, gone.status) == (2000.0, None)
    assert alive.end is None


def test_a_full_disk_is_said_once_and_overcome(small_disk: Path) -> None:
    """Entries are kept meanwhile; nobody waits; it goes on by itself when there is room."""
    ballast = small_disk / "ballast"
    room = Room(small_disk / "journal")
    room.write(a_run(1))
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    for number in range(2, 400):
        room.scribe.write(a_run(number))
        room.scribe.write(a_turn(number, "x" * 1000))
    room.write()
    room.until_said("disk is full; will try again")
    room.write(a_run(400))
    ballast.unlink()
    room.until_said("can write the journal")
    assert len([line for line in room.said if "will try again" in line]) == 1
    assert room.runs() == list(range(1, 401))
    room.scribe.close(GENEROUS)


def test_a_place_that_cannot_be_written_keeps_a_bounded_number(tmp_path: Path) -> None:
    """The oldest entries go, and how many is told."""
    room = Room(tmp_path / "not yet" / "journal")
    for number in range(MOST // 2):
        room.scribe.write(a_run(number))
    room.write()
    for number in range(MOST // 2, MOST + 10):
        room.scribe.write(a_run(number))
    room.write()
    (tmp_path / "not yet").mkdir()
    room.until_said("; 10 entries lost")
    assert room.runs() == list(range(10, MOST + 10))
    room.scribe.close(GENEROUS)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_somebody_else_has_put_there_is_not_taken(tmp_path: Path, kind: str) -> None:
    """Root writes neither into another user's file nor where another user's link leads."""
    path, target = tmp_path / "journal", tmp_path / "target"
    if kind == "link":
        path.symlink_to(target)
    else:
        path.touch()
    os.chown(path, 65534, 65534, follow_symlinks=False)
    room = Room(path)
    room.write(a_run(1))
    room.settle()
    assert "belongs to uid 65534, not to us" in room.said[0]
    assert not target.exists()
    room.scribe.close(GENEROUS)


def test_not_too_many_wait_for_a_frozen_disk(tmp_path: Path) -> None:
    """Beyond that the answer is given at once: the keeper must not keep everything for ever."""
    scribe = Scribe(str(tmp_path / "journal"), lambda answer: None, print)
    answered: list[int] = []
    scribe.write(a_run(1))
    for number in range(MOST_WAITING):
        scribe.after(lambda number=number: answered.append(number))  # type: ignore[misc]
    assert answered == []
    scribe.after(lambda: answered.append(-1))
    assert answered == [-1]
    scribe.close(GENEROUS)
    assert answered == [-1, *range(MOST_WAITING)], "and all of them at the end"


def test_a_damaged_file_is_kept_and_a_new_one_begun(tmp_path: Path) -> None:
    """What comes next is in the new one; the old one is there to be looked at."""
    path = tmp_path / "journal"
    path.write_bytes(b"this is no database, whatever it may look like\n" * 100)
    room = Room(path)
    room.write(a_run(1))
    room.settle()
    (line,) = room.said
    assert line.startswith(f"the journal {path} is damaged (file is not a database): kept as")
    assert (tmp_path / "journal.corrupt-1").read_bytes().startswith(b"this is no database")
    assert room.runs() == [1]
    room.scribe.close(GENEROUS)


def test_damage_that_a_reader_finds_is_looked_at(room: Room) -> None:
    """A file that is sound stays; one that is not is put aside."""
    room.write(*(a_turn(n, "x" * 500) for n in range(200)))
    room.scribe.suspect()
    room.write()
    assert room.said == []
    room.scribe.close(GENEROUS)

    with room.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (room.path.stat().st_size - 4096))
    again = Room(room.path)
    with pytest.raises(sqlite3.DatabaseError):
        again.reader.changes("web:web", 10)
    again.scribe.suspect()
    again.write(a_run(1))
    assert "is damaged" in again.said[0]
    assert again.runs() == [1]
    again.scribe.close(GENEROUS)


def test_where_sqlite_cannot_be_loaded_nobody_waits(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many files are open, say; it is written when it can be loaded."""
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "sqlite3", None)
        room.write(a_run(1))
        room.until_said(f"cannot write the journal {room.path}: cannot load sqlite3")
        room.scribe.suspect()
        room.write(an_end(1))
    room.until_said(f"can write the journal {room.path} again; 0 entries lost")
    assert room.runs() == [1]


def test_the_loop_does_not_ask_the_disk_for_the_journal(tmp_path: Path) -> None:
    """Whether there is one is asked in the thread, when it is woken."""
    later: list[Callable[[], None]] = []
    room, other = Room(tmp_path / "journal", soon=later.append), Room(tmp_path / "journal")
    room.scribe.write(Left(frozenset(), 2000.0))
    other.write(a_run(1))
    other.scribe.close(GENEROUS)
    later.pop()()
    room.scribe.close(GENEROUS)
    assert room.reader.runs("web:web", 0.0, 10)[0].end is not None


def test_the_thread_is_woken_once_for_what_comes_together(tmp_path: Path) -> None:
    """When the loop has time; who waits is answered then, and an end waits for nothing."""
    later: list[Callable[[], None]] = []
    room = Room(tmp_path / "journal", soon=later.append)
    written: list[bool] = []
    room.scribe.write(a_run(1))
    room.scribe.write(a_run(2))
    room.scribe.after(lambda: written.append(True))
    assert len(later) == 1
    assert not room.path.exists()
    later.pop()()

    def answered() -> bool:
        room.settle()
        return bool(written)

    until(answered, "the scribe answers")
    assert room.runs() == [1, 2]

    room.scribe.write(a_run(3))
    room.scribe.close(GENEROUS)
    assert room.runs() == [1, 2, 3]
    later.pop()()  # it finds nothing left to do


def test_the_file_stays_within_its_size(tmp_path: Path) -> None:
    """The oldest go, what goes on stays."""
    room = Room(tmp_path / "journal", maxbytes=256 * 1024)
    room.write(a_run(1))
    for start in range(2, 2000, 100):
        room.write(*(a_turn(n, "x" * 500) for n in range(start, start + 100)))
    room.scribe.close(GENEROUS)
    assert room.path.stat().st_size <= 256 * 1024
    changes = room.reader.changes("web:web", 10_000)
    assert changes[-1].tries == 2001
    assert changes[0].tries > 1000
    assert room.runs() == [1]


def test_what_is_too_old_is_forgotten(tmp_path: Path) -> None:
    """By its days; 1000 seconds after the epoch is long ago."""
    room = Room(tmp_path / "journal")
    room.write(a_run(1), an_end(1), a_turn(1), a_run(2))
    room.scribe.close(GENEROUS)
    later = Room(tmp_path / "journal", maxdays=1)
    later.write(a_run(3))
    assert later.runs() == [2, 3]
    assert later.reader.changes("web:web", 10) == []
    later.scribe.close(GENEROUS)


WRITER = """
import sys, time
from proctor.core.cause import Cause, CauseKind
from proctor.core.history import Birth
from proctor.survival.entries import Spawned
from proctor.survival.scribe import Scribe
scribe = Scribe(sys.argv[1], lambda job: job(), print)
number = 0
while True:
    number += 1
    scribe.write(Spawned(Birth("web:web", 100 + number, float(number)), 1.0,
                         Cause(CauseKind.AUTOSTART)))
    scribe.after(lambda number=number: print(number, flush=True))
    time.sleep(0)
"""


def test_what_was_promised_survives_a_kill(tmp_path: Path) -> None:
    """kill -9 in the middle of writing: everything that was answered is there, in order."""
    path = tmp_path / "journal"
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            promised = [int(writer.stdout.readline()) for _ in range(50)]
            os.kill(writer.pid, signal.SIGKILL)
            promised += [int(line) for line in writer.stdout if line.endswith(b"\n")]
        runs = [run.birth.pid - 100 for run in Reader(str(path)).runs(None, 0.0, 1_000_000)]
        assert set(promised) <= set(runs)
        assert runs == sorted(set(runs))


def test_memory_that_ran_out_is_a_matter_of_evidence(tmp_path: Path) -> None:
    """A higher count of the kernel, and a SIGKILL that nobody of us sent."""
    vmstat, group = tmp_path / "vmstat", tmp_path / "memory.events"
    vmstat.write_text("pgfault 7\noom_kill 3\n")
    witness = Witness(str(vmstat), str(group))
    killed = an_end(1, ExitStatus(signal=9), crashed=True)
    asked = an_end(1, ExitStatus(signal=9), crashed=True, cause=Cause(CauseKind.SIGNAL))
    other = an_end(1, ExitStatus(signal=11), crashed=True)

    def memory(*entries: Entry) -> list[str]:
        return [e.memory for e in witness.complete(entries) if isinstance(e, Ended)]

    assert memory(killed) == [""]
    vmstat.write_text("pgfault 9\noom_kill 4\n")
    assert memory(killed, asked, other) == ["probably", "", ""]
    assert memory(killed) == [""]
    vmstat.write_text("pgfault 9\noom_kill 5\n")
    group.write_text("low 0\noom 1\noom_kill 1\n")
    assert memory(killed) == ["yes"]
    vmstat.unlink()
    assert memory(killed) == [""]


def test_a_daemon_without_programs_begins_no_journal(room: Room) -> None:
    """Where no file is, no run was left; the first who has something to write makes it."""
    room.write(Left(frozenset(), 1000.0))
    assert not room.path.exists()
    room.write(a_run(1))
    assert room.runs() == [1]
