"""The line a listener reads before each event, its fields, and the tokens it answers with.

Source: compat events.md, section 2; gotcha G6 for the two lengths.
"""

from __future__ import annotations

import re

READY = b"READY\n"
RESULT = b"RESULT "
ACCEPTED = b"OK"

# A blank inside a value, as in the name of a process, belongs to the value.
_FIELD = re.compile(r"(\w+):(.*?)(?=\s\w+:|$)")


class Envelope:
    """Header line and payload of the events for one pool.

    `len` counts characters, as Python 3 listeners read text; `with_bytes` adds a trailing field
    `bytes` for listeners that read bytes (gotcha G6).
    """

    def __init__(self, server: str, pool: str, *, with_bytes: bool = False) -> None:
        self.server = server
        # The same in every event; what is between them is not.
        self._parts = f"ver:3.0 server:{server} serial:", f" pool:{pool} poolserial:"
        self._with_bytes = with_bytes

    def render(self, serial: int, poolserial: int, eventname: str, payload: str) -> bytes:
        """An event, ready to be sent."""
        server, pool = self._parts
        extra = f" bytes:{len(_encode(payload))}" if self._with_bytes else ""
        return _encode(
            f"{server}{serial}{pool}{poolserial} eventname:{eventname}"
            f" len:{len(payload)}{extra}\n{payload}"
        )


def fields_of(line: str) -> dict[str, str]:
    """What a line of `key:value` pairs says: the header, and the first line of most payloads."""
    return dict(_FIELD.findall(line))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
