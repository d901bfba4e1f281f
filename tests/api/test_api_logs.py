"""Logs as clients read them."""

from __future__ import annotations

import asyncio
import errno
import os
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import pytest

from api.desk import Desk, Sit
from builders import a_group, a_process
from proctor.api import logs
from proctor.core.faults import Fault
from proctor.core.spec import LogKind, OutputPolicy, ProcessSpec
from proctor.daemon.process import Process

HELLO = b"hello world\n"


def _logging(name: str, path: Path) -> ProcessSpec:
    return a_process(name, stdout=OutputPolicy(LogKind.FILE, str(path)))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The stdout log of `web`."""
    path = tmp_path / "web.log"
    path.write_bytes(HELLO)
    return path


@pytest.fixture
def desk(sit: Sit, log: Path) -> Desk:
    """`web` logs its stdout, `quiet` nothing."""
    return sit(_logging("web", log), a_process("quiet"))


@pytest.mark.parametrize(
    ("offset", "length", "text"),
    [
        (0, 0, "hello world\n"),
        (3, 5, "lo wo"),
        (6, 0, "world\n"),
        (-3, 0, "ld\n"),
        (-300, 0, "hello world\n"),
        (12, 0, ""),
        (99, 9, ""),
    ],
)
def test_a_range_of_a_log(desk: Desk, offset: int, length: int, text: str) -> None:
    """Offset and length are bytes; length 0 is to the end; a negative offset is the end."""
    assert desk.ask(desk.service.read_process_stdout_log("web", offset, length)) == text
    desk.main_log.write_bytes(HELLO)
    assert desk.ask(desk.service.read_log(offset, length)) == text


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, -1), (5, -5), (-5, -5)])
def test_a_range_that_makes_no_sense(desk: Desk, offset: int, length: int) -> None:
    """BAD_ARGUMENTS without a detail."""
    refused = desk.refusal(desk.service.read_process_stdout_log("web", offset, length))
    assert refused == (3, "BAD_ARGUMENTS")


def test_a_log_that_is_not_there(desk: Desk, log: Path) -> None:
    """NO_FILE names the file, if one is configured; a name comes first."""
    read_out, read_err = desk.service.read_process_stdout_log, desk.service.read_process_stderr_log
    assert desk.refusal(read_out("quiet", 0, 0)) == (20, "NO_FILE")
    assert desk.refusal(read_err("web", 0, 0)) == (20, "NO_FILE")
    log.unlink()
    assert desk.refusal(read_out("web", 0, 0)) == (20, f"NO_FILE: {log}")
    assert desk.refusal(read_out("nope", 0, 0)) == (10, "BAD_NAME: nope")
    assert desk.refusal(read_out("web:*", 0, 0)) == (10, "BAD_NAME: web:*")
    assert desk.refusal(desk.service.read_log(0, 0)) == (20, f"NO_FILE: {desk.main_log}")


def test_a_log_that_cannot_be_read(desk: Desk, log: Path) -> None:
    """FAILED; `tail` has nothing to show."""
    log.unlink()
    log.mkdir()
    assert desk.refusal(desk.service.read_process_stdout_log("web", 0, 0)) == (30, "FAILED")
    assert desk.ask(desk.service.tail_process_stdout_log("web", 7, 9)) == ("", 7, False)


@pytest.mark.parametrize(
    ("offset", "length", "answer"),
    [
        (0, 5, ("orld\n", 12, True)),
        (8, 7, (" world\n", 12, False)),
        (0, 100, ("hello world\n", 12, False)),
        (11, 5, ("orld\n", 12, False)),
        (30, 5, ("", 12, False)),
        (0, 0, ("", 12, True)),
        (-100, 5, ("orld\n", 12, True)),
        (3, -5, ("", 12, True)),
        (30, -5, ("", 12, False)),
    ],
)
def test_the_end_of_a_log(desk: Desk, offset: int, length: int, answer: object) -> None:
    """As measured on the original, oddities included (gotcha G62)."""
    assert desk.ask(desk.service.tail_process_stdout_log("web", offset, length)) == answer


def test_the_end_of_no_log(desk: Desk, log: Path) -> None:
    """Nothing, without a fault; a name is still checked."""
    assert desk.ask(desk.service.tail_process_stderr_log("web", 5, 10)) == ("", 0, False)
    log.unlink()
    assert desk.ask(desk.service.tail_process_stdout_log("web", 5, 10)) == ("", 0, False)
    for name in ("nope", "web:*"):
        refused = desk.refusal(desk.service.tail_process_stdout_log(name, 5, 10))
        assert refused == (10, f"BAD_NAME: {name}")


def test_a_cut_character_is_no_error(desk: Desk, log: Path) -> None:
    """Offsets stay bytes, the text is whole characters (gotcha G5)."""
    log.write_bytes("größer 😀\n".encode())
    assert desk.ask(desk.service.tail_process_stdout_log("web", 0, 3)) == ("\n", 14, True)
    assert desk.ask(desk.service.read_process_stdout_log("web", 2, 2)) == "ö"
    assert desk.ask(desk.service.read_process_stdout_log("web", 3, 3)) == "ß"
    log.write_bytes(b"\xff\x1b[0m\n")
    assert desk.ask(desk.service.read_process_stdout_log("web", 0, 0)) == "\ufffd\x1b[0m\n"


@pytest.mark.parametrize(("offset", "length"), [(0, 0), (0, 999), (-999, 0), (1, 10)])
def test_more_than_we_may_hold_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, offset: int, length: int
) -> None:
    """The daemon never grows to the size of a log; `tail` gives what it can."""
    monkeypatch.setattr(logs, "MAX_READ", 9)
    refused = desk.refusal(desk.service.read_process_stdout_log("web", offset, length))
    assert refused == (30, "FAILED: cannot read more than 9 bytes at once")
    assert desk.ask(desk.service.read_process_stdout_log("web", 3, 0)) == "lo world\n"
    assert desk.ask(desk.service.read_process_stdout_log("web", -9, 0)) == "lo world\n"
    assert desk.ask(desk.service.tail_process_stdout_log("web", 0, 99)) == ("lo world\n", 12, True)


# Clear


def test_the_log_of_a_process_at_rest_is_emptied(desk: Desk, log: Path) -> None:
    """It need not run (gotcha G58), nor have a log."""
    assert desk.ask(desk.service.clear_process_logs("web")) is True
    assert log.read_bytes() == b""
    assert desk.ask(desk.service.clear_process_logs("quiet")) is True
    assert desk.refusal(desk.service.clear_process_logs("nope")) == (10, "BAD_NAME: nope")


def test_a_log_that_cannot_be_emptied(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAILED with the name."""
    _on_a_broken_disk(monkeypatch, desk.heart.process("web"))
    assert desk.refusal(desk.service.clear_process_logs("web")) == (30, "FAILED: web")


