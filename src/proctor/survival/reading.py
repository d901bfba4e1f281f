"""Reading the journal: with a connection of its own for each question, in a worker thread.

A reader never makes the scribe wait (write-ahead log).  Raises sqlite3.Error for what SQLite finds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from proctor.core.cause import Cause, CauseKind
from proctor.core.exits import ExitStatus, Usage
from proctor.core.history import Birth, Change, Run
from proctor.core.states import ProcessState

if TYPE_CHECKING:
    import sqlite3

# What a row of SQLite is.
_Row = tuple[Any, ...]

_RUN = (
    "id, process, pid, born, start, kind, who, text, config, stdout, stderr, end, code, signal,"
    " dumped, user, system, peak, expected, end_kind, end_who, end_text, memory, last"
)
_CHANGE = "time, process, was, state, kind, who, text, pid, tries, expected, code, signal, dumped"


class Reader:
    """Questions about the journal at `path`; one that is not there yet is empty."""

    def __init__(self, path: str) -> None:
        self._path = path

    def changes(self, process: str, most: int) -> list[Change]:
        """The latest changes of a process, oldest first."""
        question = f"SELECT {_CHANGE} FROM changes WHERE process=? ORDER BY id DESC LIMIT ?"
        return [_change(row) for row in reversed(self._ask(question, process, most))]

    def runs(self, process: str | None, since: float, most: int) -> list[Run]:
        """The latest runs that went on at `since` or later, oldest first; None: of all."""
        question = (
            f"SELECT {_RUN} FROM runs WHERE (? IS NULL OR process=?) AND (end IS NULL OR end>=?)"
            " ORDER BY id DESC LIMIT ?"
        )
        rows = self._ask(question, process, process, since, most)
        return [_run(row) for row in reversed(rows)]

    def _ask(self, question: str, *values: object) -> list[_Row]:
        with self._open() as db:
            return [] if db is None else db.execute(question, values).fetchall()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection | None]:
        if not os.path.exists(self._path):
            yield None
            return
        import sqlite3

        db = sqlite3.connect(self._path, timeout=2.0, isolation_level=None)
        try:
            db.execute("PRAGMA query_only=1")
            if db.execute("SELECT 1 FROM sqlite_master WHERE name='changes_of'").fetchone():
                yield db
            else:
                yield None
        finally:
            db.close()


def is_damaged(error: Exception) -> bool:
    """Whether SQLite says that the file is broken."""
    return getattr(error, "sqlite_errorname", "") in ("SQLITE_CORRUPT", "SQLITE_NOTADB")


def numbered(runs: Sequence[Run], number: int) -> Run | None:
    """0 the latest, -1 the one before it, and so on; else the run of this number.  None: none."""
    if number > 0:
        return next((run for run in runs if run.number == number), None)
    return runs[number - 1] if -number < len(runs) else None


def _cause(kind: str | None, who: str | None, text: str | None) -> Cause:
    try:
        return Cause(CauseKind(kind), who or "", text or "")
    except ValueError:  # of a later version
        return Cause(CauseKind.LOST, who or "", text or "")


def _status(
    code: int | None, signal: int | None, dumped: int | None, usage: Usage | None = None
) -> ExitStatus | None:
    if code is None and signal is None:
        return ExitStatus(usage=usage) if usage is not None else None
    return ExitStatus(code, signal, bool(dumped), usage)


def _change(row: _Row) -> Change:
    time, process, was, state, kind, who, text, pid, tries, expected, code, signal, dumped = row
    return Change(
        time,
        process,
        ProcessState(was),
        ProcessState(state),
        _cause(kind, who, text),
        pid,
        tries,
        bool(expected),
        _status(code, signal, dumped),
    )


def _run(row: _Row) -> Run:
    (
        number, process, pid, born, start, kind, who, text, config, stdout, stderr, end, code,
        signal, dumped, user, system, peak, expected, end_kind, end_who, end_text, memory, last,
    ) = row  # fmt: skip
    usage = None if user is None else Usage(user, system, peak)
    logs = {name: mark for name, mark in (("stdout", stdout), ("stderr", stderr)) if mark}
    return Run(
        number,
        Birth(process, pid, born),
        start,
        _cause(kind, who, text),
        config,
        end,
        _status(code, signal, dumped, usage),
        bool(expected) if end is not None else True,
        None if end is None else _cause(end_kind, end_who, end_text),
        memory or "",
        last or "",
        logs,
    )
