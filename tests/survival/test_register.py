"""Who our children are is written down for the next start, whatever the disk says."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builders import Heart, a_heart, a_process
from proctor.daemon.shelf import Shelf
from proctor.posix import statefile
from proctor.posix.loop_host import Marks
from proctor.posix.slots import SIZE
from proctor.survival.register import PATIENCE, Register


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process may grow beyond two records.

    Not a fixture: pytest's own output may be a file, and it writes before fixtures are undone.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * SIZE, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def a_register(heart: Heart, path: Path) -> Register:
    def marks(_key: str, pid: int) -> Marks:
        return Marks(pid + 1000, (1, 2, 3))

    register = Register(str(path), heart.supervisor, heart.drain, Shelf(), marks=marks)
    register.open(lambda _records: None)
    heart.host.settle()
    register.begin()
    heart.host.settle()
    return register


def written(path: Path) -> dict[str, int]:
    """The pids in the file, by key."""
    fd = os.open(path, os.O_RDONLY)
    records = [json.loads(data) for data in statefile.read(fd) if data]
    os.close(fd)
    return {record["key"]: record["pid"] for record in records}


def test_children_come_and_go(tmp_path: Path) -> None:
    """From their birth on, not only when they are RUNNING; at the end there is no file."""
    path = tmp_path / "state"
    with a_heart(a_process("a", startsecs=10), a_process("b")) as heart:
        register = a_register(heart, path)
        heart.start("a")
        heart.start("b")
        pids = {f"{name}:{name}": heart.process(name).pid for name in ("a", "b")}
        assert written(path) == pids
        heart.stop("b")
        heart.host.forward(PATIENCE)
        assert written(path) == {"a:a": pids["a:a"]}
        heart.stop("a")
        heart.host.forward(PATIENCE)
        assert written(path) == {}
        register.end()
        assert not path.exists()


def test_a_full_disk(tmp_path: Path) -> None:
    """Nobody waits, nothing is cut; one line, and what has a place is kept right."""
    path = tmp_path / "state"
    with a_heart(*(a_process(name) for name in "abc")) as heart:
        with full_disk():
            register = a_register(heart, path)
            for name in "abc":
                heart.start(name)
            pids = {f"{name}:{name}": heart.process(name).pid for name in "abc"}
            assert written(path) == {key: pids[key] for key in ("a:a", "b:b")}
            assert len(heart.said("cannot write to")) == 1
            heart.stop("a")
            heart.host.forward(PATIENCE)
            assert written(path) == {"b:b": pids["b:b"]}
            assert path.stat().st_size == 2 * SIZE
        heart.stop("b")
        heart.host.forward(PATIENCE)
        assert written(path) == {"c:c": pids["c:c"]}
        assert len(heart.said("cannot write to")) == 1
        assert len(heart.said("can write to")) == 1
        heart.stop("c")
        register.end()


def test_a_file_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    """And everything else works."""
    (tmp_path / "state").mkdir()
    with a_heart(a_process("a")) as heart:
        register = a_register(heart, tmp_path / "state")
        heart.start("a")
        assert len(heart.said("would not be found by the next start")) == 1
        heart.stop("a")
        register.end()
