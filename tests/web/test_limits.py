"""Hostile and clumsy clients: each is refused or dropped, and others are served meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import time
from collections.abc import Callable

import pytest

from proctor.web.house import Limits
from support.waiting import until
from webhost import Served, a_call, a_get, a_post, an_info, read_reply

Serve = Callable[..., Served]
STATE = a_post(a_call("supervisor.getState"))


def end_of(client: socket.socket) -> bytes:
    """All that comes until the server closes."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while more := client.recv(65536):
            data += more
    return data


def test_a_thousand_idle_connections_shut_nobody_out(served: Served) -> None:
    """Scenario 18.  The longest idle ones make room; unix and TCP clients are served at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4096), hard), hard))
    number = min(1000, (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200) // 2)
    with contextlib.ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(served.tcp())
        assert served.ask(STATE).status == 200
        assert served.ask(STATE, unix=True).status == 200
        limits = served.servers.limits
        assert served.on_loop(lambda: len(served.servers.connections)) <= limits.connections
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    until(lambda: not served.servers.connections, "all connections to end")


def test_busy_tcp_clients_leave_slots_to_the_unix_socket(serve: Serve) -> None:
    """No connection is idle: TCP is refused with 503, unix is not."""
    served = serve(limits=Limits(connections=8, kept_for_unix=4))
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            client = stack.enter_context(served.tcp())
            client.sendall(a_post(a_call("supervisor.startProcess", "slow")))
        until(lambda: len(served.service.calls) == 4, "four waiting calls")
        with served.tcp() as refused:
            assert b"503 Service Unavailable" in end_of(refused)
        assert served.ask(STATE, unix=True).status == 200
        served.service.released.set()
        assert read_reply(client).status == 200
    assert any("503" in line for line in served.lines)


def test_running_out_of_descriptors_is_one_complaint_and_passes(served: Served) -> None:
    """Connections wait in the kernel meanwhile; nothing spins, and all are answered afterwards."""
    complaints: list[object] = []

    def complain(_: object, context: dict[str, object]) -> None:
        complaints.append(context["message"])

    served.on_loop(lambda: asyncio.get_running_loop().set_exception_handler(complain))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    clients = [socket.socket() for _ in range(8)]
    began = time.monotonic()
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(c.fileno() for c in clients), hard))
    try:
        for client in clients:
            client.connect(("127.0.0.1", served.port))
            client.sendall(STATE)
        until(lambda: complaints, "a complaint")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for client in clients:
        assert read_reply(client).status == 200
        client.close()
    # asyncio looks again after a second.
    assert len(complaints) <= 3 + time.monotonic() - began


def test_one_peer_does_not_get_all_slots(serve: Serve) -> None:
    """Its own idle connections make room for its new ones."""
    served = serve(limits=Limits(per_peer=2))
    with served.tcp() as first, served.tcp(), served.tcp() as third:
        assert end_of(first) == b""
        third.sendall(STATE)
        assert read_reply(third).status == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", None),
        (b"GET / HTTP/1.1\r\nHost: x", 408),
        (STATE[:-10], 408),
    ],
)
def test_a_slow_client_is_not_waited_for_forever(
    serve: Serve, data: bytes, status: int | None
) -> None:
    """Silence is closed; half a head or half a body is told why."""
    served = serve(limits=Limits(head_timeout=0.05, body_timeout=0.05))

    def answer() -> bytes:
        with served.tcp() as client:
            client.sendall(data)
            return end_of(client)

    if status is None:
        assert answer() == b""
    else:
        # Again when we were slower than we wanted to be, and the time was up before the first byte.
        until(lambda: f" {status} ".encode() in answer(), f"{status}")


def test_a_head_that_trickles_in_has_no_more_time_than_others(serve: Serve) -> None:
    """Scenario 18: each byte in time, but never the last one."""
    served = serve(limits=Limits(head_timeout=0.2))

    def answer() -> bytes:
        with served.tcp() as client:
            client.sendall(b"GET / HTTP/1.1\r\n")
            client.settimeout(0.02)
            while True:
                client.sendall(b"X")
                with contextlib.suppress(TimeoutError):
                    return client.recv(65536)

    until(lambda: b" 408 " in answer(), "408")


def test_a_kept_connection_is_closed_when_idle_for_long(serve: Serve) -> None:
    """Without a word, as HTTP has it."""
    served = serve(limits=Limits(idle_timeout=0.05))
    with served.tcp() as client:
        client.sendall(STATE)
        assert read_reply(client).status == 200
        assert end_of(client) == b""


def test_an_answer_that_takes_long_is_not_cut_off(serve: Serve) -> None:
    """Time-outs are for clients that we wait for, not for those that wait for us."""
    served = serve(limits=Limits(body_timeout=0.02, idle_timeout=0.02))
    with served.tcp() as waiting, served.tcp() as late:
        waiting.sendall(a_post(a_call("supervisor.startProcess", "slow")))
        until(lambda: served.service.calls, "the call")
        late.sendall(STATE[:-10])
        assert b" 408 " in end_of(late)
        served.service.released.set()
        assert read_reply(waiting).status == 200


def test_a_client_that_reads_nothing_is_dropped(serve: Serve) -> None:
    """Its answer is not kept for ever; the others do not notice."""
    served = serve(limits=Limits(write_timeout=0.1))
    served.service.infos = [an_info(f"p{number}") for number in range(5000)]
    with served.tcp() as client:
        until(lambda: len(served.servers.connections) == 1, "the connection")
        client.sendall(a_post(a_call("supervisor.getAllProcessInfo")))
        until(lambda: not served.servers.connections, "the connection to be dropped")
    assert served.ask(STATE).status == 200


def test_a_client_that_reads_slowly_gets_everything(serve: Serve) -> None:
    """As long as it reads at all."""
    served = serve()
    served.service.infos = [an_info(f"p{number}") for number in range(5000)]
    with served.tcp() as client:
        client.sendall(a_post(a_call("supervisor.getAllProcessInfo"), "Connection: close"))
        answer = b""
        while data := client.recv(8192):
            answer += data
    assert answer.endswith(b"</methodResponse>\n")
    assert answer.count(b"<name>pid</name>") == 5000


def pour_into(client: socket.socket) -> bool:
    """As much as goes in at once; whether nothing did."""
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            sent += client.send(b"x" * 65536)
    return sent == 0


def test_what_is_sent_ahead_is_bounded(serve: Serve) -> None:
    """A client that never reads its answers cannot make us keep its questions."""
    served = serve(limits=Limits(ahead=1000))
    with served.tcp() as client:
        client.sendall(a_post(a_call("supervisor.startProcess", "slow")))
        client.setblocking(False)
        (connection,) = until(lambda: served.servers.connections, "the connection")
        until(lambda: pour_into(client) and not connection._transport.is_reading(), "a full pipe")
        assert len(connection._incoming.ahead) < 1_000_000


def test_big_bodies_share_a_bound(serve: Serve) -> None:
    """Many clients with a big body each do not fill our memory."""
    served = serve(limits=Limits(bodies=1_000_000))
    head = a_get("/RPC2", "Content-Length: 900000", method="POST")
    with served.tcp() as first, served.tcp() as second:
        first.sendall(head)
        until(lambda: any(c.body_size for c in served.servers.connections), "the first body")
        second.sendall(head)
        assert b" 503 " in end_of(second)


def test_log_streams_are_bounded(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gotcha G80; the unix socket is not shut out by others."""
    monkeypatch.setattr("proctor.web.slots.MAX_STREAMS", 2)
    served = serve()
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            client = stack.enter_context(served.tcp())
            client.sendall(a_get("/mainlogtail"))
            assert read_reply(client).status == 200
        assert served.ask(a_get("/mainlogtail")).status == 503
        assert served.ask(a_get("/mainlogtail"), unix=True).status == 200
    until(lambda: served.ask(a_get("/mainlogtail")).status == 200, "the followers to end")


def test_clients_that_vanish_leave_nothing(served: Served) -> None:
    """Scenario 16: in mid-head, mid-body, mid-call and mid-stream."""
    parts = (b"", b"GET / HT", STATE[:-5], STATE, a_get("/mainlogtail"))
    slow = a_post(a_call("supervisor.startProcess", "slow"))
    for data in (*parts, slow):
        with served.tcp() as client:
            client.sendall(data)
    served.service.released.set()
    until(lambda: not served.servers.connections, "all connections to end")
    until(lambda: served.service.followers == 0, "the followers to end")


def test_refusals_are_one_line_and_never_a_flood(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger cannot fill the disk with our complaints about it."""
    monkeypatch.setattr("proctor.web.complaints.INTERVAL", 3600.0)
    for _ in range(20):
        assert served.ask(a_get("/x%0ay", "Host: evil.example:9001")).status == 403
    (line,) = [line for line in served.lines if "refused" in line]
    assert "WARN refused GET /x\\ny from 127.0.0.1:" in line
