"""What programs use: measured while somebody listens, and only then."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from builders import a_heart
from proctor.core.events import Event, UsageSampled
from proctor.duties import usage
from proctor.posix.usage import Usage, measure
from support.waiting import GENEROUS


def test_nothing_is_measured_while_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples come at once and again for who subscribes; none after that."""
    monkeypatch.setattr(usage, "SOON", 0.0)
    monkeypatch.setattr(usage, "PERIOD", 0.0)
    asked: list[list[int]] = []

    def measured(pids: Iterable[int]) -> dict[int, Usage]:
        asked.append(list(pids))
        return {pid: Usage(float(len(asked)), 4096) for pid in asked[-1]}

    async def listen() -> list[Event]:
        with a_heart() as heart:
            heart.bus._subscriptions.clear()  # that of the heart itself hears everything
            desk = usage.UsageDesk(heart.supervisor, measured)
            heart.bus.subscribe(lambda event: None, ["EVENT", "NOTE"])
            await asyncio.sleep(0)
            assert desk._task is None
            heard: list[Event] = []
            arrived = asyncio.Event()

            def hear(event: Event) -> None:
                heard.append(event)
                if len(heard) == 2:
                    arrived.set()

            unsubscribe = heart.bus.subscribe(hear, ["USAGE_SAMPLED"])
            await asyncio.wait_for(arrived.wait(), GENEROUS)
            unsubscribe()
            assert desk._task is None
            return heard

    heard = asyncio.run(listen())
    assert all(isinstance(event, UsageSampled) for event in heard)
    assert len(asked) >= 2


def test_proc_is_read_for_those_who_are_there() -> None:
    """A pid without a process is left out."""
    import os

    found = measure([os.getpid(), 2**22 + 1])
    assert set(found) == {os.getpid()}
    assert found[os.getpid()].rss > 1_000_000
    assert found[os.getpid()].cpu_seconds > 0
