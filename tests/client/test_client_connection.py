"""HTTP as the client speaks it: kept connections, all kinds of body, servers that misbehave."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proctor.client.connection import Address, Connection, ProtocolError
from rpchost import rpc_host, serving
from support.waiting import GENEROUS

HEAD = b"HTTP/1.1 200 OK\r\n"


Connect = Callable[..., Connection]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes connections that are closed with the test."""
    made: list[Connection] = []

    def one(url: str, username: str | None = None, password: str | None = None) -> Connection:
        made.append(Connection(url, username, password))
        return made[-1]

    yield one
    for connection in made:
        connection.close()


def _saying(*answers: bytes, close: bool = True) -> Callable[[socket.socket], None]:
    """A server that answers each request with the next of these, whatever was asked."""

    def talk(sock: socket.socket) -> None:
        for answer in answers:
            data = b""
            while b"\r\n\r\n" not in data:
                more = sock.recv(65536)
                if not more:
                    return
                data += more
            sock.sendall(answer)
        if not close:
            sock.recv(1)

    return talk


def test_a_connection_is_kept_for_the_next_question(connect: Connect, scratch: Path) -> None:
    """Two calls, one connection."""
    with rpc_host(scratch) as host:
        connection = connect(host.url)
        body = b"<methodCall><methodName>supervisor.getVersion</methodName></methodCall>"
        assert connection.post("/RPC2", body) == connection.post("/RPC2", body)
    assert host.connections == 1
    assert host.methods() == ["getVersion"] * 2
    assert "Host: localhost" in host.heads[0]
    assert "Authorization" not in host.heads[0]


def test_a_connection_closed_meanwhile_is_noticed_before_asking(
    connect: Connect, scratch: Path
) -> None:
    """The second request goes out once, on a new connection; the first is not sent again."""
    heard = []
    served = threading.Event()

    def talk(sock: socket.socket) -> None:
        heard.append(sock.recv(65536))
        sock.sendall(HEAD + b"Content-Length: 2\r\n\r\nok")
        sock.close()
        served.set()

    with serving(scratch / "s.sock", talk) as url:
        connection = connect(url)
        assert connection.post("/RPC2", b"one") == b"ok"
        assert served.wait(GENEROUS)
        assert connection.post("/RPC2", b"two") == b"ok"
    assert [data.rpartition(b"\n")[2] for data in heard] == [b"one", b"two"]


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Content-Length: 5\r\n\r\nhello",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
        HEAD + b"\r\nhello",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello",
    ],
)
def test_every_kind_of_body(connect: Connect, scratch: Path, answer: bytes) -> None:
    """By length, in chunks, and up to the end of the connection."""
    with serving(scratch / "s.sock", _saying(answer)) as url:
        assert connect(url).post("/RPC2", b"") == b"hello"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", ConnectionResetError),
        (b"HTTP/1.1 20", ConnectionResetError),
        (HEAD + b"Content-Length: 5\r\n\r\nhel", ConnectionResetError),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", ConnectionResetError),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", ValueError),
        (b"SSH-2.0-OpenSSH_9\r\n", ProtocolError),
    ],
)
def test_servers_that_misbehave(
    connect: Connect, scratch: Path, answer: bytes, error: type[Exception]
) -> None:
    """An exception the command line can show, and no connection is kept."""
    with serving(scratch / "s.sock", _saying(answer)) as url, pytest.raises(error):
        connect(url).post("/RPC2", b"")


def test_a_server_that_answers_before_it_has_heard_all(connect: Connect, scratch: Path) -> None:
    """It hangs up on the rest of the question; its answer counts all the same."""

    def talk(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        sock.shutdown(socket.SHUT_RDWR)

    with serving(scratch / "s.sock", talk) as url, pytest.raises(ProtocolError, match="413"):
        connect(url).post("/RPC2", bytes(10_000_000))


def test_a_server_that_hangs_up(connect: Connect, scratch: Path) -> None:
    """Not a BrokenPipeError, which says that nobody reads our own output."""
    with serving(scratch / "s.sock", lambda sock: sock.shutdown(socket.SHUT_RDWR)) as url:
        with pytest.raises(ConnectionResetError):
            connect(url).post("/RPC2", bytes(10_000_000))
        with pytest.raises(ConnectionResetError):
            connect(url).stream("/mainlogtail")


def test_a_refusal_carries_its_status(connect: Connect, scratch: Path) -> None:
    """401, with the credentials that were sent."""
    with rpc_host(scratch) as host:
        host.status = 401
        connection = connect(host.url, "jörg", "geheim:1")
        with pytest.raises(ProtocolError, match="401 Some Reason") as caught:
            connection.post("/RPC2", b"")
    assert caught.value.status == 401
    assert "Authorization: Basic asO2cmc6Z2VoZWltOjE=" in host.heads[0]


def test_a_stream_gives_what_comes_and_can_be_closed_from_elsewhere(
    connect: Connect, scratch: Path
) -> None:
    """Pieces arrive one by one; closing ends the iteration."""
    chunks = HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n"
    with serving(scratch / "s.sock", _saying(chunks, close=False)) as url:
        stream = connect(url).stream("/mainlogtail")
        pieces = iter(stream)
        assert next(pieces) == b"one"
        threading.Timer(0.01, stream.close).start()
        assert list(pieces) == []


def test_tcp_servers(connect: Connect) -> None:
    """By name and by number; a port nobody listens on refuses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            sock, _ = listener.accept()
            with sock:
                _saying(HEAD + b"Content-Length: 2\r\n\r\nok")(sock)

        thread = threading.Thread(target=serve)
        thread.start()
        connection = connect(f"http://127.0.0.1:{port}/")
        assert connection.post("/RPC2", b"") == b"ok"
        thread.join()
    with pytest.raises(ConnectionRefusedError):
        connect(f"http://127.0.0.1:{port}").post("/RPC2", b"")


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("unix:///run/s.sock", "", 80, "/run/s.sock"),
        ("http://box", "box", 80, ""),
        ("http://box:9001/", "box", 9001, ""),
        ("http://user:pw@box:9001", "box", 9001, ""),
        ("http://[::1]:9001", "::1", 9001, ""),
        ("http://[::1]/", "::1", 80, ""),
    ],
)
def test_addresses(url: str, host: str, port: int, path: str) -> None:
    """Where a URL leads."""
    address = Address(url)
    assert (address.host, address.port, address.path) == (host, port, path)


@pytest.mark.parametrize(
    "url", ["ftp://x", "gopher://x", "x", "", "http://box:abc", "http://box:0"]
)
def test_urls_that_lead_nowhere(url: str) -> None:
    """Only http:// and unix://."""
    with pytest.raises(ValueError, match="serverurl"):
        Address(url)
