"""Opening: the log files of one run, opened in the drain thread before there is a child."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from proctor.core.values import dataclass
from proctor.daemon.surroundings import LogDrain
from proctor.posix.logfile import LogFile
from proctor.posix.logmarks import Mark, mark
from proctor.posix.sinks import Sink

Sinks = Mapping[str, Sequence[Sink]]


@dataclass(frozen=True, slots=True)
class Opened:
    """Sinks by channel, and where in their files the run begins."""

    sinks: Sinks
    marks: Mapping[str, Mark]


class Opening:
    """Begins at once: `open_sinks(channel)` is called in the drain thread for each channel."""

    def __init__(
        self,
        drain: LogDrain,
        channels: Sequence[str],
        open_sinks: Callable[[str], Iterable[Sink]],
    ) -> None:
        self._drain = drain
        self._result: Opened | OSError | None = None
        self._done: Callable[[Opened | OSError], None] | None = None
        drain.call(lambda: _open(channels, open_sinks), self._opened)

    def tell(self, done: Callable[[Opened | OSError], None]) -> None:
        """Call `done` with what was opened, or why it was not: now, or as soon as that is known."""
        if self._result is None:
            self._done = done
        else:
            done(self._result)

    def abandon(self) -> None:
        """Nobody wants it: close what was or will be opened."""
        self.tell(lambda result: close_sinks(self._drain, result))

    def _opened(self, result: Opened | OSError) -> None:
        self._result = result
        if self._done is not None:
            self._done(result)


def close_sinks(drain: LogDrain, opened: Opened | OSError) -> None:
    """Close what no child will write to."""
    if isinstance(opened, Opened) and opened.sinks:
        drain.call(lambda: _close_all(opened.sinks), lambda _: None)


# In the drain thread


def _open(channels: Sequence[str], open_sinks: Callable[[str], Iterable[Sink]]) -> Opened:
    sinks: dict[str, list[Sink]] = {}
    marks: dict[str, Mark] = {}
    try:
        for channel in channels:
            sinks[channel] = []
            for sink in open_sinks(channel):
                sinks[channel].append(sink)
                place = mark(sink.name, sink.fd) if isinstance(sink, LogFile) else None
                if place is not None:
                    marks[channel] = place
    except OSError:
        _close_all(sinks)
        raise
    return Opened(sinks, marks)


def _close_all(sinks: Sinks) -> None:
    for opened in sinks.values():
        for sink in opened:
            sink.close()
