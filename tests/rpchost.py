"""A server that says what a test tells it to: the daemon's side of a client, without a daemon."""

from __future__ import annotations

import socket
import threading
import xmlrpc.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Talk = Callable[[socket.socket], None]


@dataclass
class RpcHost:
    """`answers` maps a method to its answer: a value, or an exception from xmlrpc.client.

    `heard` lists the calls as (method, parameters).  A status other than 200 answers everything.
    """

    url: str
    answers: dict[str, Any] = field(default_factory=dict)
    heard: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    status: int = 200
    heads: list[str] = field(default_factory=list)
    connections: int = 0

    def methods(self) -> list[str]:
        """The methods that were called, in order."""
        return [method for method, _ in self.heard]

    def talk(self, sock: socket.socket) -> None:
        """Serve one connection until the client closes it."""
        self.connections += 1
        with sock.makefile("rb") as reader:
            while (line := reader.readline()) and line != b"\r\n":
                head = line
                while (line := reader.readline()) != b"\r\n":
                    assert line, "a request was cut short"
                    head += line
                self.heads.append(head.decode())
                body = reader.read(_length(head))
                sock.sendall(self._answer(body))

    def _answer(self, body: bytes) -> bytes:
        if self.status != 200:
            return b"HTTP/1.1 %d Some Reason\r\nContent-Length: 2\r\n\r\nno" % self.status
        parameters, method = xmlrpc.client.loads(body)
        name = str(method).removeprefix("supervisor.")
        self.heard.append((name, parameters))
        answer = self.answers.get(name, xmlrpc.client.Fault(1, "UNKNOWN_METHOD"))
        if not isinstance(answer, xmlrpc.client.Fault):
            answer = (answer,)
        content = xmlrpc.client.dumps(answer, methodresponse=True).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content


def _length(head: bytes) -> int:
    for line in head.decode().lower().splitlines():
        if line.startswith("content-length:"):
            return int(line.partition(":")[2])
    return 0


@contextmanager
def serving(path: Path, talk: Talk) -> Iterator[str]:
    """Serve connections on a unix socket, one thread each; the URL."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    threads: list[threading.Thread] = []
    sockets: list[socket.socket] = []

    def one(sock: socket.socket) -> None:
        with sock, suppress(OSError):
            talk(sock)

    def accept() -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                sockets.append(sock)
                threads.append(threading.Thread(target=one, args=(sock,)))
                threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield f"unix://{path}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        acceptor.join()
        listener.close()
        for sock in sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


@contextmanager
def rpc_host(directory: Path, **answers: Any) -> Iterator[RpcHost]:
    """An XML-RPC server of API version 3.0 with these answers."""
    host = RpcHost("", {"getVersion": "3.0", **answers})
    with serving(directory / "s.sock", host.talk) as url:
        host.url = url
        yield host
