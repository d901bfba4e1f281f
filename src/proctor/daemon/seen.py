"""What others may see of a process: all that the api and the pages tell of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from proctor.core.faults import Fault
from proctor.core.fingerprint import fingerprint
from proctor.core.lifecycle import Lifecycle
from proctor.core.spec import ProcessSpec
from proctor.core.states import ProcessState
from proctor.daemon.command import resolve


class Seen:
    """The part of a Process that does nothing.  `paths` are its log files, by channel."""

    def __init__(self, spec: ProcessSpec, paths: Mapping[str, str | None]) -> None:
        self.spec = spec
        self.group_name = spec.group
        self.key = f"{spec.group}:{spec.name}"
        self.lifecycle = Lifecycle(spec)
        self.start_wall = 0.0
        self.stop_wall = 0.0
        # Whether its child was started by an earlier daemon.
        self.adopted = False
        # What `status` says of it beyond its state, "" for nothing; whoever minds it knows.
        self.remark: Callable[[], str] = lambda: ""
        # Who could not be ended of what came from its last child, as people read it.
        self.survivors: tuple[str, ...] = ()
        self._paths = paths

    @property
    def name(self) -> str:
        """Its name within the group."""
        return self.spec.name

    @property
    def priority(self) -> int:
        """Its place among its group's processes."""
        return self.spec.priority

    @property
    def state(self) -> ProcessState:
        """The state it is in; events about it may still be on their way."""
        return self.lifecycle.state

    @property
    def shown_state(self) -> ProcessState:
        """The state to tell people; STARTING shows as soon as there is a pid."""
        return self.lifecycle.shown

    @property
    def pid(self) -> int:
        """The pid of its child, 0 if there is none."""
        return self.lifecycle.pid

    @property
    def spawnerr(self) -> str:
        """Why the last start or run went wrong, or ''."""
        return self.lifecycle.spawnerr

    @property
    def exit_number(self) -> int:
        """The exit status of the run that ended, -1 for a death by signal, 0 if there is none."""
        return 0 if self.lifecycle.exit is None else self.lifecycle.exit.number

    @cached_property
    def fingerprint(self) -> str:
        """Tells later daemons whether it is still configured as it was."""
        return fingerprint(self.spec)

    def logfile(self, channel: str) -> str | None:
        """The log file of `stdout` or `stderr`; None when it has none."""
        return self._paths[channel]

    def command_problem(self) -> Fault | None:
        """Why the command cannot be executed, NO_FILE or NOT_EXECUTABLE; None when it can."""
        try:
            resolve(self.spec)
        except Fault as fault:
            return fault
        return None
