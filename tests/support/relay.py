"""A unix socket in front of another one, whose connections a test can break."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path


class Relay:
    """Passes bytes both ways between clients of `path` and the server at `target`."""

    def __init__(self, path: Path, target: Path) -> None:
        self._path = path
        self._target = target
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Relay:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Let clients in."""
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(str(self._path))
        server.listen()
        self._sockets.append(server)
        self._run(self._accept, server)

    def close(self) -> None:
        """Break every connection, and let nobody in."""
        self._path.unlink(missing_ok=True)
        # The thread that lets clients in comes first: after it nothing is added any more.
        for each, thread in zip(self._sockets[:1], self._threads[:1], strict=True):
            _wake(each)
            thread.join(10)
        for each in self._sockets:
            _wake(each)
        for thread in self._threads:
            thread.join(10)
        for each in self._sockets:
            each.close()
        self._sockets.clear()
        self._threads.clear()

    def _accept(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                upstream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._sockets += [client, upstream]
                upstream.connect(str(self._target))
                self._run(_pass, client, upstream)
                self._run(_pass, upstream, client)

    def _run(self, work: object, *sockets: socket.socket) -> None:
        thread = threading.Thread(target=work, args=sockets, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()


def _wake(sock: socket.socket) -> None:
    """Whoever waits for it in another thread; closing alone does not."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _pass(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    _wake(sink)
