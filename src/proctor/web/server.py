"""HttpServers: the listening sockets of the daemon, one application, one set of slots.

When all slots are taken the longest idle connection makes room, so that clients which only sit
there shut nobody out.  TCP clients never get the slots kept for unix sockets, nor one peer all
others.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from functools import partial

from proctor.config.certificates import why_not
from proctor.core.settings import ServerSettings
from proctor.core.values import dataclass
from proctor.daemon.activity_log import ActivityLog
from proctor.posix import sockets
from proctor.web.complaints import Complaints
from proctor.web.connection import Connection
from proctor.web.house import Limits
from proctor.web.request import AsgiApp
from proctor.web.tls import Certificates


@dataclass(frozen=True, slots=True)
class _Listener:
    settings: ServerSettings
    sock: socket.socket
    identity: tuple[int, int] | None
    certificates: Certificates | None


class HttpServers:
    """All servers of the daemon."""

    def __init__(self, app: AsgiApp, log: ActivityLog, limits: Limits | None = None) -> None:
        self.app = app
        self.log = log
        self.limits = limits or Limits()
        self.complaints = Complaints(log)
        self.connections: set[Connection] = set()
        self._listeners: list[_Listener] = []
        self._servers: list[asyncio.Server] = []

    def add(self, settings: ServerSettings, sock: socket.socket, asks: bool = False) -> None:
        """A listening socket, ours from now on.  Says so loudly unless it `asks` for a login.

        Raises CannotListen when its certificate cannot be used.
        """
        identity = sockets.identity(settings.file) if settings.file else None
        certificates = _certificates(settings)
        self._listeners.append(_Listener(settings, sock, identity, certificates))
        if not asks and not settings.peer_roles:
            # Audits grep for these words.
            self.log.critical(
                f"Server '{settings.section}' running without any HTTP authentication checking"
            )

    async def start(self) -> None:
        """Accept connections on every socket that was added."""
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            # asyncio accepts as often as the backlog says, in one go, and complains as often when
            # descriptors run out.  So one at a time for it, and all that can wait for the kernel.
            server = await loop.create_server(
                partial(Connection, self, listener.settings, listener.certificates),
                sock=listener.sock,
                backlog=1,
            )
            listener.sock.listen(socket.SOMAXCONN)
            self._servers.append(server)

    def renew_certificates(self, now: Iterable[ServerSettings]) -> None:
        """Read them again, from where the configuration says `now`; may be called in a thread.

        One that cannot be read is left as it was, with a line in the log.
        """
        wanted = {settings.section: settings.tls for settings in now}
        for listener in self._listeners:
            if listener.certificates is None:
                continue
            try:
                listener.certificates.renew(wanted.get(listener.settings.section))
            except OSError as error:
                name = listener.settings.section
                self.log.error(f"[{name}] goes on with its old certificate: {why_not(error)}")

    async def finish(self, seconds: float) -> None:
        """Accept nobody any more, and let requests under way be answered, for so long at most.

        Streams have no end of their own; `close` cuts them off.
        """
        for server in self._servers:
            server.close()
        for connection in list(self.connections):
            if connection.is_idle:
                connection.close()
        answers = [a for c in self.connections if (a := c.answering) is not None]
        if answers:
            await asyncio.wait(answers, timeout=seconds)

    def close(self, leave: bool = False) -> None:
        """Close every socket and connection, and remove the socket files that are still ours.

        `leave` the files: another daemon goes on with the sockets.
        """
        for server in self._servers:
            server.close()
        for connection in list(self.connections):
            connection.close()
        for listener in self._listeners:
            listener.sock.close()
            if listener.settings.file and not leave:
                sockets.remove(listener.settings.file, listener.identity)
        self._servers.clear()
        self._listeners.clear()

    def admit(self, newcomer: Connection) -> bool:
        """Find a slot, at the cost of an idle connection if need be."""
        limits = self.limits
        if newcomer.settings.file is not None:
            rivals = [*self.connections]
            there_is_room = _room_among(rivals, limits.connections)
        else:
            rivals = [other for other in self.connections if other.settings.file is None]
            peers = [other for other in rivals if other.client[0] == newcomer.client[0]]
            there_is_room = _room_among(peers, limits.per_peer) and _room_among(
                rivals, limits.connections - limits.kept_for_unix
            )
        if there_is_room:
            self.connections.add(newcomer)
        return there_is_room

    def may_bring(self, size: int) -> bool:
        """Whether it fits beside the bodies under way; small ones always do."""
        under_way = (connection.body_size for connection in self.connections)
        return size <= self.limits.head or sum(under_way) <= self.limits.bodies

    def leave(self, connection: Connection) -> None:
        """Its slot is free again."""
        self.connections.discard(connection)


def _certificates(settings: ServerSettings) -> Certificates | None:
    """Raises CannotListen: as the user that we have become we may not read the key."""
    if settings.tls is None:
        return None
    try:
        return Certificates(settings.tls)
    except OSError as error:
        text = f"[{settings.section}] certfile or keyfile cannot be used: {why_not(error)}"
        raise sockets.CannotListen(text) from error


def _room_among(rivals: list[Connection], limit: int) -> bool:
    if len(rivals) < limit:
        return True
    idle = [connection for connection in rivals if connection.is_idle]
    if idle:
        min(idle, key=lambda connection: connection.idle_since).close()
    return bool(idle)
