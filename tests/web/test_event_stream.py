"""/api/v1/events: what happens is told to whoever follows, and costs nothing otherwise."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from proctor.api.event_feed import MAX_WAITING
from proctor.api.happenings import MAX_KEPT
from proctor.client.connection import Connection, Stream
from proctor.client.sse import events
from proctor.core.events import (
    Event,
    GroupChanged,
    GroupReshaped,
    ProcessSpawned,
    ProcessStateChanged,
    RemoteCommunication,
    Tick,
)
from proctor.core.states import ProcessState
from proctor.web.rest.events import PATH
from proctor.web.slots import MAX_STREAMS
from support.waiting import until
from webhost import Served, a_get, read_reply

STARTED = ProcessStateChanged("p", "g", ProcessState.RUNNING, ProcessState.STARTING, pid=7)
STOPPED = ProcessStateChanged("p", "g", ProcessState.STOPPED, ProcessState.STOPPING, pid=7)
ADDED = GroupChanged("g", added=True)


class Follower:
    """A client that follows; `next` is one event, once it has come."""

    def __init__(self, served: Served, query: str = "") -> None:
        connection = Connection(f"unix://{served.path}", None, None)
        self.stream: Stream = connection.stream(PATH + query)
        self._events = events(self._pieces())
        self.comments: list[bytes] = []
        self.ids: list[str] = []

    def _pieces(self) -> Iterator[bytes]:
        for piece in self.stream:
            if piece.startswith(b":"):
                self.comments.append(piece)
            self.ids += [line[4:].decode() for line in piece.split(b"\n") if line[:4] == b"id: "]
            yield piece

    def close(self) -> None:
        """Go."""
        self.stream.close()
        for _ in self._events:
            pass  # what was under way; at the end the socket is closed

    def next(self) -> tuple[str, Any]:
        """(event, data)."""
        name, data = next(self._events)
        return name, json.loads(data)


def followers(served: Served) -> bool:
    """Whether anybody hears of events."""
    return served.on_loop(lambda: served.service.feed.followers > 0)


def publish(served: Served, *happening: Event) -> None:
    """All of it in one step of the loop."""

    def all_of_it() -> None:
        for event in happening:
            served.bus.publish(event)

    served.on_loop(all_of_it)


def test_what_happens_is_told(served: Served) -> None:
    """With its type, its time, its first line as fields, and its payload."""
    follower = Follower(served)
    until(lambda: followers(served), "it listens")
    publish(served, STARTED, Tick(5, 1700000000), RemoteCommunication("猫", "a\n\nb: \udcff"))
    name, data = follower.next()
    assert name == data["type"] == "PROCESS_STATE_RUNNING"
    assert data["payload"] == STARTED.payload
    assert data["fields"] == {
        "processname": "p", "groupname": "g", "from_state": "STARTING", "pid": "7",
    }  # fmt: skip
    assert data["time"] > 1.7e9
    name, data = follower.next()
    assert (name, data["fields"]) == ("REMOTE_COMMUNICATION", {"type": "猫"})
    assert data["payload"] == "type:猫\na\n\nb: \udcff"
    (comment,) = follower.comments
    assert comment == b": listening\nid: %b-0\n\n" % follower.ids[0].partition("-")[0].encode()
    follower.close()


def test_who_comes_back_is_told_what_was_missed(served: Served) -> None:
    """By the id of the last message, in the header or the query, and only once."""
    follower = Follower(served)
    until(lambda: followers(served), "it listens")
    publish(served, STARTED)
    follower.next()
    last = follower.ids[-1]
    follower.close()
    until(lambda: not followers(served), "it is gone")
    publish(served, STOPPED, RemoteCommunication("not", "kept"), Tick(5, 10), ADDED)
    back = Follower(served, f"?after={last}")
    until(lambda: followers(served), "it listens")
    publish(served, STARTED)
    names = [back.next()[0] for _ in range(3)]
    assert names == ["PROCESS_STATE_STOPPED", "PROCESS_GROUP_ADDED", "PROCESS_STATE_RUNNING"]
    back.close()
    with served.unix() as client:
        client.sendall(a_get(PATH + "?types=PROCESS_GROUP", f"Last-Event-ID: {last}"))
        read_reply(client)
        seen = b""
        while b"GROUP_ADDED" not in seen:
            seen += client.recv(4096)
        assert b"STOPPED" not in seen


@pytest.mark.parametrize("unknown", ["0-0", "nonsense", "", "7-" + "9" * 40])
def test_who_was_away_too_long_is_told_to_look_again(served: Served, unknown: str) -> None:
    """So is who knows the events of another daemon."""
    follower = Follower(served, f"?after={unknown}")
    name, data = follower.next()
    assert name == "reset"
    publish(served, STARTED)
    assert follower.next()[0] == "PROCESS_STATE_RUNNING"
    follower.close()
    again = Follower(served, f"?after={data['event']}")
    assert again.next()[0] == "PROCESS_STATE_RUNNING"
    again.close()


def test_only_so_many_are_kept(served: Served) -> None:
    """The last thousand, whatever happens."""
    cursor = served.on_loop(served.service.feed.happenings.cursor)
    publish(served, *[STARTED] * MAX_KEPT)
    known = served.service.feed.happenings.since(cursor)
    assert known is not None
    assert len(known) == MAX_KEPT
    publish(served, STARTED)
    assert served.service.feed.happenings.since(cursor) is None


def test_messages_say_how_things_are(served: Served) -> None:
    """A process with its view, a group with those of its processes."""
    follower = Follower(served)
    until(lambda: followers(served), "it listens")
    publish(served, STARTED, ADDED, ProcessSpawned("p", "g", 7), GroupReshaped("g"))
    assert follower.next()[1]["process"] == {"id": "g:p"}
    assert follower.next()[1]["processes"] == []
    name, data = follower.next()
    assert (name, data["process"]) == ("NOTE_PROCESS_SPAWNED", {"id": "g:p"})
    assert follower.next()[1]["group"] == "g"
    follower.close()


def test_types_are_chosen(served: Served) -> None:
    """By name, with all that descend from them, in any case."""
    follower = Follower(served, "?types=tick,remote_communication")
    until(lambda: served.on_loop(lambda: served.bus.wants("TICK_5")), "it listens")
    publish(served, STARTED, Tick(5, 10), RemoteCommunication("a", ""))
    assert [follower.next()[0] for _ in range(2)] == ["TICK_5", "REMOTE_COMMUNICATION"]
    follower.close()


def test_who_reads_too_slowly_is_told_what_is_missing(served: Served) -> None:
    """The oldest go; those that are left come in order."""
    follower = Follower(served)
    until(lambda: followers(served), "it listens")
    extra = 250
    publish(served, *(RemoteCommunication(str(n), "") for n in range(MAX_WAITING + extra)))
    assert follower.next() == ("dropped", {"dropped": extra})
    left = [follower.next()[1]["fields"]["type"] for _ in range(MAX_WAITING)]
    assert left == [str(n) for n in range(extra, MAX_WAITING + extra)]
    follower.close()


def test_nothing_is_left_of_those_who_went(served: Served) -> None:
    """Nobody is told any more; only the last events are kept, for those who come back."""
    assert not followers(served)
    many = [Follower(served) for _ in range(3)]
    until(lambda: followers(served), "they listen")
    for follower in many:
        follower.close()
    until(lambda: not followers(served), "nobody listens")


def test_silence_is_broken_by_comments(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a client whose network died is noticed."""
    monkeypatch.setattr("proctor.api.event_feed.HEARTBEAT", 0.05)
    with served.unix() as client:
        client.sendall(a_get(PATH))
        reply = read_reply(client)
        assert reply.headers["Content-Type"] == "text/event-stream;charset=utf-8"
        seen = b""
        while seen.count(b":\n\n") < 2:
            seen += client.recv(4096)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (a_get(f"{PATH}?types=PROCESS_STAT"), 400),
        (a_get(PATH, "Sec-Fetch-Site: cross-site"), 403),
        (b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 415),
    ],
)
def test_what_is_refused(served: Served, request_: bytes, status: int) -> None:
    """A type that is none, a page of another site, another method."""
    assert served.ask(request_).status == status
    assert not followers(served)


def test_a_login_is_asked_for(serve: Callable[..., Served]) -> None:
    """As everywhere else."""
    assert serve(username="u", password="p").ask(a_get(PATH)).status == 401


def test_there_is_room_for_the_unix_socket(served: Served) -> None:
    """However many follow over TCP."""
    clients: list[socket.socket] = []
    for _ in range(MAX_STREAMS):
        clients.append(served.tcp())
        clients[-1].sendall(a_get(PATH))
        assert read_reply(clients[-1]).status == 200
        # It counts once it listens.
        while b"listening" not in clients[-1].recv(4096):
            pass
    assert served.ask(a_get(PATH)).status == 503
    follower = Follower(served)
    publish(served, STARTED)
    assert follower.next()[0] == "PROCESS_STATE_RUNNING"
    follower.close()
    for client in clients:
        client.close()
