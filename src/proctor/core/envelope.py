"""The line a listener reads before each event, and the tokens it answers with.

Source: compat events.md, section 2; gotcha G6 for the two lengths.
"""

from __future__ import annotations

READY = b"READY\n"
RESULT = b"RESULT "
ACCEPTED = b"OK"


def render(
    *,
    server: str,
    serial: int,
    pool: str,
    poolserial: int,
    eventname: str,
    payload: str,
    with_bytes: bool = False,
) -> bytes:
    """Header line and payload, ready to be sent.

    `len` counts characters, as Python 3 listeners read text; `with_bytes` adds a trailing field
    `bytes` for listeners that read bytes (gotcha G6).
    """
    body = payload.encode("utf-8", "surrogateescape")
    extra = f" bytes:{len(body)}" if with_bytes else ""
    header = (
        f"ver:3.0 server:{server} serial:{serial} pool:{pool} poolserial:{poolserial}"
        f" eventname:{eventname} len:{len(payload)}{extra}\n"
    )
    return header.encode("utf-8", "surrogateescape") + body
