"""proctor events: beside a real daemon."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from support.daemon import Daemon, Launch, run
from support.implementations import Implementation
from support.programs import OBEDIENT, program
from support.relay import Relay
from support.waiting import GENEROUS, until


@contextlib.contextmanager
def following(daemon: Daemon, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """`proctor events` that listens already, and the file of what it says."""
    out = daemon.directory / "followed"
    with out.open("wb") as sink:
        child = subprocess.Popen(
            [daemon.implementation.program("proctor"), "events", "-c", str(daemon.conf), *words],
            stdout=sink,
            stderr=subprocess.STDOUT,
        )

    def listens() -> bool:
        daemon.call("supervisor.sendRemoteCommEvent", "hello", "there")
        return "hello" in out.read_text()

    try:
        until(listens, out.read_text)
        yield child, out
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()


def test_people_see_lines(launch: Launch, ours: Implementation) -> None:
    """A line for each event, its data below it; Ctrl-C ends it."""
    daemon = launch(ours, program("cat", OBEDIENT, autorestart="false"))
    daemon.until_state("cat", "RUNNING")
    with following(daemon) as (child, out):
        daemon.call("supervisor.sendProcessStdin", "cat", "exit 3\n")
        until(lambda: "EXITED" in out.read_text(), out.read_text)
        child.send_signal(signal.SIGINT)
        assert child.wait(GENEROUS) == 0
    lines = out.read_text().splitlines()
    (exited,) = (line for line in lines if "EXITED" in line)
    pattern = r"[-\d]{10} [:\d]{8}  cat +EXITED +pid \d+  from RUNNING  exit status 3  not expected"
    assert re.fullmatch(pattern, exited)
    assert "    there" in lines


def test_programs_get_json(launch: Launch, ours: Implementation) -> None:
    """An object in each line; after a restart it goes on, and says that something is missing."""
    daemon = launch(ours, program("cat", OBEDIENT))
    daemon.until_state("cat", "RUNNING")
    words = ("--json", "process_state", "REMOTE_COMMUNICATION", "SUPERVISOR_STATE_CHANGE")
    with following(daemon, *words) as (_, out):

        def told() -> list[str]:
            whole = [line for line in out.read_text().split("\n")[:-1] if line]
            return [json.loads(line).get("type", "reset") for line in whole]

        daemon.call("supervisor.restart")
        until(lambda: "reset" in told(), out.read_text)
        daemon.call("supervisor.sendRemoteCommEvent", "still", "here")
        # Those of the programs that start meanwhile may come behind it.
        until(lambda: "REMOTE_COMMUNICATION" in told()[told().index("reset") :], out.read_text)
        types = told()
    assert types[0] == "REMOTE_COMMUNICATION"
    lost = types.index("reset")
    assert types[lost - 3 : lost] == [
        "SUPERVISOR_STATE_CHANGE_STOPPING", "PROCESS_STATE_STOPPING", "PROCESS_STATE_STOPPED",
    ]  # fmt: skip


def test_a_lost_connection_loses_nothing(launch: Launch, ours: Implementation) -> None:
    """A daemon that stays while a connection breaks tells what happened meanwhile."""
    daemon = launch(ours, program("cat", OBEDIENT, autorestart="false"))
    daemon.until_state("cat", "RUNNING")
    path = daemon.directory / "relay.sock"
    with Relay(path, daemon.socket) as relay, following(daemon, "-s", f"unix://{path}") as (_, out):
        relay.close()
        daemon.call("supervisor.stopProcess", "cat")
        relay.open()
        until(lambda: "STOPPED" in out.read_text(), out.read_text)
    assert "nobody knows" not in out.read_text()


def test_what_cannot_be_followed(launch: Launch, ours: Implementation, scratch: Path) -> None:
    """Each says why."""
    command = [ours.program("proctor"), "events"]
    daemon = launch(ours)
    answer = run([*command, "-c", str(daemon.conf), "PROCESS_STAT"])
    said = "Error: no event type is called PROCESS_STAT; did you mean PROCESS_STATE?\n"
    assert (answer.code, answer.err) == (2, said)
    answer = run([*command, "-s", f"unix://{scratch}/none.sock"], cwd=scratch)
    assert answer.code == 1
    assert "cannot be reached" in answer.err
    assert run([*command, "--bad"], cwd=scratch).code == 2
    assert run([*command, "-h"], cwd=scratch).out.startswith("usage: proctor events")


def test_a_type_that_only_the_server_does_not_know() -> None:
    """One of an older version; the word itself is no hint at what was meant."""

    class Older(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(400)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Older) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        answer = run([sys.executable, "-m", "proctor", "events", "-s", url, "tick_60"])
        server.shutdown()
        thread.join()
    assert (answer.code, answer.err) == (2, "Error: this server has no event type tick_60\n")


@pytest.mark.oracle
def test_the_original_has_none(
    launch: Launch, original: Implementation, ours: Implementation
) -> None:
    """It says so, and does not hang."""
    daemon = launch(original)
    answer = run([ours.program("proctor"), "events", "-s", f"unix://{daemon.socket}"])
    assert (answer.code, answer.err.rpartition(": ")[2]) == (1, "not a Proctor\n")
