"""The JSON API beside a real daemon: each thing one can ask, allowed, refused and malformed."""

from __future__ import annotations

import base64
import importlib.metadata
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.programs import OBEDIENT, program
from support.rpc import Reply, ask
from support.waiting import until

JSON = {"Content-Type": "application/json"}


class Api:
    """Asks one daemon."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon

    def reply(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """Whatever comes."""
        data = None if body is None else json.dumps(body).encode()
        sent = {**(JSON if method not in ("GET", "HEAD") else {}), **headers}
        return ask(self.daemon.socket, method, f"/api/v1{path}", data, sent)

    def get(self, path: str) -> Any:
        """The document at a path."""
        reply = self.reply("GET", path)
        assert (reply.status, reply.headers["content-type"]) == (200, "application/json"), reply
        return json.loads(reply.body)

    def post(self, path: str, body: object = None) -> Any:
        """The document that answers an order."""
        reply = self.reply("POST", path, body)
        assert reply.status == 200, reply
        return json.loads(reply.body)

    def problem(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """The problem document that answers."""
        reply = self.reply(method, path, body, **headers)
        assert reply.headers["content-type"] == "application/problem+json", reply
        document = json.loads(reply.body)
        assert document["status"] == reply.status
        return document


def results(document: Any) -> list[tuple[str, str]]:
    """(id, fault or OK) of each."""
    return [(each["id"], each["fault"] or "OK") for each in document["results"]]


@pytest.fixture(scope="module")
def api(launch_shared: Launch) -> Api:
    """A daemon with a program, a group of two, and one that cannot be started."""
    from support import implementations

    programs = (
        program("cat", OBEDIENT, autostart="false", environment='SECRET="hush",PLAIN="1"')
        + program("web", OBEDIENT, numprocs="2", process_name="web_%(process_num)d")
        + program("bad", "/no/such/program", autostart="false")
    )
    daemon = launch_shared(implementations.proctor(), programs)
    daemon.until_state("web:web_0", "RUNNING")
    daemon.until_state("web:web_1", "RUNNING")
    return Api(daemon)


@pytest.fixture
def cat(api: Api) -> Api:
    """The daemon, while `cat` runs."""
    api.reply("POST", "/processes/cat/start", {})
    api.daemon.until_state("cat", "RUNNING")
    return api


def test_the_daemon_tells_who_it_is(api: Api) -> None:
    """With how many processes are in which state."""
    told = api.get("/daemon")
    assert (told["pid"], told["state"]) == (api.daemon.pid, "RUNNING")
    assert told["version"] == importlib.metadata.version("proctor")
    assert told["identifier"] == api.daemon.identifier
    assert sum(told["processes"].values()) == 4


def test_processes_are_told_by_name_and_state(api: Api) -> None:
    """All of them by group and name, or those that were asked for."""
    ids = [each["id"] for each in api.get("/processes")["processes"]]
    assert ids == ["bad", "cat", "web:web_0", "web:web_1"]
    ids = [each["id"] for each in api.get("/processes?name=web:*,cat,web:web_1")["processes"]]
    assert ids == ["cat", "web:web_0", "web:web_1"]
    found = api.get("/processes?state=RUNNING&name=web:*")["processes"]
    assert {each["state"] for each in found} == {"RUNNING"}
    assert api.problem("GET", "/processes?name=nope")["fault"] == "BAD_NAME"
    assert api.problem("GET", "/processes?state=running")["status"] == 400
    assert "did you mean state?" in api.problem("GET", "/processes?stat=RUNNING")["detail"]


def test_a_process_says_everything_about_itself(cat: Api) -> None:
    """Also how it ended the last time, and how often it was started."""
    before = cat.get("/processes/cat")
    assert before["state"] == "RUNNING"
    assert before["pid"] == cat.daemon.client.pid("cat")
    cat.post("/processes/cat/stdin", {"data": "exit 3\n"})
    cat.daemon.until_state("cat", "RUNNING")
    until(lambda: cat.get("/processes/cat")["restarts"] == before["restarts"] + 1, "it is back")
    after = cat.get("/processes/cat")
    ended = after["last_exit"]
    assert (ended["code"], ended["signal"], ended["expected"]) == (3, None, False)
    assert ended["text"] == "exit status 3"
    assert after["start"] >= before["start"]
    assert after["stop"] > before["start"]


def test_what_processes_use_is_measured_when_asked_for(cat: Api) -> None:
    """Null for one without a child."""
    cat.post("/processes/web:web_1/stop")
    used = {each["id"]: each["usage"] for each in cat.get("/processes?usage=1")["processes"]}
    assert used["cat"]["rss"] > 100_000
    assert used["web:web_1"] is None
    assert "usage" not in cat.get("/processes/cat")
    assert cat.get("/processes/cat?usage=true")["usage"]["cpu_seconds"] >= 0
    cat.post("/processes/web:web_1/start")


def test_start_stop_restart_and_signal(cat: Api) -> None:
    """A single process: the fault of the XML-RPC interface is the problem."""
    assert cat.problem("POST", "/processes/cat/start", {})["fault"] == "ALREADY_STARTED"
    pid = cat.get("/processes/cat")["pid"]
    assert results(cat.post("/processes/cat/restart")) == [("cat", "OK")]
    assert cat.get("/processes/cat")["pid"] != pid
    assert results(cat.post("/processes/cat/signal", {"signal": "CONT"})) == [("cat", "OK")]
    assert cat.problem("POST", "/processes/cat/signal", {"signal": "NOPE"})["fault"] == "BAD_SIGNAL"
    assert cat.problem("POST", "/processes/cat/signal", {})["status"] == 400
    assert results(cat.post("/processes/cat/stop")) == [("cat", "OK")]
    assert cat.get("/processes/cat")["last_exit"]["expected"] is True
    stopped = cat.problem("POST", "/processes/cat/stop")
    assert (stopped["fault"], stopped["code"], stopped["status"]) == ("NOT_RUNNING", 70, 409)
    assert cat.problem("POST", "/processes/cat/stdin", {"data": ""})["fault"] == "NOT_RUNNING"
    assert cat.problem("POST", "/processes/bad/start", {})["fault"] == "NO_FILE"
    assert cat.problem("POST", "/processes/no:such/start", {})["status"] == 404


def test_several_at_once(cat: Api) -> None:
    """A result for each; what cannot be done is told there."""
    told = cat.post("/actions/start", {"names": ["cat", "nope", "bad", "web:*"]})
    assert results(told) == [("cat", "ALREADY_STARTED"), ("nope", "BAD_NAME"), ("bad", "NO_FILE")]
    told = cat.post("/actions/restart", {"names": ["cat", "web:*"]})
    assert sorted(results(told)) == [("cat", "OK"), ("web:web_0", "OK"), ("web:web_1", "OK")]
    told = cat.post("/actions/signal", {"names": ["cat"], "signal": 18})
    assert results(told) == [("cat", "OK")]
    assert len(cat.post("/actions/clear-logs", {"names": ["web:*"]})["results"]) == 2
    told = cat.post("/actions/stop", {"all": True, "wait": False})
    assert sorted(results(told)) == [("cat", "OK"), ("web:web_0", "OK"), ("web:web_1", "OK")]
    for name in ("cat", "web:web_0", "web:web_1"):
        cat.daemon.until_state(name, "STOPPED")
    cat.post("/actions/start", {"all": True})
    for body in ({}, {"names": ["cat"], "all": True}, {"names": "cat"}, {"all": "yes"}):
        assert cat.problem("POST", "/actions/stop", body)["status"] == 400


def test_groups(api: Api) -> None:
    """Act on one, take it away, bring it back."""
    assert api.get("/groups/web")["processes"] == ["web:web_0", "web:web_1"]
    assert [each["name"] for each in api.get("/groups")["groups"]] == ["bad", "cat", "web"]
    assert api.problem("DELETE", "/groups/web")["fault"] == "STILL_RUNNING"
    assert api.problem("PUT", "/groups/web")["fault"] == "ALREADY_ADDED"
    assert len(api.post("/groups/web/stop")["results"]) == 2
    assert api.reply("DELETE", "/groups/web").status == 200
    assert api.problem("GET", "/groups/web")["fault"] == "BAD_NAME"
    assert api.reply("PUT", "/groups/web").status == 200
    assert len(api.post("/groups/web/restart")["results"]) == 2
    assert len(api.post("/groups/web/signal", {"signal": "CONT"})["results"]) == 2
    assert api.post("/groups/web/update")["results"] == []
    assert api.post("/configuration/reread") == {"added": [], "changed": [], "removed": []}


def test_the_configuration_is_compared_and_taken_over(launch: Launch, ours: Implementation) -> None:
    """The plan of `diff` is what `apply` does; files with mistakes are refused."""
    daemon = launch(ours, program("old"))
    api = Api(daemon)
    nothing: dict[str, list[object]] = {
        "removed": [],
        "changed": [],
        "added": [],
        "settings": [],
        "problems": [],
    }
    assert api.get("/configuration/diff") == nothing
    daemon.configure(program("new"))
    plan = api.get("/configuration/diff")
    assert [each["group"] for each in plan["removed"] + plan["added"]] == ["old", "new"]
    assert api.post("/configuration/apply") == plan
    assert [each["id"] for each in api.get("/processes")["processes"]] == ["new"]
    daemon.configure("[program:broken]\n")
    refused = api.problem("GET", "/configuration/diff")
    assert (refused["status"], refused["fault"]) == (422, "CANT_REREAD")
    assert "broken" in refused["detail"]
    assert api.problem("POST", "/configuration/apply")["fault"] == "CANT_REREAD"


def test_of_the_environment_only_names_are_told(api: Api) -> None:
    """Values may be secrets (rule 10); the place in the file is told."""
    told = api.get("/processes/cat/configuration")
    assert told["environment"] == ["PLAIN", "SECRET"]
    assert told["origin"].startswith(f"{api.daemon.conf}:")
    assert told["options"]["autostart"] is False
    assert b"hush" not in api.reply("GET", "/processes/cat/configuration").body
    assert b"hush" not in api.reply("GET", "/configuration").body


def test_logs_are_told_byte_for_byte(launch: Launch, ours: Implementation, scratch: Path) -> None:
    """NUL, half characters and escapes: as base64 to the byte, as text always readable (row 11)."""
    data = b"\x00\x1b[31m\xff\xe7\x8c" + "猫\n".encode() + b"end"
    (scratch / "said").write_bytes(data)
    daemon = launch(ours, program("say", f"/bin/sh -c 'cat {scratch}/said; exec sleep 99'"))
    api = Api(daemon)
    until(lambda: api.get("/processes/say/logs/stdout")["size"] == len(data), "it has said it")
    told = api.get("/processes/say/logs/stdout?encoding=base64&offset=1&length=9")
    assert base64.b64decode(told["data"]) == data[1:10]
    assert (told["offset"], told["end"], told["size"]) == (1, 10, len(data))
    told = api.get("/processes/say/logs/stdout?offset=-7")
    assert (told["data"], told["offset"]) == ("猫\nend", len(data) - 7)
    assert "\ufffd" in api.get("/processes/say/logs/stdout?offset=0")["data"]
    assert api.get("/processes/say/logs/stdout?offset=999")["data"] == ""
    assert api.problem("GET", "/processes/say/logs/nope")["fault"] == "NO_FILE"
    assert api.problem("GET", "/processes/say/logs/stdout?length=-1")["status"] == 400
    assert api.problem("GET", "/processes/say/logs/stdout?length=x")["status"] == 400
    assert "supervisord started" in api.get("/daemon/log")["data"]
    assert api.reply("DELETE", "/processes/say/logs").status == 200
    assert api.get("/processes/say/logs/stdout")["size"] == 0


def test_what_is_no_request_of_the_api(api: Api) -> None:
    """Problem documents say what is wrong."""
    assert api.problem("GET", "/nope")["status"] == 404
    refused = api.reply("DELETE", "/processes/cat/stop")
    assert (refused.status, refused.headers["allow"]) == (405, "POST")
    assert api.reply("PUT", "/processes").headers["allow"] == "GET, HEAD"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert api.problem("POST", "/actions/stop", {"all": True}, **form)["status"] == 415
    for body in (b"{", b"[]", b"[" * 100_000, b'{"all": NaN}', b"\xff"):
        reply = ask(api.daemon.socket, "POST", "/api/v1/actions/stop", body, JSON)
        assert reply.status == 400, body[:10]
    assert api.problem("POST", "/processes/cat/stop", **{"Origin": "http://evil"})["status"] == 403
    head = api.reply("HEAD", "/processes")
    assert (head.status, head.body) == (200, b"")


def test_what_a_run_wrote(launch: Launch, ours: Implementation) -> None:
    """Also of one that is over; of a run that never was, nothing."""
    daemon = launch(ours, program("cat", OBEDIENT, autorestart="false"))
    daemon.until_state("cat", "RUNNING")
    api = Api(daemon)
    api.post("/processes/cat/stdin", {"data": "echo first\nexit 0\n"})
    daemon.until_state("cat", "EXITED")
    api.post("/processes/cat/start")
    api.post("/processes/cat/stdin", {"data": "echo second\n"})
    until(lambda: api.get("/processes/cat/output")["text"] == "second\n", "it has said it")
    told = api.get("/processes/cat/output?run=-1")
    assert (told["text"], told["channel"], told["complete"]) == ("first\n", "stdout", True)
    runs = api.get("/history?since=1")["runs"]
    assert [(run["process"], run.get("ending")) for run in runs] == [
        ("cat", "exit status 0"), ("cat", None),
    ]  # fmt: skip
    assert api.get("/processes/cat/history?limit=1")["runs"][0]["run"] == runs[1]["run"]
    assert api.problem("GET", "/processes/cat/output?run=-7")["fault"] == "BAD_NAME"
    assert api.problem("GET", "/processes/cat/output?channel=stdin")["status"] == 400


def test_an_upgrade_that_cannot_be_is_refused(launch: Launch, ours: Implementation) -> None:
    """With the reason; nobody knows of a ticket that was never given."""
    api = Api(launch(ours, settings="keeper=false\n"))
    refused = api.problem("POST", "/daemon/upgrade")
    assert (refused["fault"], "keeper" in refused["detail"]) == ("FAILED", True)
    assert api.get("/daemon/upgrade/nonsense")["stage"] == "unknown"


def test_the_end_of_the_daemon(launch: Launch, ours: Implementation) -> None:
    """Who looks is told that it ends; who wants something more is refused."""
    stubborn = "/bin/sh -c 'trap \"\" TERM; while :; do sleep 0.1; done'"
    daemon = launch(ours, program("stubborn", stubborn, stopwaitsecs="600"))
    daemon.until_state("stubborn", "RUNNING")
    api = Api(daemon)
    until(lambda: _ignores_term(api.get("/processes/stubborn")["pid"]), "it is stubborn")
    assert api.post("/daemon/shutdown") == {"ok": True}
    assert api.get("/daemon")["state"] == "SHUTDOWN"
    assert api.get("/processes/stubborn")["state"] == "STOPPING"
    assert api.reply("GET", "/processes").status == 200
    for path in ("/processes/stubborn/start", "/daemon/restart", "/actions/signal"):
        body = {"all": True, "signal": "HUP"} if path == "/actions/signal" else {}
        refused = api.problem("POST", path, body)
        assert (refused["status"], refused["fault"]) == (503, "SHUTDOWN_STATE")
    assert ask(daemon.socket, path="/readyz").body == b"supervisord SHUTDOWN\n"
    assert ask(daemon.socket, path="/livez").status == 200
    os.kill(api.get("/processes/stubborn")["pid"], signal.SIGKILL)
    assert daemon.wait() == 0


def _ignores_term(pid: int) -> bool:
    mask = re.search(r"SigIgn:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
    return mask is not None and bool(int(mask[1], 16) & 1 << signal.SIGTERM - 1)


def test_a_restart_is_refused_for_files_with_mistakes(launch: Launch, ours: Implementation) -> None:
    """Nothing stops; with good files everything begins again."""
    daemon = launch(ours, program("cat"))
    daemon.until_state("cat", "RUNNING")
    api = Api(daemon)
    pid = api.get("/processes/cat")["pid"]
    daemon.configure("[program:broken]\n")
    assert api.problem("POST", "/daemon/restart")["fault"] == "CANT_REREAD"
    assert api.get("/processes/cat")["pid"] == pid
    daemon.configure(program("cat"))
    assert api.post("/daemon/restart") == {"ok": True}
    until(lambda: api.get("/processes/cat")["pid"] not in (None, pid), "it is another one")
