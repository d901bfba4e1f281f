"""Levels, and a logger for programs of your own; it writes through Python's `logging` handlers.

Source: compat plugins.md, section 5; logging.md, section 1.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from typing import Any

from proctor.daemon.activity_log import Level
from supervisor.absent import absent

__getattr__ = absent(__name__)


class LevelsByName:
    """Levels as the log spells them."""

    CRIT, ERRO, WARN, INFO, DEBG, TRAC, BLAT = 50, 40, 30, 20, 10, 5, 3


class LevelsByDescription:
    """Levels as configurations spell them."""

    critical, error, warn, info, debug, trace, blather = 50, 40, 30, 20, 10, 5, 3


LOG_LEVELS_BY_NUM = {code: name for name, code in vars(LevelsByName).items() if name.isupper()}


def _at(level: int) -> Callable[..., None]:
    def say(self: Logger, text: object, **values: object) -> None:
        self.log(level, text, **values)

    return say


class Logger:
    """Lines at or above a level, to every handler."""

    def __init__(
        self, level: int | None = None, handlers: list[logging.Handler] | None = None
    ) -> None:
        self.level = LevelsByName.INFO if level is None else level
        self.handlers = [] if handlers is None else handlers

    def log(self, level: int, text: object, **values: object) -> None:
        """A line; `values` fill %(names)s."""
        if level < self.level:
            return
        said = str(text) % values if values else str(text)
        record = logging.LogRecord("", level, "", 0, said, None, None)
        record.levelname = LOG_LEVELS_BY_NUM.get(level, str(level))
        for handler in self.handlers:
            handler.handle(record)

    critical = _at(Level.CRITICAL)
    error = _at(Level.ERROR)
    warn = _at(Level.WARN)
    info = _at(Level.INFO)
    debug = _at(Level.DEBUG)
    trace = _at(Level.TRACE)
    blather = _at(Level.BLATHER)

    def addHandler(self, handler: logging.Handler) -> None:
        """One place more to write to."""
        self.handlers.append(handler)

    def close(self) -> None:
        """Close every file."""
        for handler in self.handlers:
            handler.close()


def getLogger(level: int | None = None) -> Logger:
    """A logger without handlers; level INFO unless given."""
    return Logger(level)


def handle_file(  # noqa: PLR0917 (as the original is called)
    logger: Logger,
    filename: str,
    fmt: str,
    rotating: bool = False,
    maxbytes: int = 0,
    backups: int = 0,
) -> None:
    """Write to a file too; `fmt` is of %(asctime)s, %(levelname)s, %(message)s and a newline."""
    size = maxbytes if rotating else 0
    _add(logger, RotatingFileHandler(filename, maxBytes=size, backupCount=backups), fmt)


def handle_stdout(logger: Logger, fmt: str) -> None:
    """Write to stdout too."""
    _add(logger, logging.StreamHandler(sys.stdout), fmt)


def _add(logger: Logger, handler: logging.StreamHandler[Any], fmt: str) -> None:
    handler.terminator = ""
    handler.setFormatter(logging.Formatter(fmt))
    logger.addHandler(handler)
