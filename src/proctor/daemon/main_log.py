"""MainLog: where the lines of the ActivityLog go.  The drain thread does the work.

A line that goes to a file is kept where a kill -9 does not reach it until it is there: the next
daemon writes what this one has said and not written, before its own first line.

Source: compat logging.md, section 1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from proctor.core.settings import DaemonSettings
from proctor.daemon.activity_log import ActivityLog
from proctor.daemon.output import IDENT
from proctor.daemon.shelf import Shelf
from proctor.posix.drain import Drain
from proctor.posix.logfile import LogFile, end_of
from proctor.posix.sinks import Sink, SyslogSink, open_sink
from proctor.posix.unwritten import CAPACITY, Unwritten, in_file_already

# On the shelf
NAME = "main log"


class MainLog:
    """A file or syslog, and in the foreground stdout too unless it is to be silent."""

    def __init__(
        self, settings: DaemonSettings, drain: Drain, log: ActivityLog, shelf: Shelf
    ) -> None:
        self._settings = settings
        self._drain = drain
        self._shelf = shelf
        self._unwritten: Unwritten | None = None
        self._log = log
        self._sinks: list[Sink] = []

    def open(self) -> None:
        """Write from now on, what was said before first.  Raises OSError."""
        settings = self._settings
        if settings.logfile is None:
            self._sinks.append(SyslogSink(IDENT))
        else:
            self._sinks.append(
                open_sink(settings.logfile, settings.logfile_maxbytes, settings.logfile_backups)
            )
        if isinstance(self._sinks[0], LogFile) and self._shelf.outlives_us:
            self._keep(self._sinks[0])
        if settings.nodaemon and not settings.silent:
            self._sinks.append(open_sink("/dev/stdout", 0, 0))
        self._log.attach(self._write)

    def reopen(self) -> None:
        """Open the file that has the name now; when that fails the old one stays, and says so."""
        for sink in self._sinks:
            self._drain.call(sink.reopen, self._reopened)

    def use(self, settings: DaemonSettings) -> None:
        """Rotate by these settings from now on."""
        self._settings = settings
        for sink in self._sinks:
            if isinstance(sink, LogFile) and sink.name == settings.logfile:
                self._drain.call(partial(_limit, sink, settings), lambda _: None)

    def close(self) -> None:
        """Let go of the files.  The drain has stopped."""
        for sink in self._sinks:
            sink.close()
        if self._unwritten is not None:
            self._unwritten.close()

    def clear(self, done: Callable[[OSError | None], None]) -> None:
        """Empty the file; `done` hears how that went."""
        self._log.info("reopening log file")
        self._drain.call(self._sinks[0].clear, done)

    def _keep(self, file: LogFile) -> None:
        """Every line until it is in this file, and write what was left of an earlier daemon's."""
        self._unwritten = unwritten = Unwritten(self._shelf.take(NAME))
        file.settled = unwritten.settle
        left = unwritten.pending()
        if left:
            done = in_file_already(left, end_of(file.name, CAPACITY))
            unwritten.settle(done)
            self._drain.write(file, left[done:])
        self._shelf.put(NAME, unwritten.fd)

    def _write(self, line: bytes) -> None:
        for sink in self._sinks:
            taken = self._drain.write(sink, line)
            if taken and self._unwritten is not None and sink is self._sinks[0]:
                self._unwritten.add(line)

    def _reopened(self, problem: OSError | None) -> None:
        if problem is not None:
            self._log.error(f"cannot reopen {self._settings.logfile}: {problem}")


def _limit(file: LogFile, settings: DaemonSettings) -> None:
    file.maxbytes, file.backups = settings.logfile_maxbytes, settings.logfile_backups
