"""Slots: how many endless streams there may be.

Each is a connection, perhaps a timer and a slow reader.  The unix socket is never shut out by
others.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from proctor.web.request import Refusal, Request, end_stream

MAX_STREAMS = 100


class Slots:
    """The streams of one kind, of all servers."""

    def __init__(self) -> None:
        self.taken = 0

    def held(self, request: Request, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same stream; it counts from its first piece to its end.  Raises Refusal 503."""
        if self.taken >= MAX_STREAMS and not request.over_unix:
            raise Refusal(503, "too many streams are open")
        return self._counted(chunks)

    async def _counted(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self.taken += 1
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            self.taken -= 1
            await end_stream(chunks)
