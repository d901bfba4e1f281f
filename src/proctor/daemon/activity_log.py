"""The daemon's own log: one event, one line, in Supervisor's words where it has some.

Lines are kept until somebody attaches a place to write them to (the drain thread with its sinks);
from then on they go straight there.  Control characters of texts that came from outside are
escaped, so that nobody can forge a line.  Source: compat logging.md, section 1; config.md, section
15.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import IntEnum


class Level(IntEnum):
    """Levels by their value; a level includes all above it."""

    CRITICAL = 50
    ERROR = 40
    WARN = 30
    INFO = 20
    DEBUG = 10
    TRACE = 5
    BLATHER = 3

    @classmethod
    def named(cls, name: str) -> Level:
        """From the name in a configuration: critical, error, warn, info, debug, trace, blather."""
        return cls[name.upper()]


_TAGS = {
    Level.CRITICAL: "CRIT",
    Level.ERROR: "ERRO",
    Level.WARN: "WARN",
    Level.INFO: "INFO",
    Level.DEBUG: "DEBG",
    Level.TRACE: "TRAC",
    Level.BLATHER: "BLAT",
}

# Everything below blank but the tab, then DEL, the C1 controls and the two Unicode line ends.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), *range(127, 160))} | {
    10: "\\n",
    13: "\\r",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


def one_line(text: str) -> str:
    """The text without anything that could end its line or move a terminal's cursor."""
    return text if text.isprintable() else text.translate(_CONTROLS)


class ActivityLog:
    """Lines above a level, to wherever `attach` said.  `wall` gives seconds since the epoch."""

    def __init__(self, level: Level = Level.INFO, wall: Callable[[], float] = time.time) -> None:
        self.level = level
        self._wall = wall
        self._write: Callable[[bytes], None] | None = None
        self._early: list[bytes] = []
        # The last second that was written, and its text: most lines share one with the line before.
        self._second = (-1, "")

    def attach(self, write: Callable[[bytes], None]) -> None:
        """Hand every line with its newline to `write`, which must not block; early ones first."""
        self._write = write
        early, self._early = self._early, []
        for line in early:
            write(line)

    def wants(self, level: Level) -> bool:
        """Whether a line at this level would be written."""
        return level >= self.level

    def log(self, level: Level, text: str) -> None:
        """Write one line."""
        if level < self.level:
            return
        line = f"{self._timestamp()} {_TAGS[level]} {one_line(text)}\n"
        data = line.encode("utf-8", "backslashreplace")
        if self._write is None:
            self._early.append(data)
        else:
            self._write(data)

    def critical(self, text: str) -> None:
        """A line at CRIT."""
        self.log(Level.CRITICAL, text)

    def error(self, text: str) -> None:
        """A line at ERRO."""
        self.log(Level.ERROR, text)

    def warn(self, text: str) -> None:
        """A line at WARN."""
        self.log(Level.WARN, text)

    def info(self, text: str) -> None:
        """A line at INFO."""
        self.log(Level.INFO, text)

    def debug(self, text: str) -> None:
        """A line at DEBG."""
        self.log(Level.DEBUG, text)

    def trace(self, text: str) -> None:
        """A line at TRAC."""
        self.log(Level.TRACE, text)

    def _timestamp(self) -> str:
        now = self._wall()
        second = int(now)
        if second != self._second[0]:
            text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
            self._second = (second, text)
        return f"{self._second[1]},{int((now - second) * 1000):03d}"
