"""Logs: ranges, byte for byte, and followers.

A range says where it begins and ends; `end` is a place that a follower can go on from, also when
the log was rotated meanwhile.  Text is UTF-8 with U+FFFD for what is none; `encoding=base64` gives
the bytes as they are (scenarios.md, section 2, row 11).
"""

from __future__ import annotations

import codecs
from binascii import b2a_base64
from collections.abc import AsyncIterator

from proctor.api.documents import LogRange
from proctor.api.following import Piece
from proctor.api.log_ranges import MAX_RANGE
from proctor.posix.follow import Place, Range
from proctor.web import guard
from proctor.web.parameters import Kind, Parameter
from proctor.web.problem import as_json
from proctor.web.request import Refusal, Response, end_stream
from proctor.web.routes import STREAM, Answer, Call, Route
from proctor.web.sse import HEADERS, message

_ENCODING = Parameter(
    "encoding", Kind.TEXT, "How bytes are told.", default="text", choices=("text", "base64")
)  # fmt: skip
_OFFSET = Parameter(
    "offset", Kind.WHOLE, "Where to begin; a negative one counts from the end.", default=-65536,
    low=-(2**60), high=2**60,
)  # fmt: skip
_LENGTH = Parameter(
    "length", Kind.WHOLE, "At most so many bytes.", default=65536, low=0, high=MAX_RANGE
)  # fmt: skip
_AFTER = Parameter(
    "after", Kind.TEXT, "The `end` of a range: begin there, not 1024 bytes before the end.", most=60
)  # fmt: skip


async def get_process_log(call: Call) -> Answer:
    """A range of a log."""
    found = await call.service.read_log_range(
        call.text("name"), call.text("channel"), call.number("offset"), call.number("length")
    )
    return _document(found, call.text("encoding"))


async def get_daemon_log(call: Call) -> Answer:
    """A range of the daemon's log."""
    found = await call.service.read_main_log_range(call.number("offset"), call.number("length"))
    return _document(found, call.text("encoding"))


async def follow_process_log(call: Call) -> Answer:
    """Everything that is added to a log."""
    after = _after(call)
    pieces = await call.service.follow_log_pieces(call.text("name"), call.text("channel"), after)
    return _stream(call, pieces)


async def follow_daemon_log(call: Call) -> Answer:
    """Everything that is added to the daemon's log."""
    pieces = await call.service.follow_main_log_pieces(_after(call))
    return _stream(call, pieces)


def _document(found: Range, encoding: str) -> LogRange:
    return {
        "data": _told(found.data, encoding),
        "encoding": "base64" if encoding == "base64" else "text",
        "offset": found.offset,
        "end": found.end.offset,
        "place": str(found.end),
        "size": found.size,
    }


def _told(data: bytes, encoding: str) -> str:
    if encoding == "base64":
        return b2a_base64(data, newline=False).decode()
    return data.decode("utf-8", "replace")


def _after(call: Call) -> Place | None:
    """The place to go on from: that of the last message, else that of the query."""
    text = call.request.headers.get("last-event-id") or call.maybe("after")
    if text is None:
        return None
    place = Place.parse(text)
    if place is None:
        raise Refusal(400, "after is no place in a log; take it from a range or a message")
    return place


def _stream(call: Call, pieces: AsyncIterator[Piece]) -> Response:
    # It changes nothing, but a page of another site should not hold connections either.
    guard.check_write(call.request)
    messages = _messages(pieces, call.text("encoding"))
    return Response(200, HEADERS, call.slots.held(call.request, messages))


async def _messages(pieces: AsyncIterator[Piece], encoding: str) -> AsyncIterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    try:
        yield message("open", b"{}")
        async for piece in pieces:
            place = None if piece.place is None else str(piece.place)
            if piece.gap:
                decoder.reset()
                yield message("reset", b"{}", place)
            if encoding == "base64":
                text = _told(piece.data, encoding)
            else:
                text = decoder.decode(piece.data)
            if text:
                yield message("log", as_json({"data": text, "encoding": encoding}), place)
            elif not piece.data and not piece.gap:
                yield b":\n\n"
    finally:
        await end_stream(pieces)


_CHANNEL_TEXT = "`{channel}` is stdout or stderr."
_STREAM_TEXT = (
    "Messages: `open`; `log` with {data, encoding}, whose id is a place to go on from by"
    " Last-Event-ID or `after`; `reset` when the log was cleared or that place is gone."
)

ROUTES = (
    Route(
        "GET", "/api/v1/processes/{name}/logs/{channel}", get_process_log, "A range of a log",
        LogRange, ("read_log_range",), (_OFFSET, _LENGTH, _ENCODING), text=_CHANNEL_TEXT,
    ),
    Route(
        "GET", "/api/v1/processes/{name}/logs/{channel}/follow", follow_process_log,
        "Follow a log", STREAM, ("follow_log_pieces",), (_AFTER, _ENCODING),
        text=f"{_CHANNEL_TEXT}  {_STREAM_TEXT}",
    ),
    Route(
        "GET", "/api/v1/daemon/log", get_daemon_log, "A range of the daemon's own log", LogRange,
        ("read_main_log_range",), (_OFFSET, _LENGTH, _ENCODING),
    ),
    Route(
        "GET", "/api/v1/daemon/log/follow", follow_daemon_log, "Follow the daemon's own log",
        STREAM, ("follow_main_log_pieces",), (_AFTER, _ENCODING), text=_STREAM_TEXT,
    ),
)  # fmt: skip
