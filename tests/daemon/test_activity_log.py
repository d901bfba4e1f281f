"""The daemon's own log: format, levels, and lines that nobody can forge."""

from __future__ import annotations

import re

import pytest

from proctor.daemon.activity_log import ActivityLog, Level, one_line


def a_log(level: Level = Level.INFO) -> tuple[ActivityLog, list[str]]:
    lines: list[str] = []
    log = ActivityLog(level, lambda: 1_700_000_000.1239)
    log.attach(lambda data: lines.append(data.decode()))
    return log, lines


def test_a_line() -> None:
    """Local time, milliseconds cut off, a tag of four letters."""
    log, lines = a_log()
    log.warn("careful")
    (line,) = lines
    assert re.fullmatch(r"2023-11-1\d \d\d:\d\d:\d\d,123 WARN careful\n", line)


@pytest.mark.parametrize(
    ("level", "tags"),
    [
        ("critical", "CRIT"),
        ("warn", "CRIT ERRO WARN"),
        ("info", "CRIT ERRO WARN INFO"),
        ("trace", "CRIT ERRO WARN INFO DEBG TRAC"),
        ("blather", "CRIT ERRO WARN INFO DEBG TRAC BLAT"),
    ],
)
def test_a_level_includes_all_above_it(level: str, tags: str) -> None:
    """By the names of the configuration."""
    log, lines = a_log(Level.named(level))
    log.critical("x")
    log.error("x")
    log.warn("x")
    log.info("x")
    log.debug("x")
    log.trace("x")
    log.log(Level.BLATHER, "x")
    assert " ".join(line.split()[2] for line in lines) == tags


def test_early_lines_are_kept_until_somebody_writes_them() -> None:
    """With the time at which they were said."""
    log = ActivityLog()
    log.info("first")
    lines: list[bytes] = []
    log.attach(lines.append)
    log.info("second")
    assert [line.split()[-1] for line in lines] == [b"first", b"second"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("tab\tand é 中文", "tab\tand é 中文"),
        ("a\nb\r", "a\\nb\\r"),
        ("\x1b[31m\x00\x7f\x9b", "\\x1b[31m\\x00\\x7f\\x9b"),
        ("a\u2028b", "a\\u2028b"),
    ],
)
def test_one_text_is_one_line(text: str, written: str) -> None:
    """Whatever it contains."""
    assert one_line(text) == written


def test_what_cannot_be_encoded_is_escaped() -> None:
    """File names may hold any bytes."""
    log, lines = a_log()
    log.info("x\udcff")
    assert lines[0].endswith("INFO x\\udcff\n")
