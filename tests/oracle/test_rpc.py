"""The XML-RPC interface and the HTTP around it: results, faults, status codes, headers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from oracle.compare import assert_same, plain, side_by_side
from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.rpc import ask, free_port, raw
from support.waiting import until

pytestmark = pytest.mark.oracle

PROGRAMS = """\
[program:cat]
command=/bin/cat
startsecs=0
stdout_logfile=%(here)s/cat.log
stderr_logfile=NONE

; KILL: the original loses other signals between fork and exec.
[program:idle]
command=/bin/cat
autostart=false
startsecs=0
stopsignal=KILL

[program:missing]
command=/nonexistent/program
autostart=false
startretries=0

[program:words]
command=/bin/sh -c "printf 'hello world\\n'; printf 'oops\\n' >&2; exec cat"
startsecs=0
redirect_stderr=false

[program:a]
command=/bin/cat
startsecs=0
stopsignal=KILL

[program:b]
command=/bin/cat
startsecs=0
stopsignal=KILL

[group:g]
programs=a,b
"""

OFFSETS = [0, 1, 5, 8, 11, 12, 13, 100, -1, -5, -100]
LENGTHS = [0, 1, 5, 7, 12, 100, -1]

CALLS: list[tuple[object, ...]] = [
    ("supervisor.getAPIVersion",),
    ("supervisor.getVersion",),
    ("supervisor.getIdentification",),
    ("supervisor.getState",),
    ("supervisor.getPID",),
    ("supervisor.getProcessInfo", "cat"),
    ("supervisor.getProcessInfo", "cat:cat"),
    ("supervisor.getProcessInfo", "idle"),
    ("supervisor.getProcessInfo", "nope"),
    ("supervisor.getProcessInfo", "g:*"),
    ("supervisor.getProcessInfo", "g:nope"),
    ("supervisor.getProcessInfo",),
    ("supervisor.getProcessInfo", "cat", "dog"),
    ("supervisor.getAllProcessInfo",),
    ("supervisor.getAllConfigInfo",),
    ("supervisor.startProcess", "cat"),
    ("supervisor.startProcess", "nope"),
    ("supervisor.startProcess", "missing"),
    ("supervisor.startProcess", "missing", False),
    ("supervisor.startProcess", "idle", True),
    ("supervisor.startProcess", "idle", False),
    ("supervisor.startProcess", "g:*"),
    ("supervisor.startProcess", "nope:*"),
    ("supervisor.startProcessGroup", "g"),
    ("supervisor.startProcessGroup", "nope"),
    ("supervisor.stopProcess", "idle"),
    ("supervisor.stopProcess", "idle"),
    ("supervisor.stopProcess", "nope"),
    ("supervisor.stopProcess", "nope:x"),
    ("supervisor.stopProcessGroup", "nope"),
    ("supervisor.signalProcess", "cat", "CONT"),
    ("supervisor.signalProcess", "cat", "SIGCONT"),
    ("supervisor.signalProcess", "cat", "18"),
    ("supervisor.signalProcess", "cat", 18),
    ("supervisor.signalProcess", "cat", 0),
    ("supervisor.signalProcess", "cat", "BOGUS"),
    ("supervisor.signalProcess", "cat", "99"),
    ("supervisor.signalProcess", "idle", "CONT"),
    ("supervisor.signalProcess", "nope", "CONT"),
    ("supervisor.signalProcess", "g:*", "CONT"),
    ("supervisor.signalProcessGroup", "g", "CONT"),
    ("supervisor.signalProcessGroup", "g", "BOGUS"),
    ("supervisor.signalProcessGroup", "nope", "CONT"),
    ("supervisor.sendProcessStdin", "cat", "hello\n"),
    ("supervisor.sendProcessStdin", "cat", 5),
    ("supervisor.sendProcessStdin", "idle", "hello"),
    ("supervisor.sendProcessStdin", "nope", "hello"),
    ("supervisor.sendRemoteCommEvent", "type", "data"),
    ("supervisor.readProcessStdoutLog", "nope", 0, 0),
    ("supervisor.readProcessStdoutLog", "words", "0", "5"),
    ("supervisor.readProcessLog", "words", 0, 0),
    ("supervisor.readProcessStderrLog", "words", 0, 0),
    ("supervisor.readProcessStderrLog", "cat", 0, 0),
    ("supervisor.tailProcessStderrLog", "cat", 0, 10),
    ("supervisor.tailProcessStderrLog", "words", 0, 10),
    ("supervisor.tailProcessLog", "words", 0, 10),
    ("supervisor.tailProcessStdoutLog", "nope", 0, 10),
    ("supervisor.readLog", -1, 5),
    ("supervisor.clearProcessLogs", "nope"),
    ("supervisor.clearProcessLog", "words"),
    ("supervisor.readProcessLog", "words", 0, 0),
    ("supervisor.clearAllProcessLogs",),
    ("supervisor.addProcessGroup", "cat"),
    ("supervisor.addProcessGroup", "nope"),
    ("supervisor.removeProcessGroup", "cat"),
    ("supervisor.removeProcessGroup", "nope"),
    ("supervisor.removeProcessGroup", "missing"),
    ("supervisor.getProcessInfo", "missing"),
    ("supervisor.addProcessGroup", "missing"),
    ("supervisor.reloadConfig",),
    ("supervisor.nope",),
    ("supervisor._private",),
    ("supervisor.__class__",),
    ("nope",),
    ("a.b.c",),
    ("nope.nope",),
    ("system.listMethods",),
    ("system.methodSignature", "supervisor.startProcess"),
    ("system.methodSignature", "supervisor.nope"),
    ("system.methodHelp", "supervisor.nope"),
    (
        "system.multicall",
        [
            {"methodName": "supervisor.getAPIVersion", "params": []},
            {"methodName": "supervisor.getState"},
            {"methodName": "supervisor.getProcessInfo", "params": ["nope"]},
            {"methodName": "supervisor.startProcess", "params": ["idle"]},
            {"methodName": "supervisor.stopProcess", "params": ["idle"]},
            {"methodName": "system.multicall", "params": [[]]},
            {"methodName": "supervisor.nope"},
            {"params": []},
        ],
    ),
    ("supervisor.stopProcessGroup", "g"),
    ("supervisor.startProcess", "g:*", False),
    ("supervisor.stopProcess", "g:"),
    ("supervisor.stopAllProcesses",),
    ("supervisor.stopAllProcesses",),
    ("supervisor.clearLog",),
]


def _comparable(value: object, daemon: Daemon) -> object:
    """Without pids and times; a list of results of processes in the order of their names."""
    if isinstance(value, dict):
        times = {"now", "start", "stop", "pid"}
        return {
            key: bool(inner) if key in times else _comparable(inner, daemon)
            for key, inner in sorted(value.items())
        }
    if isinstance(value, list):
        inner = [_comparable(one, daemon) for one in value]
        is_results = bool(value) and all(isinstance(one, dict) and "group" in one for one in value)
        return sorted(inner, key=str) if is_results and "status" in value[0] else inner
    if isinstance(value, tuple):
        return tuple(_comparable(one, daemon) for one in value)
    if isinstance(value, str):
        text = plain(value, daemon.directory).replace(daemon.identifier, "<identifier>")
        return re.sub(r"-\w{8}\.log", "-<random>.log", text)
    return value


def _ready(daemon: Daemon) -> None:
    for name in ("cat", "words", "g:a", "g:b"):
        daemon.until_state(name, "RUNNING")
    until(daemon.has_executed_all, "every program has been executed")

    def logged() -> bool:
        channels = ("Stdout", "Stderr")
        texts = [daemon.call(f"supervisor.readProcess{one}Log", "words", 0, 0) for one in channels]
        return texts == ["hello world\n", "oops\n"]

    until(logged, "the words are in their logs")


def test_every_method_answers_the_same(
    launch: Launch, original: Implementation, ours: Implementation
) -> None:
    """Results, faults and their texts."""

    def talk(which: Implementation) -> dict[str, object]:
        daemon = launch(which, PROGRAMS)
        _ready(daemon)
        heard: dict[str, object] = {}
        for number, (method, *arguments) in enumerate(CALLS):
            outcome = daemon.client.outcome(str(method), *arguments)
            if str(method).endswith("getPID"):
                outcome = outcome == daemon.pid
            heard[f"{number} {method}{tuple(arguments)}"[:120]] = _comparable(outcome, daemon)
        return heard

    assert_same("rpc", *side_by_side(talk, original, ours))


def test_reading_and_tailing_by_offset(
    launch: Launch, original: Implementation, ours: Implementation
) -> None:
    """Every combination of offset and length, inside, at and beyond the ends of 12 bytes."""

    def talk(which: Implementation) -> dict[str, object]:
        daemon = launch(which, PROGRAMS)
        _ready(daemon)
        heard: dict[str, object] = {}
        for method in ("readProcessStdoutLog", "tailProcessStdoutLog"):
            for offset in OFFSETS:
                for length in LENGTHS:
                    got = daemon.client.outcome(f"supervisor.{method}", "words", offset, length)
                    heard[f"{method}({offset}, {length})"] = got
        return heard

    assert_same("offsets", *side_by_side(talk, original, ours))


_ERRORS = {
    "no method name": b"<?xml version='1.0'?><methodCall></methodCall>",
    "not xml": b"hello",
    "no params": b"<methodCall><methodName>supervisor.getAPIVersion</methodName></methodCall>",
    "untyped": b"<methodCall><methodName>supervisor.getProcessInfo</methodName><params><param>"
    b"<value>nope</value></param></params></methodCall>",
    "i4": b"<methodCall><methodName>supervisor.readLog</methodName><params><param><value><i4>-1"
    b"</i4></value></param><param><value><i4>3</i4></value></param></params></methodCall>",
}


def test_http_around_it(launch: Launch, original: Implementation, ours: Implementation) -> None:
    """Status codes, the headers clients look at, bodies of errors."""
    auth = "[inet_http_server]\nport=127.0.0.1:{port}\nusername=me\npassword=a:b\n"

    def talk(which: Implementation) -> dict[str, object]:
        port = free_port()
        daemon = launch(which, PROGRAMS + auth.format(port=port))
        _ready(daemon)
        heard: dict[str, object] = {}

        def request(name: str, where: Path | int, *arguments: object, **more: object) -> None:
            reply = ask(where, *arguments, **more)  # type: ignore[arg-type]
            wanted = ("server", "content-type", "www-authenticate", "location")
            headers = {one: reply.headers.get(one) for one in wanted}
            body = reply.body if reply.status != 200 or b"fault" in reply.body else b""
            heard[name] = (reply.status, headers, body)

        sock = daemon.socket
        for name, body in _ERRORS.items():
            request(f"POST /RPC2 {name}", sock, "POST", "/RPC2", body)
        request("POST /RPC2/x", sock, "POST", "/RPC2/x", _ERRORS["no params"])
        for path in ("/RPC2", "/ok.html", "/nope", "/logtail/nope", "/logtail/cat/stderr"):
            request(f"GET {path}", sock, "GET", path)
        request("POST /logtail/cat", sock, "POST", "/logtail/cat", b"x")
        request("DELETE /nope", sock, "DELETE", "/nope")
        request("no login", port, "GET", "/ok.html")
        for login in ("bWU6YTpi", "bWU6eA==", "bWU=", "!!", "Zm9vOmE6Yg=="):
            headers = {"Authorization": f"Basic {login}"}
            request(f"login {login}", port, "GET", "/ok.html", headers=headers)
        request("bearer", port, "GET", "/ok.html", headers={"Authorization": "Bearer x"})
        length = raw(
            sock, b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", enough=b"p>"
        )
        heard["no length"] = length.split(b"\r\n")[0]
        old = raw(sock, b"GET /ok.html HTTP/1.0\r\n\r\n")
        heard["1.0"] = (old.split(b"\r\n")[0], old.rpartition(b"\r\n\r\n")[2])
        return heard

    assert_same("http", *side_by_side(talk, original, ours))
