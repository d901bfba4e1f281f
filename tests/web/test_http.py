"""HTTP as raw bytes: versions, connections, bodies, garbage.  Source: compat xmlrpc.md, 2."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable

import pytest

from support.waiting import until
from webhost import Served, a_call, a_get, a_post, read_reply

STATE = a_call("supervisor.getState")


def is_closed(client: socket.socket) -> bool:
    """Whether the server has said good-bye and nothing more."""
    return client.recv(1) == b""


def test_every_reply_says_who_and_when(served: Served) -> None:
    """Server and Date first; then type and length, as the original has them."""
    reply = served.ask(a_post(STATE))
    assert list(reply.headers) == ["Server", "Date", "Content-Type", "Content-Length"]
    assert reply.headers["Server"] == "Medusa/1.12"
    assert reply.headers["Content-Type"] == "text/xml"
    assert time.strptime(reply.headers["Date"], "%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    ("version", "headers", "kept", "says"),
    [
        ("1.1", (), True, None),
        ("1.1", ("Connection: close",), False, None),
        ("1.0", (), False, None),
        ("1.0", ("Connection: keep-alive",), True, "Keep-Alive"),
        ("1.0", ("Connection: Keep-Alive",), True, "Keep-Alive"),
    ],
)
def test_connections_are_kept_as_the_client_wishes(
    served: Served, version: str, headers: tuple[str, ...], kept: bool, says: str | None
) -> None:
    """The version is echoed."""
    with served.tcp() as client:
        client.sendall(a_post(STATE, *headers, version=version))
        reply = read_reply(client)
        assert reply.version == f"HTTP/{version}"
        assert reply.headers.get("Connection") == says
        if kept:
            client.sendall(a_post(STATE, *headers, version=version))
            assert read_reply(client).status == 200
        else:
            assert is_closed(client)


def test_requests_sent_ahead_are_answered_in_order(served: Served) -> None:
    """Pipelining, also cut in odd places."""
    calls = [a_post(a_call("supervisor.getPID")), a_get("/ok.html"), a_post(STATE)] * 5
    data = b"".join(calls)
    with served.tcp() as client:
        for start in range(0, len(data), 97):
            client.sendall(data[start : start + 97])
        replies = [read_reply(client) for _ in calls]
    assert [reply.headers["Content-Type"] for reply in replies] == [
        "text/xml",
        "text/plain",
        "text/xml",
    ] * 5


def test_an_empty_line_between_requests_is_skipped(served: Served) -> None:
    """Some clients end a body with one that its length does not count."""
    with served.tcp() as client:
        for _ in range(3):
            client.sendall(a_post(STATE) + b"\r\n")
            assert read_reply(client).status == 200


def test_a_request_may_come_byte_by_byte(served: Served) -> None:
    """Half requests are just requests that have not come yet."""
    with served.tcp() as client:
        for byte in a_post(STATE):
            client.sendall(bytes([byte]))
        assert read_reply(client).status == 200


def test_a_client_may_half_close_and_still_be_answered(served: Served) -> None:
    """As `printf ... | nc -N` does; also when the answer takes its time."""
    for connect in (served.tcp, served.unix):
        with connect() as client:
            client.sendall(a_post(a_call("supervisor.startProcess", "slow")))
            client.shutdown(socket.SHUT_WR)
            until(lambda: served.service.calls, "the call")
            served.service.released.set()
            assert read_reply(client).status == 200
            assert is_closed(client)
        served.service.calls.clear()


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_hand_made_clients_need_no_host(served: Served, end: bytes) -> None:
    """The original has never asked for one, whatever the version; not for the second either."""
    for start in (b"", end):
        for version in (b"1.0", b"1.1"):
            data = start + b"GET /ok.html HTTP/" + version + end + b"X: y" + end + end
            with served.tcp() as client:
                client.sendall(data[:9])
                client.sendall(data[9:] + data)
                assert read_reply(client).body == b"OK"
                if version == b"1.1":
                    assert read_reply(client).body == b"OK"


def test_head_has_no_body(served: Served) -> None:
    """The original sends one, which breaks the next reply."""
    with served.tcp() as client:
        client.sendall(a_get("/", method="HEAD"))
        assert read_reply(client, head_only=True).status == 404
        client.sendall(a_get("/stylesheets/supervisor.css", method="HEAD"))
        reply = read_reply(client, head_only=True)
        assert (reply.status, reply.headers["Content-Type"]) == (200, "text/css")
        client.sendall(a_get("/ok.html"))
        assert read_reply(client).body == b"OK"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (a_get("/RPC2"), 400),
        (a_get("/", method="PUT"), 400),
        (a_get("*", method="OPTIONS"), 400),
        (a_get("/nope"), 404),
        (a_get("/../../etc/passwd"), 404),
        (a_get("/%2e%2e/etc/passwd"), 404),
        (a_get("http://foo/ok.html"), 404),
        (a_get("/RPC2", method="POST"), 411),
        (a_get("/", method="POST"), 411),
        (a_get("/RPC2", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n", 411),
        (a_get("/ok.html", "Host: one", "Host: two"), 400),
        (a_get("/ok.html", "Bad Header: x"), 400),
        (a_post(STATE, "Content-Length: 1"), 400),
        (a_get("/ok.html", "X: " + "x" * 1_000_000), 431),
        (a_post(b"", "X-Real-Length: 9").replace(b"Length: 0", b"Length: 9999999999"), 413),
    ],
)
def test_wrong_requests_have_their_numbers(served: Served, data: bytes, status: int) -> None:
    """And the body of the original."""
    reply = served.ask(data)
    assert reply.status == status
    assert reply.headers["Content-Type"] == "text/html"
    assert f"<p>Error code {status}.\r\n<p>Message: {reply.reason}.".encode() in reply.body


@pytest.mark.parametrize("data", [b"garbage\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n"])
def test_garbage_is_not_answered(served: Served, data: bytes) -> None:
    """Source: compat xmlrpc.md, section 2."""
    with served.tcp() as client:
        client.sendall(data)
        assert is_closed(client)


def test_chunked_bodies_are_refused_however_long(served: Served) -> None:
    """The refusal arrives although the client goes on sending."""
    with served.tcp() as client:
        client.sendall(a_get("/RPC2", "Transfer-Encoding: chunked", method="POST"))
        with contextlib.suppress(ConnectionError):
            for _ in range(50):
                client.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        assert read_reply(client).status == 411


def test_a_client_that_waits_for_permission_gets_it(served: Served) -> None:
    """curl asks before bodies of a megabyte."""
    with served.tcp() as client:
        head, body = a_post(STATE, "Expect: 100-continue").split(b"\r\n\r\n", 1)
        client.sendall(head + b"\r\n\r\n")
        assert read_reply(client).status == 100
        client.sendall(body)
        assert read_reply(client).status == 200


def test_a_stream_begins_at_once_and_ends_with_its_reader(served: Served) -> None:
    """Chunked for 1.1, bare for 1.0 (gotcha G25); nobody follows a log for a client that left."""
    service = served.service
    cases: list[tuple[str, Callable[[], socket.socket], bytes]] = [
        ("1.1", served.tcp, b"b\r\nlast words\n\r\n"),
        ("1.0", served.unix, b"last words\n"),
    ]
    for version, connect, expected in cases:
        for path in (
            "/logtail/cat",
            "/logtail/web%3Aweb_0/stderr",
            "/mainlogtail",
            "/mainlogtailx",
        ):
            with connect() as client:
                client.sendall(a_get(path, version=version))
                reply = read_reply(client)
                assert reply.headers["Content-Type"] == "text/plain;charset=utf-8"
                assert client.recv(100) == expected
                assert service.followers == 1
            until(lambda: service.followers == 0, "the follower to end")


def test_a_client_that_has_closed_its_side_gets_what_there_is(served: Served) -> None:
    """It cannot be seen leaving, so its stream does not stay open."""
    with served.tcp() as client:
        client.sendall(a_get("/mainlogtail", version="1.0"))
        client.shutdown(socket.SHUT_WR)
        reply = b""
        while data := client.recv(1000):
            reply += data
        assert reply.endswith(b"\r\n\r\nlast words\n")


@pytest.mark.parametrize("path", ["/logtail", "/logtail/", "/logtail/nope", "/logtail/web%3A*",
                                  "/logtail/cat/nope", "/logtail/cat/stdout/x"])  # fmt: skip
def test_what_cannot_be_followed_is_404(served: Served, path: str) -> None:
    """Gotcha G75 for the first two."""
    assert served.ask(a_get(path)).status == 404


def test_the_access_line_is_written_at_trace(served: Served) -> None:
    """Like the original's; a unix client is localhost:0."""
    served.ask(a_post(STATE, "Connection: close"), unix=True)
    until(lambda: any("TRAC" in line for line in served.lines), "the access line")
    line = next(line for line in served.lines if "TRAC" in line)
    assert "TRAC localhost:0 - - [" in line
    assert '] "POST /RPC2 HTTP/1.1" 200 ' in line


def test_any_asgi_application_can_be_served(serve: Callable[..., Served]) -> None:
    """The seam: the server knows nothing of ours."""

    async def hello(scope: object, receive: object, send: Callable[..., object]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[misc]
        await send({"type": "http.response.body", "body": b"hello"})  # type: ignore[misc]

    assert serve(app=hello).ask(a_get("/x")).body == b"hello"


def test_an_application_that_fails_costs_its_connection_only(serve: Callable[..., Served]) -> None:
    """And leaves one line in the log."""

    async def broken(scope: object, receive: object, send: object) -> None:
        raise RuntimeError("oops")

    served = serve(app=broken)
    with served.tcp() as client:
        client.sendall(a_get("/"))
        assert is_closed(client)
    assert len([line for line in served.lines if "oops" in line]) == 1
