"""supervisorctl with standard streams that are closed, full, or of another encoding."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rpchost import rpc_host, serving
from support.daemon import Answer, Daemon, Launch, run
from support.implementations import Implementation
from support.programs import OBEDIENT, program
from support.waiting import GENEROUS

Shell = Callable[..., Answer]


@pytest.fixture
def shell(scratch: Path, ours: Implementation) -> Shell:
    """Run `CTL <words>` by sh, before a server with one process."""
    info = {"group": "日志", "name": "日志", "state": 20, "statename": "RUNNING", "description": ""}

    def one(words: str, env: dict[str, str] | None = None) -> Answer:
        with rpc_host(scratch, getAllProcessInfo=[info]) as host:
            ctl = f"{ours.program('supervisorctl')} -s {host.url} {words}"
            answer = run(["sh", "-c", ctl], cwd=scratch, env=env)
        (scratch / "s.sock").unlink()
        return answer

    return one


def test_output_that_cannot_be_written(shell: Shell) -> None:
    """A line about it, and a failure."""
    answer = shell("status >/dev/full")
    assert (answer.code, answer.err) == (1, "Error: cannot go on: No space left on device\n")


@pytest.mark.parametrize(("words", "code"), [("status >&-", 0), ("<&-", 0), ("-x 2>&-", 2)])
def test_closed_streams(shell: Shell, words: str, code: int) -> None:
    """What nobody wants to see is not shown; what nobody can type is the end of input."""
    answer = shell(words)
    assert (answer.code, answer.err) == (code, "")


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"},
        {"PYTHONIOENCODING": "ascii"},
    ],
)
def test_names_that_the_terminal_cannot_show(shell: Shell, env: dict[str, str]) -> None:
    """Escaped; not an error."""
    answer = shell("status", env)
    assert (answer.code, answer.out.split()) == (0, [r"\u65e5\u5fd7", "RUNNING"])


def test_input_that_is_no_text(shell: Shell, scratch: Path) -> None:
    """Strange bytes make an unknown action, not a traceback."""
    (scratch / "in").write_bytes(b"st\xff\n")
    answer = shell("<in", {"PYTHONIOENCODING": "utf-8:strict"})
    assert (answer.code, answer.err) == (0, "")
    assert "*** Unknown syntax: st" in answer.out


def test_a_server_that_hangs_up_is_no_silent_failure(scratch: Path, ours: Implementation) -> None:
    """Only our own reader may leave without a word."""
    with serving(scratch / "s.sock", lambda sock: sock.close()) as url:
        answer = run([ours.program("supervisorctl"), "-s", url, "version"], cwd=scratch)
    assert answer.code == 1
    assert answer.out.startswith("error: <class 'ConnectionResetError'>, ")
    assert answer.out.count("\n") == 1
    assert answer.err.startswith("hint: supervisord has closed the connection without an answer")


def test_nobody_reads_what_a_process_says(launch: Launch, ours: Implementation) -> None:
    """`supervisorctl fg x | head -1`: no traceback of any thread."""
    daemon: Daemon = launch(ours, "[program:cat]\ncommand=/bin/cat\nstartsecs=0\n")
    daemon.until_state("cat", "RUNNING")
    fg = f"seq 100 | {ours.program('supervisorctl')} -c {daemon.conf} fg cat | head -1"
    answer = run(["sh", "-c", fg])
    assert (answer.lines, answer.err) == (["==> Press Ctrl-C to exit <=="], "")


@pytest.mark.parametrize(
    ("command", "names"), [("restart cat dog", ("cat", "dog")), ("restart pets:*", ("pets:fish",))]
)
def test_what_nobody_reads_is_done(
    launch: Launch, ours: Implementation, command: str, names: tuple[str, ...]
) -> None:
    """`supervisorctl restart x | true` leaves nobody stopped."""
    programs = "".join(program(name, OBEDIENT) for name in ("cat", "dog", "fish"))
    daemon = launch(ours, f"{programs}[group:pets]\nprograms=fish\n")
    for name in names:
        daemon.until_state(name, "RUNNING")
    before = {name: daemon.client.pid(name) for name in names}
    reading, writing = os.pipe()
    os.close(reading)
    ctl = [ours.program("supervisorctl"), "-c", str(daemon.conf), *command.split()]
    done = subprocess.run(ctl, stdout=writing, stderr=subprocess.PIPE, timeout=GENEROUS)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")
    for name in names:
        assert daemon.client.state(name) in ("STARTING", "RUNNING")
        assert daemon.client.pid(name) != before[name]


def _stream(content: bytes) -> Callable[[socket.socket], None]:
    """A server whose stream of events holds this."""

    def talk(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + content)

    return talk


def test_nobody_reads_the_events(scratch: Path, ours: Implementation) -> None:
    """`proctor events | head -1` ends without a traceback."""
    event = b'event: TICK_5\ndata: {"time": 0, "fields": {}, "payload": ""}\n\n'
    with serving(scratch / "s.sock", _stream(event * 10000)) as url:
        events = f"{ours.program('proctor')} events -s {url} | head -1"
        answer = run(["sh", "-c", events], cwd=scratch)
    assert "TICK_5" in answer.out
    assert answer.err == ""


@pytest.mark.parametrize("data", ["nonsense", "{}", "[]"])
def test_events_of_something_else(scratch: Path, ours: Implementation, data: str) -> None:
    """A line, no traceback."""
    with serving(scratch / "s.sock", _stream(f"event: x\ndata: {data}\n\n".encode())) as url:
        answer = run([ours.program("proctor"), "events", "-s", url], cwd=scratch)
    assert answer.code == 1
    assert answer.err.startswith(f"{url} cannot tell of events: ")
    assert answer.err.count("\n") == 1
