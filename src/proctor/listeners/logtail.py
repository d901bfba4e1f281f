"""The end of a program's logs, as it is added to a mail.

1. The mail matters more: whatever goes wrong here, and however long it takes, there is a text,
   if only an empty one.
2. Lines are quoted, so that a line with a single dot, or one that looks like a header, ends
   nothing and says nothing to a mail program.
"""

from __future__ import annotations

import threading

from proctor.client.server import Server
from proctor.listeners import loop

DEFAULT_BYTES = 4096

_PATIENCE = 5.0


def log_tail(group: str, name: str, limit: int) -> str:
    """What to put after the text of a mail: "" when there is nothing, or nobody to ask.

    `limit` is in bytes, for each of stdout and stderr; 0 asks for nothing.
    """
    if limit <= 0 or not loop.is_supervised():
        return ""
    found: list[str] = []
    # The daemon may be stuck: it is given some seconds, then the mail goes without.
    asking = threading.Thread(target=_ask, args=(f"{group}:{name}", limit, found), daemon=True)
    asking.start()
    asking.join(_PATIENCE)
    return "".join(found[:])


def _ask(name: str, limit: int, found: list[str]) -> None:
    server = loop.daemon()
    for channel in ("stdout", "stderr"):
        try:
            text = _read(server, channel, name, limit)
        except loop.RPC_TROUBLE:
            continue
        if text.strip():
            lines = "".join(f"\n> {line}" for line in text.strip("\n").splitlines())
            found.append(f"\n\nLast lines of {channel} of {name}:\n{lines}")
    server.close()


def _read(server: Server, channel: str, name: str, limit: int) -> str:
    match server.call(f"tailProcess{channel.capitalize()}Log", name, 0, limit):
        # What begins in the middle of a line is not a line; unless it is the only one.
        case [str(text), int(size), _] if size > limit and "\n" in text.rstrip("\n"):
            return text.partition("\n")[2]
        case [str(text), *_]:
            return text
        case odd:
            raise ValueError(f"unexpected answer {odd!r}")
