"""Memory: every change of every process, where a kill -9 of the daemon does not reach it.

In a file without a name that the keeper holds: no disk, no path, nothing to clean up.  A daemon
that ends in order lets the keeper forget it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from proctor.core.events import Event, ProcessStateChanged
from proctor.core.spec import LogKind
from proctor.daemon.process import Process
from proctor.daemon.shelf import Store
from proctor.daemon.supervisor import Supervisor
from proctor.posix.slots import SIZE, Slots
from proctor.survival.snapshot import Record, record_of

NAME = "states"


def remembered(descriptors: Mapping[str, int]) -> dict[str, Record]:
    """What the daemon before this one knew last, by process key; nothing after an orderly end."""
    fd = descriptors.get(NAME)
    if fd is None:
        return {}
    records = [Record.from_bytes(data) for data in Slots(fd).read()]
    os.close(fd)
    return {record.key: record for record in records if record is not None}


class Memory:
    """Writes down what becomes of processes.  Begin it when the groups are there."""

    def __init__(self, supervisor: Supervisor, store: Store) -> None:
        self._supervisor = supervisor
        self._store = store
        self._slots = Slots()
        self._unsubscribe: Callable[[], None] = lambda: None

    def begin(self) -> None:
        """Write down how things are, then every change."""
        for process in self._supervisor.all_processes():
            self._note(process.group_name, process.name)
        self._unsubscribe = self._supervisor.bus.subscribe(self._hear, ["PROCESS_STATE"])
        self.hold()

    def hold(self) -> None:
        """Let the keeper keep it, which may be another one now."""
        self._store.hold(NAME, self._slots.fd)

    def end(self, leave: bool = False) -> None:
        """There will be nothing to go on with; or `leave` it to the next daemon."""
        self._unsubscribe()
        if not leave:
            self._store.release(NAME)
        self._slots.close()

    def copy(self) -> bytes:
        """What is written down now."""
        return self._slots.copy()

    def _hear(self, event: Event) -> None:
        assert isinstance(event, ProcessStateChanged)
        self._note(event.group, event.process)

    def _note(self, group_name: str, name: str) -> None:
        group = self._supervisor.groups.get(group_name)
        process = group.processes.get(name) if group else None
        if process is not None:
            record = record_of(
                process.key,
                process.lifecycle,
                process.start_wall,
                process.stop_wall,
                at=self._supervisor.host.now(),
                spec=process.fingerprint,
                logs=auto_logs(process),
            )
            self._slots.write(process.key, record.as_bytes(SIZE))


def auto_logs(process: Process) -> dict[str, str]:
    """The log files that we named, by channel."""
    policies = {"stdout": process.spec.stdout, "stderr": process.spec.stderr}
    paths = {
        channel: process.logfile(channel)
        for channel, policy in policies.items()
        if policy.kind is LogKind.AUTO
    }
    return {channel: path for channel, path in paths.items() if path is not None}
