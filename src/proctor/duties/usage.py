"""Usage: what the programs use, told every few seconds for as long as somebody listens.

1. While nobody subscribes to USAGE nothing is measured and no timer runs.
2. The first sample comes at once, the second soon after it, for only two of them tell how much of a
   CPU a program uses; then one every PERIOD seconds.
3. Reading /proc takes its time with a thousand programs: `measure` runs in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from proctor.core.events import UsageSampled
from proctor.daemon.supervisor import Supervisor

PERIOD = 5.0
SOON = 1.0


class Measured(Protocol):
    """What a measurement says of one process."""

    @property
    def cpu_seconds(self) -> float:
        """Time on CPUs since its start."""

    @property
    def rss(self) -> int:
        """Bytes of memory."""


Measure = Callable[[Iterable[int]], Mapping[int, Measured]]


class UsageDesk:
    """Measures for those who follow.  `measure` may block."""

    def __init__(self, supervisor: Supervisor, measure: Measure) -> None:
        self._supervisor = supervisor
        self._measure = measure
        self._task: asyncio.Task[None] | None = None
        # pid -> CPU seconds and when that was; of the sample before.
        self._before: dict[int, tuple[float, float]] = {}
        supervisor.bus.when_changed(self._subscriptions_changed)

    def close(self) -> None:
        """No more samples."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._before.clear()

    def _subscriptions_changed(self) -> None:
        wanted = self._supervisor.bus.wants("USAGE_SAMPLED")
        if wanted and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        elif not wanted:
            self.close()

    async def _run(self) -> None:
        rest = SOON
        while True:
            await self._sample()
            await asyncio.sleep(rest)
            rest = PERIOD

    async def _sample(self) -> None:
        pids = {
            process.pid: (group.name, process.name)
            for group in self._supervisor.groups.values()
            for process in group.processes.values()
            if process.pid
        }
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(None, self._measure, list(pids))
        now = self._supervisor.host.now()
        told: dict[str, dict[str, tuple[float | None, int]]] = {}
        for pid, usage in found.items():
            group, name = pids[pid]
            told.setdefault(group, {})[name] = (self._percent(pid, usage, now), usage.rss)
        self._before = {pid: (usage.cpu_seconds, now) for pid, usage in found.items()}
        self._supervisor.bus.publish(UsageSampled(told))

    def _percent(self, pid: int, usage: Measured, now: float) -> float | None:
        """Of one CPU, since the sample before; None when there is none."""
        before, when = self._before.get(pid, (0.0, now))
        if now <= when or usage.cpu_seconds < before:
            return None
        return round(100 * (usage.cpu_seconds - before) / (now - when), 1)
