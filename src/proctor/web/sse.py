"""Server-sent events: the bytes of one message, and the head of a stream."""

from __future__ import annotations

HEADERS = (
    ("Content-Type", "text/event-stream;charset=utf-8"),
    ("Cache-Control", "no-cache"),
    ("X-Accel-Buffering", "no"),
    ("X-Content-Type-Options", "nosniff"),
)


def message(name: str, data: bytes, number: str | None = None) -> bytes:
    """One message.  `data` is JSON, so there is no line break in it."""
    head = f"id: {number}\nevent: {name}\n" if number else f"event: {name}\n"
    return b"%bdata: %b\n\n" % (head.encode(), data)
