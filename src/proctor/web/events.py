"""/api/v1/events: what happens, as it happens, as server-sent events.

1. `?types=A,B` chooses event types, with all that descend from them; without it, all but ticks,
   which would have to be made for the listener alone.
2. Each follower has a queue; when it reads too slowly the oldest events go, and it is told how
   many: an event of type `dropped` stands where they were.
3. A comment comes first, once everything from then on will be told, and now and then in silence, so
   that those who are gone are noticed.  While nobody follows, nothing is done.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import AsyncIterator
from urllib.parse import parse_qs

from proctor.core.events import PARENTS, Event
from proctor.daemon.bus import EventBus
from proctor.web import guard
from proctor.web.request import Refusal, Request, Response

PATH = "/api/v1/events"
MAX_STREAMS = 100
MAX_WAITING = 1000

_HEARTBEAT = 30.0
_AT_ONCE = 100
_FIELD = re.compile(r"(\w+):(.*?)(?=\s\w+:|$)")
_HEADERS = (
    ("Content-Type", "text/event-stream;charset=utf-8"),
    ("Cache-Control", "no-cache"),
    ("X-Accel-Buffering", "no"),
    ("X-Content-Type-Options", "nosniff"),
)


class EventStreams:
    """Everybody who follows the events of one bus."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._streams = 0

    def respond(self, request: Request) -> Response:
        """An endless stream.  Raises Refusal 400 for an unknown type, 403, 503 for too many."""
        # It changes nothing, but a page of another site should not hold connections either.
        guard.check_write(request)
        kinds = _kinds(request.query)
        if self._streams >= MAX_STREAMS and not request.over_unix:
            raise Refusal(503)
        return Response(200, _HEADERS, self._follow(kinds))

    async def _follow(self, kinds: list[str]) -> AsyncIterator[bytes]:
        waiting = _Waiting()
        unsubscribe = self._bus.subscribe(waiting.hear, kinds)
        self._streams += 1
        try:
            yield b": listening\n\n"
            while True:
                yield await waiting.some()
        finally:
            self._streams -= 1
            unsubscribe()


class _Waiting:
    """The events that one follower has not yet read."""

    def __init__(self) -> None:
        self._events: deque[tuple[float, Event]] = deque()
        self._dropped = 0
        self._arrived = asyncio.Event()

    def hear(self, event: Event) -> None:
        """Called by the bus; must be quick."""
        if len(self._events) >= MAX_WAITING:
            self._events.popleft()
            self._dropped += 1
        self._events.append((time.time(), event))
        self._arrived.set()

    async def some(self) -> bytes:
        """What there is; a comment when nothing happens for a while."""
        if not self._events:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), _HEARTBEAT)
            except TimeoutError:
                return b":\n\n"
        parts = [_encoded("dropped", {"dropped": self._dropped})] if self._dropped else []
        self._dropped = 0
        for _ in range(min(len(self._events), _AT_ONCE)):
            when, event = self._events.popleft()
            parts.append(_encoded(event.name, _as_data(when, event)))
        return b"".join(parts)


def _as_data(when: float, event: Event) -> dict[str, object]:
    payload = event.payload
    fields = dict(_FIELD.findall(payload.partition("\n")[0]))
    return {"type": event.name, "time": round(when, 3), "fields": fields, "payload": payload}


def _encoded(name: str, data: dict[str, object]) -> bytes:
    # All in ASCII: no line break and no half character can come out of a payload.
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode("ascii")


def _kinds(query: str) -> list[str]:
    chosen = ",".join(parse_qs(query).get("types", ())).upper()
    names = [name.strip() for name in chosen.split(",") if name.strip()]
    for name in names:
        if name not in PARENTS and name != "EVENT":
            raise Refusal(400, f"no event type is called {ascii(name)[1:-1]}")
    return names or [n for n, parent in PARENTS.items() if parent == "EVENT" and n != "TICK"]
