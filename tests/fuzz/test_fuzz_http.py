"""Any bytes on a connection: an answer that is HTTP or none, a healthy server, no trace of a bug.

Bounded here; `make explore` looks further with another seed.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.waiting import GENEROUS
from webhost import Served, a_call, a_get, a_post

STATE = a_post(a_call("supervisor.getState"))
METHODS = (
    "supervisor.getState",
    "supervisor.__class__",
    "system.multicall",
    "a.b.c",
    "proctor.diff",
)
WHOLE = st.sampled_from(
    [
        STATE,
        a_get("/"),
        a_get("/ok.html", "Connection: close"),
        a_get("/api/v1/processes?state=RUNNING"),
        a_get("/tail.html?processname=cat&limit=x"),
        a_get("/logtail/cat", version="1.0"),
        a_post(b"processname=cat&action=stop", path="/index.html"),
        *(a_post(a_call(name, "<array><data/></array>")) for name in METHODS),
    ]
)
PIECES = st.sampled_from(
    [
        *(b"\r\n ", b"\n", b"\r\n\r\n", b"GET ", b"POST ", b"PUT ", b"/", b"/RPC2 ", b"/%00%0a "),
        *(b"HTTP/1.1\r\n", b"HTTP/1.0\r\n", b"HTTP/9\r\n", b"Host: x\r\n", b"Host:\r\n"),
        *(b"Content-Length: -1\r\n", b"Content-Length: 5\r\n", b"Content-Length: 99999999999\r\n"),
        *(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"fffffffff\r\n"),
        *(b"Authorization: Basic ====\r\n", b"Authorization: Bearer \xff\r\n"),
        *(b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"Upgrade: h2c\r\n"),
        *(b"Sec-Fetch-Site: none\r\n", b"Range: bytes=5-1\r\n", b"\x00", b"\xff\xfe", b":"),
    ]
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all of it: what one client does must not matter to the next."""
    directory = Path(tmp_path_factory.mktemp("fuzz"))
    served = Served(directory)
    yield served
    served.close()


def cut(data: bytes, where: float) -> bytes:
    return data[: int(len(data) * where)]


MUTILATED = st.builds(
    lambda before, whole, where, inside, after: before + cut(whole, where) + inside + after,
    st.just(b"") | PIECES,
    WHOLE,
    st.just(1.0) | st.floats(0, 1),
    st.lists(PIECES, max_size=3).map(b"".join) | st.binary(max_size=20),
    st.just(b"") | WHOLE,
)
MADE_UP = st.lists(PIECES, max_size=12).map(b"".join) | st.binary(max_size=300)


def conversation(served: Served, data: bytes) -> bytes:
    """All that comes back until the server closes; we close our half first."""
    received = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(GENEROUS)
        client.connect(served.path)
        with contextlib.suppress(ConnectionError):
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while more := client.recv(65536):
                received += more
    return received


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MUTILATED | MADE_UP)
def test_whatever_comes_is_answered_in_http_or_not_at_all(served: Served, data: bytes) -> None:
    """And the next client is served."""
    answer = conversation(served, data)
    assert answer == b"" or answer.startswith(b"HTTP/1.")
    assert not [line for line in served.lines if "Traceback" in line or "uncaught" in line]
    served.lines.clear()
    assert b" 200 OK" in conversation(served, STATE)
    assert served.service.followers == 0
