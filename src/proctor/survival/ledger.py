"""Ledger: the journal's file.  SQLite with a write-ahead log; used by the scribe's thread only.

1. What is committed survives a kill -9 of the daemon.  A power cut may cost the last commits, never
   the file (synchronous=NORMAL).
2. An end is written once, whoever tells it how often: a run is known by process, pid and birth.
3. A file that is damaged is put aside as `.corrupt-1`, and a new one is begun.
4. Beyond its bounds the oldest quarter goes, never a run that goes on.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from proctor.core.cause import Cause
from proctor.core.exits import ExitStatus
from proctor.posix.links import open_trusted
from proctor.survival.entries import Ended, Entry, Left, Spawned, Turned

if TYPE_CHECKING:
    import sqlite3

VERSION = 1
DAY = 86400.0

_PAGE = 4096
# Fewer pages than this could not even hold the tables.
_FEWEST_PAGES = 16
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")

_SETTINGS = (
    "PRAGMA auto_vacuum=INCREMENTAL",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA cache_size=-128",
    "PRAGMA wal_autocheckpoint=64",
    "PRAGMA journal_size_limit=524288",
)
_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY, process TEXT NOT NULL, pid INTEGER NOT NULL, born REAL NOT NULL,
    start REAL NOT NULL, kind TEXT NOT NULL, who TEXT NOT NULL, text TEXT NOT NULL,
    config TEXT NOT NULL, stdout TEXT NOT NULL, stderr TEXT NOT NULL,
    end REAL, code INTEGER, signal INTEGER, dumped INTEGER, user REAL, system REAL, peak INTEGER,
    expected INTEGER, end_kind TEXT, end_who TEXT, end_text TEXT, memory TEXT, last TEXT,
    UNIQUE (process, pid, born));
CREATE TABLE IF NOT EXISTS changes (
    id INTEGER PRIMARY KEY, time REAL NOT NULL, process TEXT NOT NULL, was INTEGER NOT NULL,
    state INTEGER NOT NULL, kind TEXT NOT NULL, who TEXT NOT NULL, text TEXT NOT NULL,
    pid INTEGER NOT NULL, tries INTEGER NOT NULL, expected INTEGER NOT NULL,
    code INTEGER, signal INTEGER, dumped INTEGER);
CREATE INDEX IF NOT EXISTS changes_of ON changes (process, id);
CREATE INDEX IF NOT EXISTS runs_of ON runs (process, id);
"""


