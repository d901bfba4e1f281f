"""Gauges: the numbers that monitors read, as plain rows.

They are gathered in one go on the loop, so that they fit together; what is slow (looking into
/proc, writing text) is for the worker thread.  Nothing is counted for them that is not counted
anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from proctor.api.access import caller
from proctor.api.looks import Looks
from proctor.api.room import display_name
from proctor.core.states import ProcessState, SupervisorState
from proctor.core.version import PROCTOR_VERSION
from proctor.daemon.process import Process
from proctor.daemon.volume import Volume
from proctor.duties.pools.pool import Pool
from proctor.posix.usage import Usage, measure

# A program that starts by itself and is in one of these is not up.
_NOT_UP = frozenset(
    {ProcessState.STARTING, ProcessState.BACKOFF, ProcessState.FATAL, ProcessState.UNKNOWN}
)


class ProcessGauges(NamedTuple):
    """Of one process.  Times are wall time, 0.0 for never; pid 0 for none.  `volumes` are those of
    its streams."""

    group: str
    name: str
    state: ProcessState
    pid: int
    start: float
    exit_number: int
    starts: int
    expected_exits: int
    unexpected_exits: int
    signal_exits: int
    failures: int
    volumes: Mapping[str, Volume] = {}


class PoolGauges(NamedTuple):
    """Of one event listener pool."""

    name: str
    waiting: int
    overflowed: int
    dropped: int
    rejections: int
    violations: int


class Gauges(Looks):
    """What monitors ask."""

    async def read_gauges(self) -> Snapshot:
        """Everything that /metrics tells."""
        pools = self.context.pools()
        snapshot = Snapshot(
            PROCTOR_VERSION,
            self.context.version,
            self.supervisor.mood is SupervisorState.RUNNING,
            self.supervisor.host.wall(),
            [self._gauges(process) for process in self._all()],
            [_pool(name, pool) for name, pool in pools.items() if caller().covers(name)],
            self.feed.followers,
        )
        pids = [each.pid for each in snapshot.processes if each.pid]
        return snapshot._replace(usage=await self._in_worker(measure, pids))

    async def look_ready(self, names: list[str] | None = None) -> list[str]:
        """What is missing, a line each; nothing when everything that starts by itself is up, but
        for what somebody stopped and what has ended and is not to start again.

        With `names`, those must be RUNNING instead.  Raises BAD_NAME.
        """
        if self.supervisor.mood is not SupervisorState.RUNNING:
            return [f"supervisord {self.supervisor.mood.name}"]
        if names is not None:
            wanted = [process for name in names for process in self._named(name)]
            missing = [p for p in wanted if p.state is not ProcessState.RUNNING]
        else:
            missing = [p for p in self._all() if p.spec.start.autostart and _is_missing(p)]
        return [f"{display_name(process)} {process.state.name}" for process in missing]

    def _gauges(self, process: Process) -> ProcessGauges:
        counts = self.tally.of(process.key)
        return ProcessGauges(
            process.group_name,
            process.name,
            process.shown_state,
            process.pid,
            process.start_wall,
            process.exit_number,
            counts.starts,
            counts.expected_exits,
            counts.unexpected_exits,
            counts.signal_exits,
            counts.failures,
            process.volumes,
        )


class Snapshot(NamedTuple):
    """All gauges at one moment.  `usage` by pid, of those that are still there."""

    version: str
    supervisor_version: str
    running: bool
    now: float
    processes: list[ProcessGauges]
    pools: list[PoolGauges]
    followers: int
    usage: Mapping[int, Usage] = {}


def _is_missing(process: Process) -> bool:
    # What was never started was not stopped by anybody either: it was left to another supervisord.
    unbegun = process.state is ProcessState.STOPPED and not process.start_wall
    return unbegun or process.state in _NOT_UP


def _pool(name: str, pool: Pool) -> PoolGauges:
    counts = pool.counts
    return PoolGauges(
        name,
        len(pool),
        counts.overflowed,
        counts.dropped,
        counts.rejections,
        counts.violations,
    )
