"""The JSON API for users with different rights, and for those who come from nowhere."""

from __future__ import annotations

import base64
import json

import pytest

from proctor.client.connection import Connection
from proctor.client.sse import events
from proctor.core.passwords import hashed
from support.daemon import Daemon, Launch
from support.implementations import proctor
from support.programs import program
from support.rpc import Reply, ask, free_port

PASSWORD = "hunter2"
HASH = hashed(PASSWORD.encode(), b"0123456789abcdef")


class Door:
    """A daemon with a TCP port where everybody logs in."""

    def __init__(self, daemon: Daemon, port: int) -> None:
        self.daemon = daemon
        self.port = port

    def ask(self, user: str, method: str, path: str) -> Reply:
        """A request with a login."""
        login = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        return ask(self.port, method, path, None if method == "GET" else b"", headers)

    def status(self, user: str, method: str, path: str) -> int:
        """The status of the answer."""
        return self.ask(user, method, path).status


@pytest.fixture(scope="module")
def door(launch_shared: Launch) -> Door:
    """A viewer, an operator of `web` only, and an administrator."""
    port = free_port()
    configuration = f"[inet_http_server]\nport=127.0.0.1:{port}\n\n"
    for user, more in (
        ("vera", "role=view\nlogs=off"),
        ("otto", "role=operate\ngroups=web"),
        ("anna", "role=admin"),
    ):
        configuration += f"[user:{user}]\npassword_hash={HASH}\n{more}\n\n"
    daemon = launch_shared(proctor(), configuration + program("web") + program("mail"))
    daemon.until_state("web", "RUNNING")
    return Door(daemon, port)


def test_a_viewer_sees_and_touches_nothing(door: Door) -> None:
    """The refusal is a problem with the name of the fault, and a line in the log."""
    assert door.status("vera", "GET", "/api/v1/processes") == 200
    assert door.status("vera", "GET", "/metrics") == 200
    assert door.status("vera", "GET", "/api/v1/processes/web/logs/stdout") == 403
    reply = door.ask("vera", "POST", "/api/v1/processes/web/stop")
    problem = json.loads(reply.body)
    assert (reply.status, problem["fault"]) == (403, "FORBIDDEN")
    assert "needs the role operate" in problem["detail"]
    assert door.status("vera", "POST", "/api/v1/configuration/reread") == 403
    door.daemon.until_logged("audit: vera .*stop_process web: FORBIDDEN")


def test_who_is_confined_sees_and_does_what_is_theirs(door: Door) -> None:
    """The rest is not there for them, also not as numbers."""
    listed = json.loads(door.ask("otto", "GET", "/api/v1/processes").body)
    assert [each["id"] for each in listed["processes"]] == ["web"]
    assert b"mail" not in door.ask("otto", "GET", "/metrics").body
    assert b"mail" not in door.ask("otto", "GET", "/api/v1/groups").body
    assert door.status("otto", "GET", "/api/v1/processes/mail") == 403
    assert door.status("otto", "GET", "/api/v1/processes?name=mail") == 404
    assert door.status("otto", "POST", "/api/v1/processes/web/restart") == 200
    assert door.status("otto", "GET", "/api/v1/processes/web/logs/stdout") == 200
    assert door.status("otto", "GET", "/api/v1/daemon/log") == 403
    assert door.status("otto", "POST", "/api/v1/daemon/shutdown") == 403


def test_an_administrator_does_everything(door: Door) -> None:
    """Who it was is in the log."""
    assert door.status("anna", "POST", "/api/v1/configuration/apply") == 200
    assert door.status("anna", "POST", "/api/v1/groups/mail/restart") == 200
    door.daemon.until_logged("audit: anna .*stop_process_group mail: 1 OK")


def test_a_stranger_gets_a_problem(door: Door) -> None:
    """And is asked for a login."""
    reply = door.ask("mallory", "GET", "/api/v1/processes")
    assert reply.status == 401
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["www-authenticate"].startswith("Basic")


def test_who_is_confined_is_told_the_usage_of_theirs(door: Door) -> None:
    """The stream remembers whose it is; the answer has left the door long ago."""
    connection = Connection(f"http://127.0.0.1:{door.port}", "otto", PASSWORD)
    stream = connection.stream("/api/v1/events?types=usage_sampled")
    told = events(stream)
    name, data = next(told)
    assert (name, list(json.loads(data)["usage"])) == ("USAGE_SAMPLED", ["web"])
    stream.close()
    for _ in told:
        pass
