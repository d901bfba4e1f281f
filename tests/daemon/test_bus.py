"""Who hears what."""

from __future__ import annotations

from proctor.core.events import Event, GroupChanged, Tick
from proctor.daemon.bus import EventBus

TICK = Tick(5, 5)


def test_a_subscription_hears_descendants_once() -> None:
    """However many of its names match (gotcha G18), and nothing else."""
    bus = EventBus(lambda text: None)
    heard: list[Event] = []
    bus.subscribe(heard.append, ["EVENT", "TICK", "TICK_5"])
    others: list[Event] = []
    bus.subscribe(others.append, ["PROCESS_GROUP"])
    bus.publish(TICK)
    assert heard == [TICK]
    assert others == []


def test_unsubscribing_ends_it() -> None:
    """And is harmless twice; others go on."""
    bus = EventBus(lambda text: None)
    heard: list[Event] = []
    unsubscribe = bus.subscribe(heard.append, ["TICK"])
    assert bus.wants("TICK_5")
    unsubscribe()
    unsubscribe()
    bus.publish(TICK)
    assert heard == []
    assert not bus.wants("TICK_5")


def test_a_subscriber_that_raises_keeps_nobody_from_hearing() -> None:
    """It is reported in one line."""
    reports: list[str] = []
    bus = EventBus(reports.append)

    def broken(event: Event) -> None:
        raise ValueError(event.name)

    heard: list[Event] = []
    bus.subscribe(broken, ["EVENT"])
    bus.subscribe(heard.append, ["EVENT"])
    bus.publish(GroupChanged("g", added=True))
    assert len(heard) == 1
    assert reports == ["cannot handle PROCESS_GROUP_ADDED: ValueError('PROCESS_GROUP_ADDED')"]
