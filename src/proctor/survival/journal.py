"""Journal: hears what becomes of every process and has it written down.

1. It hears the bus, like every face: each change of state with its cause, and each new child.
2. The keeper may forget an end when it is on the disk, or when the disk does not take it: a kill -9
   of the daemon in between costs nothing, the next daemon hears of the end again and a run is known
   by its birth.  A restart never waits for that.
3. Without a journal (`journal=none`) ends are acknowledged at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from proctor.core.cause import Cause, CauseKind
from proctor.core.events import Event, ProcessSpawned, ProcessStateChanged
from proctor.core.exits import ExitStatus
from proctor.core.history import Birth, Change
from proctor.core.settings import DaemonSettings
from proctor.core.states import ProcessState
from proctor.daemon.activity_log import ActivityLog
from proctor.daemon.process import Process
from proctor.daemon.supervisor import Supervisor
from proctor.posix.loop_host import HeldChild
from proctor.survival.entries import Ended, Left, Spawned, Turned
from proctor.survival.scribe import Post, Scribe

_UNKNOWN = Cause(CauseKind.ADOPTED)

# Seconds between an entry and the wake-up of the scribe: a program that ends and starts again is
# through with it by then, and is one commit.
GATHER = 0.005


def journal_of(
    settings: DaemonSettings, supervisor: Supervisor, post: Post, log: ActivityLog
) -> Journal | None:
    """The journal as configured; None for `journal=none`.  `post` runs a callback on the loop."""
    if settings.journal is None:
        return None
    host = supervisor.host

    def soon(callback: Callable[[], None]) -> None:
        host.call_at(host.now() + GATHER, callback)

    scribe = Scribe(
        settings.journal,
        post,
        log.error,
        maxbytes=settings.journal_maxbytes,
        maxdays=settings.journal_maxdays,
        soon=soon,
    )
    return Journal(supervisor, scribe)


class Journal:
    """Begin it before anything starts.  `scribe` is closed with it."""

    def __init__(self, supervisor: Supervisor, scribe: Scribe) -> None:
        self._supervisor = supervisor
        self.scribe = scribe
        # Why a start is under way, until there is a child; what is known of a run, until it ends.
        self._starting: dict[str, Cause] = {}
        self._stops: list[Callable[[], None]] = []

    def begin(self, alive: Iterable[tuple[str, int]]) -> None:
        """Hear everything from now on; `alive` are the runs that go on, by process and pid."""
        bus, now = self._supervisor.bus, self._supervisor.host.wall()
        self._stops = [
            bus.subscribe(self._hear_change, ["PROCESS_STATE"]),
            bus.subscribe(self._hear_spawn, ["NOTE_PROCESS_SPAWNED"]),
        ]
        self._supervisor.when_written = self.scribe.after
        self.scribe.write(Left(frozenset(alive), now))

    def took_over(self, process: Process) -> None:
        """It ran under another daemon and runs on: no change, but `why` tells it."""
        state, now = process.state, self._supervisor.host.wall()
        self.scribe.write(Turned(Change(now, process.key, state, state, _UNKNOWN, process.pid)))

    def end(self) -> None:
        """Write what is left, within a bound; who waits for it is answered."""
        for stop in self._stops:
            stop()
        self.scribe.close()

    def missed(self, child: HeldChild, status: ExitStatus) -> None:
        """The end of a child whose process went on already: it may not have been written down."""
        host = self._supervisor.host
        shift = host.wall() - host.now()
        spawned = Spawned(
            Birth(child.key, child.pid, child.started), child.started + shift, _UNKNOWN
        )
        end = Ended(spawned, child.ended + shift, status, Cause(CauseKind.EXIT), expected=False)
        self.scribe.write(end)

    def _hear_change(self, event: Event) -> None:
        assert isinstance(event, ProcessStateChanged)
        key = f"{event.group}:{event.process}"
        cause = event.cause or Cause(CauseKind.LOST)
        self._note_change(key, event, cause)
        if event.state is ProcessState.STARTING:
            self._starting[key] = cause
        elif event.status is not None and event.state is not ProcessState.RUNNING:
            self._note_end(key, event, cause, event.status)

    def _note_change(self, key: str, event: ProcessStateChanged, cause: Cause) -> None:
        status = event.status if event.state is not ProcessState.RUNNING else None
        change = Change(
            self._supervisor.host.wall(),
            key,
            event.from_state,
            event.state,
            cause,
            event.pid,
            event.tries,
            event.expected,
            status,
        )
        self.scribe.write(Turned(change))

    def _note_end(
        self, key: str, event: ProcessStateChanged, cause: Cause, status: ExitStatus
    ) -> None:
        process = self._process(event.group, event.process)
        if process is not None:
            stopped = event.state is ProcessState.STOPPED
            asked = stopped or cause.kind is CauseKind.SIGNAL
            crashed = not asked and not event.expected
            spawned = self._spawned(process, event.pid, _UNKNOWN)
            end = process.stop_wall
            self.scribe.write(
                Ended(spawned, end, status, cause, event.expected or stopped, crashed)
            )

    def _hear_spawn(self, event: Event) -> None:
        assert isinstance(event, ProcessSpawned)
        process = self._process(event.group, event.process)
        if process is not None:
            cause = self._starting.pop(process.key, _UNKNOWN)
            self.scribe.write(self._spawned(process, event.pid, cause))

    def _spawned(self, process: Process, pid: int, cause: Cause) -> Spawned:
        birth = Birth(process.key, pid, process.lifecycle.started)
        marks = process.log_marks
        logs = {channel: mark.as_text() for channel, mark in marks.items()}
        return Spawned(birth, process.start_wall, cause, process.fingerprint, logs)

    def _process(self, group_name: str, name: str) -> Process | None:
        group = self._supervisor.groups.get(group_name)
        return group.processes.get(name) if group else None
