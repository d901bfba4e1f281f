"""Surroundings: what all processes share, and the seam to the drain thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Protocol, TypeVar

from proctor.core.capture import Decoder, Piece
from proctor.core.settings import DaemonSettings
from proctor.core.values import dataclass
from proctor.daemon.activity_log import ActivityLog
from proctor.daemon.bus import EventBus
from proctor.daemon.host import Host
from proctor.daemon.shelf import Shelf
from proctor.posix.sinks import Sink

T = TypeVar("T")

Job = Callable[[], None]
Deliver = Callable[[Sequence[Piece]], None]


class Channel(Protocol):
    """One pipe of one child, read by the drain thread."""

    @property
    def is_over(self) -> bool:
        """Whether the pipe has ended and all that came out of it is where it belongs."""

    @property
    def bytes_seen(self) -> int:
        """How many came out of the pipe so far."""

    @property
    def bytes_dropped(self) -> int:
        """How many of them no sink has taken."""

    @property
    def rotations(self) -> int:
        """How often its log was rotated so far."""

    def finish(self, done: Callable[[], None]) -> None:
        """Call `done` when everything that is in the pipe now is in the log."""

    def copy(self, done: Callable[[int | None], None]) -> None:
        """Call `done` with a copy of its descriptor, None when it is closed."""

    def open_sinks(self) -> Sequence[Sink]:
        """Its sinks, none once it is closed.  In the drain thread only."""


class LogDrain(Protocol):
    """The drain thread as the heart sees it."""

    def watch(
        self,
        fd: int,
        sinks: Sequence[Sink],
        decoder: Decoder | None = None,
        deliver: Deliver | None = None,
    ) -> Channel:
        """Move what comes out of `fd` to the sinks; takes the descriptor and the sinks over."""

    def call(self, function: Callable[[], T], done: Callable[[T | OSError], None]) -> None:
        """Call `function` in the thread, then `done` with its result on the loop."""


class Dialogue(Protocol):
    """Reads what is to be answered at once, on the loop (posix/conversation.py)."""

    def converse(self, fd: int, sinks: Sequence[Sink], hear: Callable[[bytes], None]) -> Channel:
        """Let `hear` have what comes out of `fd`; takes the descriptor and the sinks over."""

    def catch_up(self) -> None:
        """Hear what was said meanwhile; not inside a step of the heart."""


def at_once(job: Job) -> None:
    """Where nothing is written down, nothing is waited for."""
    job()


class Owner(Protocol):
    """Whose job it is that waits in the queue: a process."""

    @property
    def name(self) -> str:
        """For the log."""

    def lost(self) -> None:
        """The job raised what nobody expected."""


@dataclass(slots=True)
class Surroundings:
    """What all processes share.

    `server_url` is what children get as SUPERVISOR_SERVER_URL, None without a server; `pid` is the
    daemon's, as users see it; `submit` puts a job at the end of the one queue; `may_start` says
    whether anything may be started by itself (not during shutdown); without a `dialogue` the drain
    reads for listeners too; `kept_logs` are AUTO logs, by process key and channel, that running
    children of an earlier daemon write to; `shelf` is for sockets that outlive the daemon;
    `when_written` does a job when what was announced so far is in the journal, or cannot be;
    `twins` answer, by process key, with the pid of a run that an earlier daemon has left and that
    is not ours (0 when it is gone).
    """

    host: Host
    drain: LogDrain
    log: ActivityLog
    bus: EventBus
    settings: DaemonSettings
    server_url: str | None
    pid: int
    submit: Callable[[Owner, Job], None]
    may_start: Callable[[], bool]
    dialogue: Dialogue | None = None
    kept_logs: dict[tuple[str, str], str] = field(default_factory=dict)
    shelf: Shelf = field(default_factory=Shelf)
    when_written: Callable[[Job], None] = at_once
    twins: dict[str, Callable[[], int]] = field(default_factory=dict)