def is_damaged(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken, as against a disk that is full or a lock."""
    return getattr(error, "sqlite_errorname", "").startswith(_DAMAGED)


class Ledger:
    """The open file.  Raises sqlite3.Error or OSError when it cannot be opened or written.

    `maxbytes` and `maxdays` 0: without end.
    """

    def __init__(self, path: str, maxbytes: int, maxdays: int) -> None:
        self._maxpages = max(maxbytes // _PAGE, _FEWEST_PAGES) if maxbytes else 0
        self._maxdays = maxdays
        self._age_looked_at = 0.0
        _claim(path)
        import sqlite3  # A megabyte, for the first who has something to write.

        self._db = sqlite3.connect(path, timeout=2.0, isolation_level=None)
        try:
            for setting in _SETTINGS:
                self._db.execute(setting)
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise sqlite3.OperationalError(f"it is from a later version ({version})")
            self._db.executescript(_TABLES)
            self._db.execute(f"PRAGMA user_version={VERSION}")
        except BaseException:
            self.close()
            raise

    def write(self, entries: Iterable[Entry], now: float) -> None:
        """All of them or none."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for entry in entries:
                self._write(entry)
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(self._db.Error):
                self._db.execute("ROLLBACK")
            raise
        self._keep_within_bounds(now)

    def trouble(self) -> str:
        """What SQLite finds wrong with the file, "" for nothing.  Reads all of it."""
        answer = str(self._db.execute("PRAGMA quick_check(1)").fetchone()[0])
        return "" if answer == "ok" else answer

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _write(self, entry: Entry) -> None:
        match entry:
            case Turned():
                self._turned(entry)
            case Spawned():
                self._spawned(entry)
            case Ended():
                self._ended(entry)
            case Left():
                self._left(entry)

    def _turned(self, entry: Turned) -> None:
        change = entry.change
        status = change.status or ExitStatus()
        row = (
            change.time, change.process, int(change.was), int(change.state),
            *_words(change.cause), change.pid, change.tries, int(change.expected),
            status.code, status.signal, int(status.dumped_core),
        )  # fmt: skip
        marks = ",".join("?" * len(row))
        columns = "time,process,was,state,kind,who,text,pid,tries,expected,code,signal,dumped"
        self._db.execute(f"INSERT INTO changes ({columns}) VALUES ({marks})", row)

    def _spawned(self, entry: Spawned) -> None:
        birth = entry.birth
        row = (
            birth.process, birth.pid, birth.born, entry.start, *_words(entry.cause), entry.config,
            entry.logs.get("stdout", ""), entry.logs.get("stderr", ""),
        )  # fmt: skip
        marks = ",".join("?" * len(row))
        columns = "process,pid,born,start,kind,who,text,config,stdout,stderr"
        self._db.execute(f"INSERT OR IGNORE INTO runs ({columns}) VALUES ({marks})", row)

    def _ended(self, entry: Ended) -> None:
        self._spawned(entry.spawned)
        birth, status = entry.spawned.birth, entry.status
        usage = status.usage
        self._db.execute(
            "UPDATE runs SET end=?, code=?, signal=?, dumped=?, user=?, system=?, peak=?,"
            " expected=?, end_kind=?, end_who=?, end_text=?, memory=?, last=?"
            " WHERE process=? AND pid=? AND born=? AND end IS NULL",
            (
                entry.end, status.code, status.signal, int(status.dumped_core),
                usage.user if usage else None, usage.system if usage else None,
                usage.peak if usage else None, int(entry.expected), *_words(entry.cause),
                entry.memory, entry.last, birth.process, birth.pid, birth.born,
            ),
        )  # fmt: skip

    def _left(self, entry: Left) -> None:
        """Whatever is said to go on and is not there has ended while nobody looked."""
        rows = self._db.execute("SELECT id, process, pid FROM runs WHERE end IS NULL").fetchall()
        gone = [(entry.now, id) for id, process, pid in rows if (process, pid) not in entry.alive]
        self._db.executemany(
            "UPDATE runs SET end=?, expected=0, end_kind='lost', end_who='', end_text='',"
            " memory='', last='' WHERE id=?",
            gone,
        )

    def _keep_within_bounds(self, now: float) -> None:
        if self._maxdays and now - self._age_looked_at > DAY / 24:
            self._age_looked_at = now
            oldest = now - self._maxdays * DAY
            self._db.execute("DELETE FROM changes WHERE time < ?", (oldest,))
            self._db.execute("DELETE FROM runs WHERE end < ?", (oldest,))
            self._db.execute("PRAGMA incremental_vacuum").fetchall()
        while self._maxpages and self._pages() > self._maxpages:
            if not self._drop_oldest():
                return

    def _pages(self) -> int:
        return int(self._db.execute("PRAGMA page_count").fetchone()[0])

    def _drop_oldest(self) -> bool:
        """Forget the oldest quarter; whether there was anything to forget."""
        dropped = 0
        for table, condition in (("changes", ""), ("runs", " AND end IS NOT NULL")):
            oldest, newest = self._db.execute(f"SELECT min(id), max(id) FROM {table}").fetchone()
            if oldest is not None and newest > oldest:
                until = oldest + (newest - oldest) // 4
                drop = f"DELETE FROM {table} WHERE id <= ?{condition}"
                dropped += self._db.execute(drop, (until,)).rowcount
        self._db.execute("PRAGMA incremental_vacuum").fetchall()
        return dropped > 0


def _claim(path: str) -> None:
    """What programs wrote may be in it: the file is nobody else's, and no link leads elsewhere."""
    fd = open_trusted(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        owner = os.fstat(fd).st_uid
    finally:
        os.close(fd)
    if owner not in (0, os.geteuid()):
        raise OSError(errno.EPERM, f"it belongs to uid {owner}, not to us")


def _words(cause: Cause) -> tuple[str, str, str]:
    return cause.kind.value, cause.who, cause.text


def put_aside(path: str) -> str:
    """Rename a damaged file, with what belongs to it; its new name.  Raises OSError."""
    number = 1
    while os.path.lexists(aside := f"{path}.corrupt-{number}"):
        number += 1
    os.rename(path, aside)
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.rename(path + suffix, aside + suffix)
    return aside
