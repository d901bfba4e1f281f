"""EventFeed: the events of the bus for those who follow them, each at their own pace.

1. Each follower has a queue; when it reads too slowly the oldest events go, and it is told how many
   (`Dropped`) where they were.
2. Whoever names the last event it knows gets what came after it first.  When that is not known any
   more, or was an event of another daemon, `Reset` comes instead: look at everything again.
3. Who is confined to groups hears of these and of the daemon; who may not read logs hears no
   output.
4. While nobody follows, nothing is done but what `Happenings` does.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from typing import NamedTuple

from proctor.api.happenings import Happenings, is_kept
from proctor.core.caller import Caller
from proctor.core.events import NOTES, PARENTS, Event, family
from proctor.daemon.bus import EventBus

MAX_WAITING = 1000
MAX_WAITING_SIZE = 8 * 1024 * 1024
HEARTBEAT = 30.0

_AT_ONCE = 100
_SHARED = 200
_CONTENT = frozenset({"PROCESS_LOG", "PROCESS_COMMUNICATION"})


class Told(NamedTuple):
    """An event, and when it was published (wall time).  `id` is that of kept events."""

    id: str | None
    when: float
    event: Event


class Dropped(NamedTuple):
    """So many events are missing here."""

    number: int


class Reset(NamedTuple):
    """Nobody knows what is missing here.  Events after `id` follow."""

    id: str


class Listening(NamedTuple):
    """Everything from here on will be told; `id` is that of the last event before, for those who
    come without one."""

    id: str | None


Entry = Told | Dropped | Reset | Listening


class EventFeed:
    """Everybody who follows the events of one bus."""

    def __init__(self, bus: EventBus) -> None:
        self.happenings = Happenings(bus)
        self._bus = bus
        self.followers = 0
        self._made: dict[str, bytes] = {}

    def shared(self, told: Told, make: Callable[[Told], bytes]) -> bytes:
        """What a face makes of an event: once, however many follow.

        It may be older than the moment in which the next one is told, but never than the event; and
        whatever has changed since then is an event that comes later.
        """
        if told.id is None:
            return make(told)
        made = self._made.get(told.id)
        if made is None:
            made = self._made[told.id] = make(told)
            if len(self._made) > _SHARED:
                del self._made[next(iter(self._made))]
        return made

    async def follow(
        self, kinds: Iterable[str], after: str | None, who: Caller
    ) -> AsyncIterator[list[Entry]]:
        """What happens, until the caller ends it: Listening first; an empty list every HEARTBEAT
        seconds in silence.
        """
        wanted = frozenset(kinds)
        self.happenings.begin()
        waiting = _Waiting(self.happenings, who)
        missed = self._missed(after, wanted, who)
        unsubscribe = self._bus.subscribe(waiting.hear, wanted)
        self.followers += 1
        try:
            yield [Listening(None if after else self.happenings.cursor())]
            if missed:
                yield missed
            while True:
                yield await waiting.some()
        finally:
            self.followers -= 1
            unsubscribe()

    def _missed(self, after: str | None, wanted: frozenset[str], who: Caller) -> list[Entry]:
        if after is None:
            return []
        known = self.happenings.since(after)
        if known is None:
            return [Reset(self.happenings.cursor())]
        return [
            Told(self.happenings.id_of(number), when, event)
            for number, when, event in known
            if not wanted.isdisjoint(family(event.name)) and _may_hear(who, event)
        ]


class _Waiting:
    """The events that one follower has not yet read."""

    def __init__(self, happenings: Happenings, who: Caller) -> None:
        self._happenings = happenings
        self._who = who if who.confined or not who.reads_logs else None
        self._entries: deque[Told] = deque()
        self._size = 0
        self._dropped = 0
        self._arrived = asyncio.Event()

    def hear(self, event: Event) -> None:
        """Called by the bus; must be quick."""
        if self._who is not None and not _may_hear(self._who, event):
            return
        happenings = self._happenings
        number = happenings.id_of(happenings.number) if is_kept(event.name) else None
        self._entries.append(Told(number, time.time(), event))
        self._size += _size(event)
        while len(self._entries) > MAX_WAITING or (
            self._size > MAX_WAITING_SIZE and len(self._entries) > 1
        ):
            self._size -= _size(self._entries.popleft().event)
            self._dropped += 1
        self._arrived.set()

    async def some(self) -> list[Entry]:
        """What there is; nothing when nothing happens for a while."""
        if not self._entries:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), HEARTBEAT)
            except TimeoutError:
                return []
        told: list[Entry] = [Dropped(self._dropped)] if self._dropped else []
        self._dropped = 0
        for _ in range(min(len(self._entries), _AT_ONCE)):
            entry = self._entries.popleft()
            self._size -= _size(entry.event)
            told.append(entry)
        return told


def _size(event: Event) -> int:
    """What an event holds beside itself."""
    data = getattr(event, "data", b"")
    return len(data) if isinstance(data, (bytes, str)) else 0


def _may_hear(who: Caller, event: Event) -> bool:
    group = getattr(event, "group", None)
    if isinstance(group, str) and not who.covers(group):
        return False
    return who.reads_logs or _CONTENT.isdisjoint(family(event.name))


def known_kind(name: str) -> bool:
    """Whether there is an event type of this name."""
    return name in PARENTS or name in NOTES or name in ("EVENT", "NOTE")


def usual_kinds() -> list[str]:
    """All but ticks, which would have to be made for the listener alone."""
    return [n for n, parent in PARENTS.items() if parent == "EVENT" and n != "TICK"] + ["NOTE"]
