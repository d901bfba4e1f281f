"""SharedSocket: the listening socket that the processes of a FastCGI program share.

It is opened when the first of them is spawned and closed when the last of them is reaped, both in
the drain thread: a host name may have to be looked up.  The keeper holds it too, so it outlives the
daemon like the processes do.  Source: compat process.md, section 9; gotcha G13.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from proctor.core.spec import SocketSpec
from proctor.daemon.activity_log import ActivityLog
from proctor.daemon.shelf import Shelf
from proctor.daemon.surroundings import LogDrain
from proctor.posix.sockets import open_fastcgi


class SharedSocket:
    """The socket of one URL within a group.  `key` names a process that uses it."""

    def __init__(
        self, spec: SocketSpec, group: str, drain: LogDrain, log: ActivityLog, shelf: Shelf
    ) -> None:
        self._spec = spec
        self._name = f"fastcgi {group} {spec.url}"
        self._drain = drain
        self._log = log
        self._shelf = shelf
        self._users: set[str] = set()  # This and the socket belong to the drain thread.
        left = shelf.take(self._name)
        self._socket = None if left is None else socket.socket(fileno=left)

    def rejoin(self, key: str) -> None:
        """This process runs already, and has the socket that an earlier daemon left."""

        def work() -> None:
            if self._socket is not None:
                self._users.add(key)

        self._drain.call(work, lambda _: None)

    def acquire(self, key: str, done: Callable[[int | str], None]) -> None:
        """Call `done` with the descriptor, which stays ours, or with why there is none."""

        def acquired(result: tuple[int, bool] | OSError) -> None:
            if isinstance(result, OSError):
                reason = result.strerror or str(result)
                done(f"Could not create FastCGI socket {self._spec.url}: {reason}")
                return
            fd, created = result
            if created:
                self._log.info(f"Creating socket {self._spec.url}")
                self._shelf.put(self._name, fd)
            done(fd)

        self._drain.call(lambda: self._acquire(key), acquired)

    def release(self, key: str) -> None:
        """This process does not use it any more."""

        def released(closed: bool | OSError) -> None:
            if closed is True:
                self._log.info(f"Closing socket {self._spec.url}")
                self._shelf.remove(self._name)

        self._drain.call(lambda: self._release(key), released)

    def _acquire(self, key: str) -> tuple[int, bool]:
        created = self._socket is None
        if self._socket is None:
            self._socket = open_fastcgi(self._spec)
        self._users.add(key)
        return self._socket.fileno(), created

    def _release(self, key: str) -> bool:
        self._users.discard(key)
        if self._users or self._socket is None:
            return False
        self._socket.close()
        self._socket = None
        return True
