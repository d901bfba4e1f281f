"""Talking to a daemon as clients do: XML-RPC by the standard library, and plain HTTP bytes."""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.waiting import GENEROUS

TIMEOUT = GENEROUS


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket file."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT)
        try:
            self.sock.connect(self._path)
        except OSError:
            self.sock.close()
            raise


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = UnixConnection(self._path)
        self._connection = (host, connection)  # where Transport.close() looks for it
        return connection


class Client:
    """Every call on a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    def call(self, method: str, *arguments: object) -> Any:
        """The result of `supervisor.getState` and so on.  Raises xmlrpc.client.Fault."""
        transport = _UnixTransport(self._path)
        proxy = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=transport)
        try:
            return getattr(proxy, method)(*arguments)
        finally:
            transport.close()

    def outcome(self, method: str, *arguments: object) -> Any:
        """Like `call`, but a fault is returned as (code, text), a refusal as its HTTP status."""
        try:
            return self.call(method, *arguments)
        except xmlrpc.client.Fault as fault:
            return (fault.faultCode, fault.faultString)
        except xmlrpc.client.ProtocolError as error:
            return f"HTTP {error.errcode}"

    def state(self, name: str) -> str:
        """The name of the state a process is in."""
        return str(self.call("supervisor.getProcessInfo", name)["statename"])

    def pid(self, name: str) -> int:
        """The pid of a process; 0 if it has none."""
        return int(self.call("supervisor.getProcessInfo", name)["pid"])

    def states(self) -> dict[str, str]:
        """`group:name` -> state, for every process."""
        found = self.call("supervisor.getAllProcessInfo")
        return {f"{info['group']}:{info['name']}": str(info["statename"]) for info in found}


@dataclass(frozen=True, slots=True)
class Reply:
    """A raw HTTP answer: status and body, headers with lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    where: Path | int,
    method: str = "GET",
    path: str = "/",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    """One HTTP request to a unix socket (a path) or to a port on 127.0.0.1."""
    connection: http.client.HTTPConnection
    if isinstance(where, int):
        connection = http.client.HTTPConnection("127.0.0.1", where, timeout=TIMEOUT)
    else:
        connection = UnixConnection(str(where))
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, named, answer.read())
    finally:
        connection.close()


def raw(where: Path, data: bytes, *, enough: bytes = b"") -> bytes:
    """Send bytes to a unix socket and return what comes until the peer closes, or until `enough`
    was seen."""
    received = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(TIMEOUT)
        sock.connect(str(where))
        sock.sendall(data)
        while chunk := sock.recv(65536):
            received += chunk
            if enough and enough in received:
                break
    return received


def free_port() -> int:
    """A TCP port on loopback that nobody uses, nor will before the caller does.

    None of those that the system hands out by itself: between our look and the caller's bind it
    would give one to the next client or test that comes along.
    """
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    chance = random.SystemRandom()  # pytest-randomly gives two runs of the tests the same numbers
    while True:
        port = chance.randrange(10_000, 65_536)
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if not first <= port <= last:
                sock.bind(("127.0.0.1", port))
                return port
