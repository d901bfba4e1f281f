"""Scenario 18: hostile clients of a real daemon.

Each is refused with the right code, and afterwards the daemon is as it was: it answers at once, its
descriptors and its memory are back where they were, and its log has a line or two about it.
"""

from __future__ import annotations

import contextlib
import resource
import socket
from pathlib import Path

import pytest

from support.daemon import Daemon, Launch, open_files
from support.implementations import Implementation
from support.programs import program
from support.rpc import ask, free_port
from support.torture import daemon_pid
from support.waiting import GENEROUS, until

CALL = "<methodCall><methodName>{}</methodName><params>{}</params></methodCall>"
BOMB = (
    '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY c "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<methodCall><methodName>&c;</methodName></methodCall>"
)
DEEP = "<value><array><data>" * 20_000
HUNDRED_MEGABYTES = 100 * 1024 * 1024
MEMORY_OF_A_FEW_REQUESTS = 32 * 1024 * 1024
POST = {"Content-Type": "text/xml"}


def call(method: str, params: str = "") -> bytes:
    return CALL.format(method, params).encode()


def memory(pid: int) -> int:
    """Resident bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def answer_to_endless_header(port: int) -> bytes:
    """What the daemon says to a header of 100 MB, of which we send what it takes."""
    piece = b"x" * 1024 * 1024
    with socket.create_connection(("127.0.0.1", port), timeout=GENEROUS) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + piece)
        answer = client.recv(65536)
        with contextlib.suppress(OSError):
            for _ in range(HUNDRED_MEGABYTES // len(piece)):
                client.sendall(piece)
    return answer


@pytest.fixture
def port() -> int:
    """Where the daemon listens."""
    return free_port()


@pytest.fixture
def daemon(launch: Launch, ours: Implementation, port: int) -> Daemon:
    """One without a login, on TCP and a unix socket."""
    conf = program("cat") + f"[inet_http_server]\nport=127.0.0.1:{port}\n"
    daemon = launch(ours, conf, settings="minfds=3000\n")
    daemon.until_state("cat", "RUNNING")
    return daemon


HOSTILE: tuple[tuple[str, str, bytes | None, dict[str, str], int], ...] = (
    ("GET", "/?action=stopall", None, {"Sec-Fetch-Site": "cross-site"}, 403),
    ("POST", "/?action=stopall", b"", {"Origin": "http://evil.example"}, 403),
    ("POST", "/RPC2", call("supervisor.shutdown"), {"Origin": "http://evil.example"}, 403),
    ("POST", "/api/v1/daemon/shutdown", b"{}", {"Origin": "http://evil.example"}, 403),
    ("GET", "/", None, {"Host": "evil.example:9001"}, 403),
    ("POST", "/RPC2", BOMB.encode(), POST, 400),
    ("POST", "/RPC2", call("supervisor.getState", DEEP), POST, 400),
    ("POST", "/RPC2", b"", {"Content-Length": "-1"}, 400),
    ("POST", "/RPC2", b"", {"Content-Length": "99999999999"}, 413),
    ("GET", "/../../etc/passwd", None, {}, 404),
)


def test_what_a_hostile_client_asks_for_is_refused(daemon: Daemon, port: int) -> None:
    """And nothing has happened."""
    for method, path, body, headers, status in HOSTILE:
        assert ask(port, method, path, body, headers).status == status, (method, path, headers)
    assert daemon.client.state("cat") == "RUNNING"


def test_what_is_no_method_is_a_fault(daemon: Daemon, port: int) -> None:
    """However it is spelled."""
    for name in ("supervisor.__class__", "supervisor._service", "supervisor.a.b", "a.b.c", "__x__"):
        reply = ask(port, "POST", "/RPC2", call(name), POST)
        assert (reply.status, b"UNKNOWN_METHOD" in reply.body) == (200, True), name


def test_after_all_of_them_the_daemon_is_as_before(daemon: Daemon, port: int) -> None:
    """A header of 100 MB, 1,000 idle connections, bodies that never end, and forged log lines."""
    pid = daemon_pid(daemon.pid)
    ask(port, "POST", "/RPC2", call("supervisor.getAllProcessInfo"), POST)
    open_before, memory_before = open_files(pid), memory(pid)
    assert b" 431 " in answer_to_endless_header(port)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4096), hard), hard))
    number = min(1000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)
    with contextlib.ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=GENEROUS))
        for _ in range(20):
            client = socket.create_connection(("127.0.0.1", port), timeout=GENEROUS)
            stack.enter_context(client)
            client.sendall(b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n<")
        status = daemon.ctl("status")
        assert (status.code, status.lines[0].split()[1]) == (0, "RUNNING")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    ask(port, "GET", "/x%0aINFO%20forged", None, {"Host": "evil.example:9001"})
    until(lambda: open_files(pid) <= open_before, "the descriptors are closed")
    assert memory(pid) - memory_before < MEMORY_OF_A_FEW_REQUESTS
    assert daemon_pid(daemon.pid) == pid
    lines = daemon.log_lines()
    assert not [line for line in lines if line.startswith("INFO forged") or "Traceback" in line]
    assert len([line for line in lines if "refused" in line]) < 30
