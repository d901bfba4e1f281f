"""Logs followed by the JSON API: every byte once, over rotations, by whoever may read them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from proctor.client.connection import Connection
from proctor.client.sse import events
from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.programs import OBEDIENT, program
from support.rpc import ask
from support.waiting import until


class Follower:
    """A client of a log stream; `ids` are the places it was told."""

    def __init__(self, daemon: Daemon, path: str) -> None:
        connection = Connection(f"unix://{daemon.socket}", None, None)
        self._stream = connection.stream(f"/api/v1{path}")
        self.ids: list[str] = []
        self._events = events(self._stream, self.ids.append)

    def until(self, wanted: str) -> str:
        """Everything up to and with this text, with the names of other messages in brackets."""
        text = ""
        while wanted not in text:
            name, data = next(self._events)
            text += json.loads(data)["data"] if name == "log" else f"[{name}]"
        return text

    def messages(self) -> Iterator[tuple[str, str]]:
        """As they come."""
        return self._events

    def close(self) -> None:
        """Go."""
        self._stream.close()
        for _ in self._events:
            pass


def range_of(daemon: Daemon, path: str) -> Any:
    """A range, as a document."""
    return json.loads(ask(daemon.socket, path=f"/api/v1{path}").body)


def say(daemon: Daemon, text: str) -> None:
    """Let the program write a line."""
    daemon.call("supervisor.sendProcessStdin", "cat", f"echo {text}\n")


def test_a_follower_goes_on_where_a_range_ends(launch: Launch, ours: Implementation) -> None:
    """Nothing twice, nothing missed, also when the log was rotated in between."""
    daemon = launch(ours, program("cat", OBEDIENT, stdout_logfile_maxbytes="60"))
    daemon.until_state("cat", "RUNNING")
    path = "/processes/cat/logs/stdout"
    lines = [f"line {number:04d} {'x' * 20}" for number in range(6)]
    say(daemon, lines[0])
    until(lambda: range_of(daemon, path)["size"] > 30, "it has said it")
    first = range_of(daemon, f"{path}?offset=0")
    for line in lines[1:]:
        say(daemon, line)
    follower = Follower(daemon, f"{path}/follow?after={first['place']}")
    text = follower.until(f"{lines[5]}\n")
    assert text.startswith("[open]line 0001")
    assert [word for word in text.split() if word.isdigit()] == [f"{n:04d}" for n in range(1, 6)]
    place = follower.ids[-1]
    follower.close()
    say(daemon, "back")
    back = Follower(daemon, f"{path}/follow?after={place}")
    assert back.until("back\n") == "[open]back\n"
    daemon.call("supervisor.clearProcessLogs", "cat")
    say(daemon, "anew")
    assert "anew\n" in back.until("anew\n")
    back.close()
    gone = Follower(daemon, f"{path}/follow?after=1-1")
    assert gone.until("anew\n") == "[open][reset]anew\n"
    gone.close()


def test_bytes_are_told_as_they_are(launch: Launch, ours: Implementation) -> None:
    """As base64; as text, characters that come in two pieces are put together."""
    daemon = launch(ours, program("cat", OBEDIENT))
    daemon.until_state("cat", "RUNNING")
    path = "/processes/cat/logs/stdout/follow"
    text, data = Follower(daemon, path), Follower(daemon, f"{path}?encoding=base64")
    assert text.until("[open]") == data.until("[open]") == "[open]"
    daemon.call("supervisor.sendProcessStdin", "cat", r"printf '\347\214'" + "\n")
    name, piece = next(data.messages())
    assert (name, base64.b64decode(json.loads(piece)["data"])) == ("log", b"\xe7\x8c")
    daemon.call("supervisor.sendProcessStdin", "cat", r"printf '\253\n'" + "\n")
    assert text.until("\n") == "猫\n"
    text.close()
    data.close()


def test_the_log_of_the_daemon_is_followed(launch: Launch, ours: Implementation) -> None:
    """From a place as well."""
    daemon = launch(ours, program("cat"))
    daemon.until_state("cat", "RUNNING")
    end = range_of(daemon, "/daemon/log")["place"]
    follower = Follower(daemon, f"/daemon/log/follow?after={end}")
    daemon.call("supervisor.stopProcess", "cat")
    assert "stopped: cat" in follower.until("stopped: cat")
    follower.close()


def test_what_cannot_be_followed(launch: Launch, ours: Implementation) -> None:
    """Said at once."""
    daemon = launch(ours, program("cat", stderr_logfile="NONE"))

    def status(path: str, **headers: str) -> int:
        return ask(daemon.socket, path=f"/api/v1{path}", headers=headers).status

    assert status("/processes/cat/logs/stderr/follow") == 404
    assert status("/processes/cat/logs/stdin/follow") == 404
    assert status("/processes/nope/logs/stdout/follow") == 404
    assert status("/processes/cat/logs/stdout/follow?after=x") == 400
    assert status("/processes/cat/logs/stdout/follow", **{"Sec-Fetch-Site": "cross-site"}) == 403
    assert ask(daemon.socket, "HEAD", "/api/v1/daemon/log/follow").status == 405
