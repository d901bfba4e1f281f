"""The end of one child, from its death to the moment at which it is announced.

1. With kill_mode=tree, what is left of it is ended first (leftovers.py).
2. Its pipes are read to the end, for DRAIN_BOUND at most.
3. Only then is it announced, once, with the time at which the death was noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from proctor.core.exits import ExitStatus
from proctor.core.remains import Remains
from proctor.core.spec import ProcessSpec
from proctor.core.values import dataclass
from proctor.daemon.host import ChildSink
from proctor.daemon.leftovers import Leftovers
from proctor.daemon.output import Output
from proctor.daemon.surroundings import Job, Surroundings

# How long a frozen log disk may delay the announcement of an exit, in seconds.
DRAIN_BOUND = 5.0


@dataclass(slots=True, eq=False)
class Ending:
    """Of the child of this key and pid, which ended with `status` at `at`.

    `outlived` hears who could not be ended of what came from it.  `moved` is told when `due` has
    changed: then, if it is not None, `hurry` is to be called.  `last_words` is told when the drain
    thread was asked for them.  `announce` is done through `submit`.
    """

    spec: ProcessSpec
    key: str
    pid: int
    status: ExitStatus
    at: float
    around: Surroundings
    output: Output
    submit: Callable[[Job], None]
    outlived: Callable[[tuple[str, ...]], None]
    moved: Callable[[], None]
    last_words: Callable[[], None]
    announce: Callable[[ExitStatus, float], None]
    due: float | None = None
    _leftovers: Leftovers | None = None
    _announced: bool = False

    def begin(self, sink: ChildSink, stop_due: float | None, stopping: bool) -> None:
        """`stopping`: it ended on request, and would have been killed at `stop_due`."""
        if not self.spec.stop.tree:
            self._read_the_rest()
            return
        around, remains = self.around, Remains(self.spec.stop)
        self._leftovers = Leftovers(
            remains, self.key, self.pid, around.host, around.log, sink, self._all_gone
        )
        self._leftovers.begin(stopping, stop_due if stopping else None)
        self.moved()

    def tree_left(self, left: Sequence[str]) -> None:
        """Who is left of what came from it."""
        if self._leftovers is not None:
            self._leftovers.heard(left)

    def hurry(self) -> None:
        """It took too long: announce it, whatever there is still to read."""
        self.submit(self._announce)

    def _all_gone(self, survivors: tuple[str, ...]) -> None:
        self._leftovers = None
        self.outlived(survivors)
        self.submit(self._read_the_rest)

    def _read_the_rest(self) -> None:
        self.due = self.around.host.now() + DRAIN_BOUND
        self.moved()
        self.output.finish(lambda: self.submit(self._announce))
        self.last_words()

    def _announce(self) -> None:
        if not self._announced:  # when the bound was reached it was, already
            self._announced = True
            self.announce(self.status, self.at)
