"""The daemon's own listening sockets, kept over its death: who connects meanwhile is served later.

The name under which the keeper holds one says what it listens to; for a unix socket also which file
that is, since somebody may have removed the file or put another one in its place.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

from proctor.core.settings import ServerSettings
from proctor.daemon.shelf import Shelf
from proctor.posix import sockets

_HTTP = "http "


def open_servers(
    servers: Sequence[ServerSettings], shelf: Shelf, note: Callable[[str], None]
) -> list[tuple[ServerSettings, socket.socket]]:
    """A listening socket for each, the one that was left where there is one.

    Raises sockets.CannotListen.
    """
    wanted = {_name(server) for server in servers}
    for name in shelf.left(_HTTP):
        if name not in wanted:
            _end(name, shelf)
    return [(server, _open(server, shelf, note)) for server in servers]


def forget_servers(servers: Sequence[ServerSettings], shelf: Shelf) -> None:
    """The daemon ends in order: nobody is to connect any more."""
    for server in servers:
        shelf.remove(_name(server))


def _open(server: ServerSettings, shelf: Shelf, note: Callable[[str], None]) -> socket.socket:
    fd = shelf.take(_name(server))
    if fd is not None:
        return sockets.take_over(server, socket.socket(fileno=fd))
    sock = sockets.open_server(server, note)
    shelf.put(_name(server), sock.fileno())
    return sock


def _name(server: ServerSettings) -> str:
    if server.file is None:
        return f"{_HTTP}{server.host}:{server.port}"
    return f"{_HTTP}{sockets.identity(server.file)} {server.file}"


def _end(name: str, shelf: Shelf) -> None:
    """Stop listening at once, not only when the keeper has closed its copy: the address may be
    wanted.
    """
    fd = shelf.take(name)
    if fd is not None:
        with socket.socket(fileno=fd) as sock:
            path = sock.getsockname() if sock.family == socket.AF_UNIX else ""
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        shelf.remove(name)
        if path and name == f"{_HTTP}{sockets.identity(path)} {path}":
            sockets.remove(path, sockets.identity(path))
