"""/events: what happens, as it happens, as server-sent events.

Each message holds what a page needs to show the change without asking: of a change of state the
process as it is when the message is made, of a group its processes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from proctor.api.access import caller
from proctor.api.event_feed import Dropped, Entry, Listening, Reset, Told, known_kind, usual_kinds
from proctor.api.service import Service
from proctor.core.caller import Caller
from proctor.core.envelope import fields_of
from proctor.core.events import (
    Event,
    GroupChanged,
    GroupReshaped,
    ProcessSpawned,
    ProcessStateChanged,
    UsageSampled,
)
from proctor.core.names import make_namespec
from proctor.core.states import ProcessState
from proctor.web import guard
from proctor.web.parameters import Kind, Parameter
from proctor.web.problem import as_json
from proctor.web.request import Refusal, Response, end_stream
from proctor.web.routes import STREAM, Answer, Call, Route
from proctor.web.sse import HEADERS, message

PATH = "/api/v1/events"


async def follow_events(call: Call) -> Answer:
    """An endless stream.  Raises Refusal 400 for an unknown type, 403, 503 for too many."""
    # It changes nothing, but a page of another site should not hold connections either.
    guard.check_write(call.request)
    kinds = _kinds(call.texts("types"))
    after = call.request.headers.get("last-event-id") or call.maybe("after")
    entries = await call.service.follow_events(kinds, after)
    return Response(
        200, HEADERS, call.slots.held(call.request, _messages(entries, call.service, caller()))
    )


def _kinds(types: list[str] | None) -> list[str]:
    names = [name.strip().upper() for name in types or ()]
    for name in names:
        if not known_kind(name):
            raise Refusal(400, f"no event type is called {ascii(name[:60])[1:-1]}")
    return names or usual_kinds()


async def _messages(
    entries: AsyncIterator[list[Entry]], service: Service, who: Caller
) -> AsyncIterator[bytes]:
    try:
        async for batch in entries:
            yield b"".join(_encoded(entry, service, who) for entry in batch) or b":\n\n"
    finally:
        await end_stream(entries)


def _encoded(entry: Entry, service: Service, who: Caller) -> bytes:
    match entry:
        case Listening(id_):
            # An id without data: browsers keep it and say nothing.
            return b": listening\nid: %b\n\n" % id_.encode() if id_ else b": listening\n\n"
        case Dropped(number):
            return message("dropped", as_json({"dropped": number}))
        case Reset(id_):
            return message("reset", as_json({"event": id_}), id_)
        case Told():
            return service.feed.shared(entry, lambda told: _event(told, service, who))


def _event(told: Told, service: Service, who: Caller) -> bytes:
    data = _data(told.when, told.event) | _details(told.event, service, who)
    return message(told.event.name, as_json(data), told.id)


def _data(when: float, event: Event) -> dict[str, object]:
    payload = event.payload
    fields = fields_of(payload.partition("\n")[0])
    return {"type": event.name, "time": round(when, 3), "fields": fields, "payload": payload}


def _details(event: Event, service: Service, who: Caller) -> dict[str, object]:
    match event:
        case ProcessStateChanged():
            return {"process": service.process_now(event.group, event.process), **_ending(event)}
        case ProcessSpawned():
            return {"process": service.process_now(event.group, event.process)}
        case GroupChanged() | GroupReshaped():
            return {"group": event.group, "processes": service.group_now(event.group)}
        case UsageSampled():
            return {"usage": _their_usage(event, who)}
    return {}


def _ending(event: ProcessStateChanged) -> dict[str, object]:
    """In words, where this change is the end of a child; the process may be further already."""
    if event.status is None or event.state is ProcessState.RUNNING:
        return {}
    return {"ending": str(event.status)}


def _their_usage(event: UsageSampled, who: Caller) -> dict[str, object]:
    """By the ids of the processes that this caller may see.

    The stream is written when the request is over: then nobody is the caller.
    """
    return {
        make_namespec(group, name): used
        for group, members in event.usage.items()
        if who.covers(group)
        for name, used in members.items()
    }


ROUTES = (
    Route(
        "GET", PATH, follow_events, "Follow what happens", STREAM, ("follow_events",),
        (
            Parameter(
                "types", Kind.TEXTS,
                "Only events of these types and of all that descend from them; without it, all but"
                " TICK.",
            ),
            Parameter(
                "after", Kind.TEXT,
                "Id of an event: begin with what happened since.  The header Last-Event-ID goes"
                " before it.", most=60,
            ),
        ),
        text="See docs/reference/http-api.md for the messages.",
    ),
)  # fmt: skip
