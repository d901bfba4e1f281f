"""What others hear of one process: a line in the log, an event on the bus, a word to observers."""

from __future__ import annotations

from collections.abc import Callable

from proctor.core.cause import Cause
from proctor.core.events import ProcessSpawned, ProcessStateChanged
from proctor.core.lifecycle import Became
from proctor.core.spec import ProcessSpec
from proctor.core.states import ProcessState
from proctor.daemon import words
from proctor.daemon.surroundings import Surroundings

Observer = Callable[[ProcessState], None]


class Announcer:
    """Of the process of this spec."""

    def __init__(self, spec: ProcessSpec, around: Surroundings) -> None:
        self._spec = spec
        self._around = around
        self._observers: dict[int, Observer] = {}
        self._observed = 0

    def observe(self, callback: Observer) -> Callable[[], None]:
        """Let `callback` hear what `tell` says; answers with the function that ends it."""
        number, self._observed = self._observed, self._observed + 1
        self._observers[number] = callback

        def forget() -> None:
            self._observers.pop(number, None)

        return forget

    def tell(self, state: ProcessState) -> None:
        """Tell the observers only."""
        for callback in tuple(self._observers.values()):
            try:
                callback(state)
            except Exception as error:  # an observer's bug is not the process's
                self._around.log.error(f"cannot tell of '{self._spec.name}': {error!r}")

    def announce(self, change: Became, spawnerr: str, cause: Cause) -> None:
        """A change of state, to everybody."""
        line = words.of_change(self._spec, spawnerr, change)
        if line is not None:
            self._around.log.log(*line)
        self._around.bus.publish(
            ProcessStateChanged(
                self._spec.name,
                self._spec.group,
                change.state,
                change.from_state,
                change.tries,
                change.pid,
                change.expected,
                change.status,
                cause,
            )
        )
        self.tell(change.state)

    def spawned(self, pid: int, state: ProcessState) -> None:
        """There is a child, to everybody but the log, which was told before."""
        self.tell(state)
        self._around.bus.publish(ProcessSpawned(self._spec.name, self._spec.group, pid))
