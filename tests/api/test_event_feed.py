"""Who hears of which events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from proctor.api.event_feed import Entry, EventFeed, Told, usual_kinds
from proctor.core.caller import Caller, How, Role
from proctor.core.events import (
    Event,
    GroupChanged,
    ProcessCommunicated,
    ProcessLogged,
    ProcessStateChanged,
    RemoteCommunication,
    SupervisorStateChanged,
)
from proctor.core.states import ProcessState
from proctor.daemon.bus import EventBus

CHANGE = (ProcessState.RUNNING, ProcessState.STARTING)
HAPPENING: dict[str, Event] = {
    "theirs": ProcessStateChanged("a", "web", *CHANGE),
    "other": ProcessStateChanged("a", "mail", *CHANGE),
    "group": GroupChanged("mail", added=True),
    "output": ProcessLogged("a", "web", 1, "stdout", b"secret"),
    "message": ProcessCommunicated("a", "web", 1, "stdout", b"secret"),
    "remote": RemoteCommunication("a", "b"),
    "daemon": SupervisorStateChanged(),
}
ALL = ["EVENT", "NOTE"]


async def some(entries: AsyncIterator[list[Entry]]) -> list[Event]:
    """The events of the next batch."""
    return [entry.event for entry in await anext(entries) if isinstance(entry, Told)]


async def heard_by(who: Caller, *, later: bool) -> list[Event]:
    """What `who` is told as it happens, or, if `later`, when coming back."""
    bus = EventBus(print)
    feed = EventFeed(bus)
    cursor = feed.happenings.cursor()
    entries = feed.follow(ALL, cursor if later else None, who)
    if not later:
        await anext(entries)
    for event in HAPPENING.values():
        bus.publish(event)
    if later:
        await anext(entries)
    heard = await some(entries)
    await entries.aclose()  # type: ignore[attr-defined]
    return heard


def names(events: list[Event]) -> set[str]:
    return {name for name, event in HAPPENING.items() if event in events}


KEPT = {"theirs", "other", "group", "daemon"}


@pytest.mark.parametrize("later", [False, True])
def test_who_is_confined_hears_of_their_groups_only(later: bool) -> None:
    """As it happens, and of what was missed."""
    who = Caller(How.TCP, Role.ADMIN, groups=("web",))
    heard = names(asyncio.run(heard_by(who, later=later)))
    expected = {"theirs", "output", "message", "remote", "daemon"}
    assert heard == (expected & KEPT if later else expected)


@pytest.mark.parametrize("later", [False, True])
def test_who_may_not_read_logs_hears_no_output(later: bool) -> None:
    """Logs hold secrets."""
    who = Caller(How.TCP, Role.VIEW, reads_logs=False)
    heard = names(asyncio.run(heard_by(who, later=later)))
    expected = set(HAPPENING) - {"output", "message"}
    assert heard == (expected & KEPT if later else expected)


def test_large_events_do_not_pile_up() -> None:
    """For who reads slowly there is a bound on bytes too; the newest stays, whatever its size."""

    async def go() -> None:
        bus = EventBus(print)
        entries = EventFeed(bus).follow(ALL, None, Caller(How.UNIX))
        await anext(entries)
        for number in range(30):
            bus.publish(RemoteCommunication(str(number), "x" * 1_000_000))
        told = await some(entries)
        assert len(told) == 8
        assert isinstance(told[-1], RemoteCommunication)
        assert told[-1].type == "29"
        await entries.aclose()  # type: ignore[attr-defined]

    asyncio.run(go())


def test_a_message_is_made_once_for_all_who_follow() -> None:
    """As long as it is one of the last; one without an id is made for each."""
    feed = EventFeed(EventBus(print))
    made: list[Told] = []

    def make(told: Told) -> bytes:
        made.append(told)
        return b"x"

    for number in (*range(300), 299, 0):
        told = Told(f"e-{number}", 1.0, HAPPENING["theirs"])
        assert feed.shared(told, make) == b"x"
    assert [told.id for told in made[299:]] == ["e-299", "e-0"]
    for _ in range(2):
        feed.shared(Told(None, 1.0, HAPPENING["remote"]), make)
    assert [told.id for told in made[301:]] == [None, None]


def test_the_usual_kinds_are_all_but_those_that_cost() -> None:
    """Ticks would have to be made for the follower alone; usage would have to be measured."""
    assert set(usual_kinds()) == {
        "PROCESS_STATE", "PROCESS_LOG", "PROCESS_COMMUNICATION", "REMOTE_COMMUNICATION",
        "SUPERVISOR_STATE_CHANGE", "PROCESS_GROUP", "NOTE",
    }  # fmt: skip
