"""Register: every living child, in the file that outlives daemon and keeper (posix/statefile.py).

The loop never waits for the disk: what changed is written by the drain thread, the newest only, and
one batch at a time.  A new child is written down at once; that one is gone, whose pid and birth
nobody has any more, can wait for its successor.  What cannot be written is tried again with the
next change, and said once an interval.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from proctor.core.events import Event, ProcessSpawned, ProcessStateChanged
from proctor.daemon.process import Process
from proctor.daemon.shelf import Shelf
from proctor.daemon.supervisor import Supervisor
from proctor.daemon.surroundings import LogDrain
from proctor.keeper.identity import this_boot
from proctor.posix import statefile
from proctor.posix.complaints import Complaints
from proctor.posix.loop_host import Marks
from proctor.posix.slots import SIZE, Slots
from proctor.survival.memory import auto_logs
from proctor.survival.orphans import Orphan

NAME = "register"

# Seconds that the absence of a child may wait to be written down.
PATIENCE = 0.1


class Register:
    """`marks(key, pid)` tells by what a living child is known again; `path` is the file's."""

    def __init__(
        self,
        path: str,
        supervisor: Supervisor,
        drain: LogDrain,
        shelf: Shelf,
        *,
        marks: Callable[[str, int], Marks | None],
    ) -> None:
        self.path = path
        self._supervisor = supervisor
        self._drain = drain
        self._shelf = shelf
        self._marks = marks
        self._boot = this_boot()
        self._complaints = Complaints(supervisor.log.error)
        self._fd = -1
        self._slots: Slots | None = None
        self._changed: dict[str, Orphan | None] = {}
        self._writing = False
        self._waiting = False
        self._left = 0
        self._unsubscribe: Callable[[], None] = lambda: None

    def open(self, done: Callable[[list[bytes]], None]) -> None:
        """Call `done` with what an earlier daemon wrote there; with nothing when it cannot be used,
        which is said.
        """
        kept = self._shelf.take(NAME)

        def work() -> tuple[int, list[bytes]]:
            fd = statefile.open_locked(self.path) if kept is None else kept
            return fd, statefile.read(fd)

        def opened(result: tuple[int, list[bytes]] | OSError) -> None:
            if isinstance(result, OSError):
                self._supervisor.log.warn(
                    f"cannot use {self.path} ({result.strerror}): programs that outlive us would"
                    " not be found by the next start"
                )
                done([])
                return
            self._fd, records = result
            if kept is None:
                self._shelf.put(NAME, self._fd)
            done(records)

        self._drain.call(work, opened)

    def begin(self, left: Sequence[Orphan] = ()) -> None:
        """Write down every child, and every change; `left` are those that are left alone.

        Again after another daemon has written to the file and this one goes on.
        """
        if self._fd < 0:
            return
        self._unsubscribe()
        self._slots = None
        self._left = len(left)
        for orphan in left:
            self._changed[f"left {orphan.pid}"] = orphan
        for process in self._supervisor.all_processes():
            self._note(process)
        kinds = ["PROCESS_STATE", "NOTE_PROCESS_SPAWNED"]
        self._unsubscribe = self._supervisor.bus.subscribe(self._hear, kinds)
        fd, batch = self._fd, dict(self._changed)

        def begun(slots: Slots | OSError) -> None:
            if isinstance(slots, OSError):
                self._complaints.failed(self.path, slots)
            else:
                self._slots = slots
                self._write()

        self._drain.call(lambda: statefile.begin(fd, _records(batch)), begun)

    def end(self, leave: bool = False) -> None:
        """Nothing of ours runs any more but what was left alone: there is nothing else to find.

        With `leave` another daemon goes on with the children, and with the file.
        """
        self._unsubscribe()
        self._changed.clear()
        if self._fd >= 0:
            if not (self._left or leave):
                with suppress(OSError):
                    os.unlink(self.path)
            if not leave:
                self._shelf.remove(NAME)
            fd, self._fd, self._slots = self._fd, -1, None
            # After what is still to be written, or it would be written somewhere else.
            self._drain.call(lambda: os.close(fd), lambda _: None)

    def _hear(self, event: Event) -> None:
        assert isinstance(event, ProcessStateChanged | ProcessSpawned)
        group = self._supervisor.groups.get(event.group)
        process = group.processes.get(event.process) if group else None
        if process is not None:
            self._note(process)
            if process.pid:
                self._write()
            elif not self._waiting:
                self._waiting = True
                host = self._supervisor.host
                host.call_at(host.now() + PATIENCE, self._write_absences)

    def _write_absences(self) -> None:
        self._waiting = False
        self._write()

    def _note(self, process: Process) -> None:
        pid = process.pid
        marks = self._marks(process.key, pid) if pid else None
        if marks is None or not marks.birth:
            self._changed[process.key] = None
            return
        self._changed[process.key] = Orphan(
            process.key,
            pid,
            marks.birth,
            self._boot,
            process.lifecycle.started,
            int(process.state),
            process.start_wall,
            process.fingerprint,
            auto_logs(process),
            list(marks.pipes),
        )

    def _write(self) -> None:
        slots = self._slots
        if slots is None or self._writing or not self._changed:
            return
        batch, self._changed = self._changed, {}
        self._writing = True

        def written(error: OSError | None) -> None:
            self._writing = False
            if error is None:
                self._complaints.works(self.path)
                self._write()
            else:
                self._changed = {**batch, **self._changed}
                self._complaints.failed(self.path, error)

        self._drain.call(lambda: statefile.write_all(slots, _records(batch)), written)


def _records(batch: Mapping[str, Orphan | None]) -> dict[str, bytes]:
    return {name: orphan.as_bytes(SIZE) if orphan else b"" for name, orphan in batch.items()}
