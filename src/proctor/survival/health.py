"""Whether this daemon is one that users can talk to: asked at its own front door."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from proctor.core.settings import ServerSettings

_QUESTION = b"GET /ok.html HTTP/1.0\r\nHost: localhost\r\n\r\n"


async def wait_until_answered(servers: Sequence[ServerSettings]) -> None:
    """Ask each of them, and wait for its answer, whatever that is.  Raises OSError."""
    for server in servers:
        if server.file is not None:
            reader, writer = await asyncio.open_unix_connection(server.file)
        else:
            reader, writer = await asyncio.open_connection(server.host or "127.0.0.1", server.port)
        try:
            writer.write(_QUESTION)
            line = await reader.readline()
            # One that speaks TLS says good-bye instead; that is an answer, too.
            if server.tls is None and not line.startswith(b"HTTP/1."):
                raise ConnectionError(f"no answer at [{server.section}]")
        finally:
            writer.close()
