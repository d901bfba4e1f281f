"""Opening: the log files of one run, opened in the drain thread before there is a child.

They are opened ahead of any wish when the pipes of a run end that is to have a successor: the drain
thread sees that while the keeper and the loop still have the news of the child's death before them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

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


# Files that were opened so many seconds ago may have other names by now.
FRESH = 0.1

# When they were opened; one at most, most of the time.
Ahead = list[tuple[float, Opened]]

OpenSinks = Callable[[str], Iterable[Sink]]


class Opening:
    """Begins at once: `open_sinks(channel)` is called in the drain thread for each channel."""

    def __init__(self, drain: LogDrain, channels: Sequence[str], open_sinks: OpenSinks) -> None:
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


def close_sinks(drain: LogDrain, opened: Opened | OSError | None) -> None:
    """Close what no child will write to."""
    if isinstance(opened, Opened) and opened.sinks:
        drain.call(lambda: _close_all(opened.sinks), lambda _: None)


def take_ahead(ahead: Ahead, drain: LogDrain, oldest: float) -> Opened | None:
    """What was opened ahead, at `oldest` or later; what is older is closed."""
    found = None
    for when, opened in _all_of(ahead):
        if found is None and when >= oldest:
            found = opened
        else:
            close_sinks(drain, opened)
    return found


def _all_of(ahead: Ahead) -> Iterator[tuple[float, Opened]]:
    # Each is taken by one thread only: a pop is one step.
    with suppress(IndexError):
        while True:
            yield ahead.pop()


# In the drain thread


def open_ahead(ahead: Ahead, now: float, channels: Sequence[str], open_sinks: OpenSinks) -> None:
    """Open what `take_ahead` is to find.  Nothing when that fails: who asks then hears why."""
    for _, opened in _all_of(ahead):
        _close_all(opened.sinks)
    with suppress(OSError, ValueError):
        ahead.append((now, _open(channels, open_sinks)))


def _open(channels: Sequence[str], open_sinks: OpenSinks) -> Opened:
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
