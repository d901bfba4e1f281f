"""The files of the page: plain files of the package, read when asked for, never kept in memory.

1. What may be served is what lies in `static/` and has a kind that we know; a path with a part that
   leads upwards, or anywhere else, is none.
2. A browser asks each time whether its copy is still good (ETag): after an upgrade nobody sees a
   mixture of old and new.
3. Reading happens in a thread: a disk may hang, the daemon's loop may not.
"""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

from proctor.web.request import Refusal, Request, Response

PREFIX = "/static/"
# Addresses of the original that are still asked for.
OLD_NAMES = {
    "/stylesheets/supervisor.css": "classic.css",
    "/images/icon.png": "icon.png",
    "/favicon.ico": "icon.png",
}
_ROOT = Path(__file__).parent / "static"
_KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain;charset=utf-8",
}


async def respond(request: Request) -> Response:
    """The file, or 304 when the client has it.  Raises Refusal 404."""
    name = OLD_NAMES.get(request.path) or request.path.removeprefix(PREFIX)
    loop = asyncio.get_running_loop()
    known = request.headers.get("if-none-match", "")
    return await loop.run_in_executor(None, _read, name, known)


def _read(name: str, known: str) -> Response:
    path = _ROOT.joinpath(name)
    if not _is_below(name) or path.suffix not in _KINDS:
        raise Refusal(404)
    try:
        facts = path.stat()
    except OSError:
        # Also for a name that is too long for any file.
        raise Refusal(404) from None
    if not stat.S_ISREG(facts.st_mode):
        raise Refusal(404)
    tag = f'"{facts.st_size:x}-{facts.st_mtime_ns:x}"'
    headers = (
        ("Content-Type", _KINDS[path.suffix]),
        ("ETag", tag),
        ("Cache-Control", "no-cache"),
        ("X-Content-Type-Options", "nosniff"),
    )
    if tag in (part.strip().removeprefix("W/") for part in known.split(",")):
        return Response(304, headers)
    return Response(200, headers, path.read_bytes())


def _is_below(name: str) -> bool:
    return all(part not in ("", ".", "..") and "\0" not in part for part in name.split("/"))