def test_all_logs_are_emptied(sit: Sit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By priority; what fails is an entry, not the end."""
    (tmp_path / "a").write_bytes(HELLO)
    group = a_group("g", _logging("a", tmp_path / "a"), _logging("b", tmp_path / "b"))
    desk = sit(group, a_process("first", priority=1))
    _on_a_broken_disk(monkeypatch, desk.heart.process("g:b"))
    results = desk.ask(desk.service.clear_all_process_logs())
    assert [(r.name, r.status, r.description) for r in results] == [
        ("first", 80, "OK"),
        ("a", 80, "OK"),
        ("b", 30, "FAILED: g:b"),
    ]
    assert (tmp_path / "a").read_bytes() == b""


def test_the_main_log_is_emptied(desk: Desk) -> None:
    """A file that is not there is NO_FILE without a detail."""
    assert desk.refusal(desk.service.clear_log()) == (20, "NO_FILE")
    desk.main_log.write_bytes(HELLO)
    assert desk.ask(desk.service.clear_log()) is True
    assert desk.main_log.read_bytes() == b""
    desk.main_log.unlink()
    desk.main_log.mkdir()
    assert desk.refusal(desk.service.clear_log()) == (30, "FAILED")


def _on_a_broken_disk(monkeypatch: pytest.MonkeyPatch, process: Process) -> None:
    monkeypatch.setattr(process, "clear_logs", lambda done: done(OSError(errno.EIO, "broken")))


# Follow


def test_a_log_is_followed(desk: Desk, log: Path) -> None:
    """The end first, then what is added, then a new file of that name."""
    log.write_bytes(b"x" * 5000)

    def append() -> None:
        with log.open("ab") as file:
            file.write(HELLO)

    def replace() -> None:
        log.rename(log.with_suffix(".1"))
        log.write_bytes(b"new\n")

    async def follow() -> list[bytes]:
        chunks = await desk.service.follow_log("web")
        first = await anext(chunks)
        append()
        second = await anext(chunks)
        replace()
        third = await anext(chunks)
        await cast("AsyncGenerator[bytes, None]", chunks).aclose()
        return [first, second, third]

    assert asyncio.run(follow()) == [b"x" * 1024, HELLO, b"new\n"]


def test_a_follower_who_goes_away_leaves_no_descriptor(desk: Desk) -> None:
    """However he goes: after a read, in the middle of one, or before the first."""
    before = _descriptors()

    async def come_and_go() -> None:
        for patience in range(20):
            chunks = cast("AsyncGenerator[bytes, None]", await desk.service.follow_log("web"))
            reading = asyncio.ensure_future(_read_all(chunks))
            for _ in range(patience):
                await asyncio.sleep(0)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await chunks.aclose()

    asyncio.run(come_and_go())
    # The worker takes one thing after the other: after this answer it has closed everything.
    desk.ask(desk.service.read_process_stdout_log("web", 0, 0))
    assert not Counter(_descriptors()) - Counter(before)


async def _read_all(chunks: AsyncGenerator[bytes, None]) -> None:
    async for _ in chunks:
        pass


def _descriptors() -> list[str]:
    found = [os.path.join("/proc/self/fd", fd) for fd in os.listdir("/proc/self/fd")]
    return sorted(os.readlink(fd) for fd in found if os.path.islink(fd))


def test_the_main_log_is_followed_even_while_we_stop(desk: Desk) -> None:
    """Whoever watches a shutdown sees it to the end."""
    desk.main_log.write_bytes(HELLO)
    desk.heart.supervisor.shutdown(False, lambda: None)

    async def follow() -> bytes:
        return await anext(await desk.service.follow_main_log())

    assert asyncio.run(follow()) == HELLO


@pytest.mark.parametrize(
    ("name", "channel", "text"),
    [
        ("nope", "stdout", "BAD_NAME: nope"),
        ("web:*", "stdout", "BAD_NAME: web:*"),
        ("web", "stdin", "NO_FILE: stdin"),
        ("web", "stderr", "NO_FILE"),
        ("quiet", "stdout", "NO_FILE"),
    ],
)
def test_what_cannot_be_followed(desk: Desk, name: str, channel: str, text: str) -> None:
    """Said before the first byte."""
    assert desk.refusal(desk.service.follow_log(name, channel))[1] == text


def test_a_log_that_was_never_made_cannot_be_followed(desk: Desk, log: Path) -> None:
    """NO_FILE, also for the main log."""
    log.unlink()
    with pytest.raises(Fault, match="NO_FILE"):
        desk.ask(desk.service.follow_log("web"))
    with pytest.raises(Fault, match="NO_FILE"):
        desk.ask(desk.service.follow_main_log())
