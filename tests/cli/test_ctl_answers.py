"""supervisorctl before a server that answers as told: what no real daemon does on demand.

Source: compat supervisorctl.md, sections 2 to 5.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol
from xmlrpc.client import Fault

import pytest

from proctor.cli.controller import Controller, Options
from proctor.cli.events import _Follower
from proctor.cli.healthy import _ask
from proctor.cli.options import parse, settings_for
from proctor.cli.verbs.all import VERBS
from proctor.client.connection import Connection
from rpchost import RpcHost, rpc_host

SHUTTING_DOWN = Fault(6, "SHUTDOWN_STATE")


class Say(Protocol):
    """Runs a line; (lines on stdout, exit code, the server)."""

    def __call__(self, line: str, **answers: Any) -> tuple[list[str], int, RpcHost]: ...


@pytest.fixture
def say(scratch: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a line of supervisorctl against a server that has these answers."""

    def run(line: str, **answers: Any) -> tuple[list[str], int, RpcHost]:
        status = answers.pop("status", 200)
        with ExitStack() as stack:
            host = stack.enter_context(rpc_host(scratch, **answers))
            host.status = status
            ctl = Controller(Options(host.url), VERBS)
            stack.callback(ctl.server.close)
            ctl.onecmd(line)
        (scratch / "s.sock").unlink()
        return capsys.readouterr().out.splitlines(), ctl.exitstatus, host

    return run


def _info(group: str, name: str, state: int, statename: str, pid: int = 0) -> dict[str, Any]:
    return {
        "group": group,
        "name": name,
        "state": state,
        "statename": statename,
        "pid": pid,
        "description": "",
    }


def _result(group: str, name: str, status: int, text: str = "OK") -> dict[str, Any]:
    return {"group": group, "name": name, "status": status, "description": text}


@pytest.mark.parametrize(
    ("state", "statename", "code"),
    [
        (0, "STOPPED", 3),
        (10, "STARTING", 0),
        (20, "RUNNING", 0),
        (30, "BACKOFF", 0),
        (40, "STOPPING", 0),
        (100, "EXITED", 3),
        (200, "FATAL", 3),
        (1000, "UNKNOWN", 3),
    ],
)
def test_status_exit_code_by_state(say: Say, state: int, statename: str, code: int) -> None:
    """BACKOFF and STARTING count as up (gotcha G82)."""
    lines, exit_code, _ = say("status", getAllProcessInfo=[_info("a", "a", state, statename)])
    assert exit_code == code
    assert lines == ["a" + 32 * " " + statename.ljust(10)]


def test_status_with_nothing_to_show(say: Say) -> None:
    """No output, exit code 0."""
    assert say("status", getAllProcessInfo=[])[:2] == ([], 0)


def test_status_for_programs(say: Say) -> None:
    """Everything the server gives, as JSON; the exit code is that of the table."""
    rows = [_info("a", "a", 20, "RUNNING", pid=7), _info("g", "日志", 0, "STOPPED")]
    lines, code, _ = say("status --json g:* nope", getAllProcessInfo=rows)
    answer = json.loads("\n".join(lines))
    assert answer == {
        "processes": [{"namespec": "g:日志", **rows[1]}],
        "errors": ["nope: ERROR (no such process)"],
    }
    assert code == 3


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "clear", "signal", "pid", "tail"])
def test_a_server_of_another_version_is_refused(say: Say, verb: str) -> None:
    """5; the command itself is not sent."""
    lines, code, host = say(verb, getVersion="4.0")
    assert code == 5
    assert lines[0].endswith("API version 3.0, but the remote version is 4.0.")
    assert host.methods() == ["getVersion"]


def test_a_server_without_our_namespace_is_refused(say: Say) -> None:
    """3, and 4 for status."""
    unknown = Fault(1, "UNKNOWN_METHOD")
    lines, code, _ = say("version", getVersion=unknown)
    assert lines[0].startswith("Sorry, supervisord responded but did not recognize the supervisor")
    assert code == 3
    assert say("status", getVersion=unknown)[1] == 4


@pytest.mark.parametrize("verb", ["status", "pid", "avail", "reread", "update", "shutdown"])
def test_without_a_login_there_is_one_line(say: Say, verb: str) -> None:
    """The original adds a raw error line (gotcha G85)."""
    assert say(verb, status=401)[:2] == (["Server requires authentication"], 1)


@pytest.mark.parametrize(
    ("line", "method", "said", "code"),
    [
        ("avail", "getAllConfigInfo", "ERROR: supervisor shutting down", 1),
        ("reread", "reloadConfig", "ERROR: supervisor shutting down", 1),
        ("update", "reloadConfig", "ERROR: already shutting down", 1),
        ("add x", "addProcessGroup", "ERROR: shutting down", 1),
        ("remove x", "removeProcessGroup", "ERROR: shutting down", 1),
        ("shutdown", "shutdown", "ERROR: already shutting down", 0),
        ("reload", "restart", "ERROR: already shutting down", 1),
    ],
)
def test_during_a_shutdown(say: Say, line: str, method: str, said: str, code: int) -> None:
    """Each command has its own words for it."""
    assert say(line, **{method: SHUTTING_DOWN})[:2] == ([said], code)


def test_other_commands_during_a_shutdown(
    scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A raw error line that names the fault, as scripts know it; beside it what that means."""
    with rpc_host(scratch, getVersion=SHUTTING_DOWN) as host:
        ctl = Controller(Options(host.url), VERBS)
        ctl.onecmd("status")
        ctl.server.close()
    line, err = capsys.readouterr()
    assert err == "hint: supervisord is shutting down, or stops everything to begin again\n"
    assert "<Fault 6: 'SHUTDOWN_STATE'>" in line
    assert line.startswith("error: <class ")
    assert line.count("\n") == ctl.exitstatus == 1


@pytest.mark.parametrize("line", ["reread", "update", "reload"])
def test_a_bad_configuration_is_reported(say: Say, line: str) -> None:
    """One clean line, exit code 1 (gotchas G9 and G86)."""
    bad = Fault(92, "CANT_REREAD: File contains no section headers.")
    answers = {"reloadConfig": bad, "restart": bad}
    assert say(line, **answers)[:2] == (
        ["ERROR: CANT_REREAD: File contains no section headers."],
        1,
    )


def test_update_in_order(say: Say) -> None:
    """Removed groups first, then changed, then new ones; what does not stop is not removed."""
    lines, code, host = say(
        "update",
        reloadConfig=[[["new"], ["changed"], ["gone", "stuck"]]],
        stopProcessGroup=[_result("stuck", "a", 80), _result("stuck", "b", 30, "FAILED: b")],
        removeProcessGroup=True,
        addProcessGroup=True,
    )
    assert lines == [
        "gone: stopped",
        "gone: has problems; not removing",
        "stuck: stopped",
        "stuck: has problems; not removing",
        "changed: stopped",
        "changed: updated process group",
        "new: added process group",
    ]
    assert code == 0
    # Another daemon than ours does not know how to update a group in place.
    assert [call for call in host.heard if call[0] != "stopProcessGroup"][1:] == [
        ("updateProcessGroup", ("changed",)),
        ("removeProcessGroup", ("changed",)),
        ("addProcessGroup", ("changed",)),
        ("addProcessGroup", ("new",)),
    ]


def test_update_of_named_groups(say: Say) -> None:
    """Unknown ones are reported, the others done."""
    lines, code, _ = say(
        "update new nope old",
        reloadConfig=[[["new", "other"], ["changed"], ["gone"]]],
        getAllProcessInfo=[_info("old", "p", 0, "STOPPED")],
        addProcessGroup=True,
    )
    assert lines == ["ERROR: no such group: nope", "new: added process group"]
    assert code == 1


@pytest.mark.parametrize(
    ("fault", "text", "said", "code"),
    [
        (10, "BAD_NAME: x", "x: ERROR (no such process)", 1),
        (20, "NO_FILE: x", "x: ERROR (no such file)", 1),
        (21, "NOT_EXECUTABLE: x", "x: ERROR (file is not executable)", 1),
        (30, "FAILED: x is in an unknown process state", None, 1),
        (40, "ABNORMAL_TERMINATION: x", "x: ERROR (abnormal termination)", 7),
        (50, "SPAWN_ERROR: x", "x: ERROR (spawn error)", 7),
        (60, "ALREADY_STARTED: x", "x: ERROR (already started)", 0),
    ],
)
def test_faults_of_start(say: Say, fault: int, text: str, said: str | None, code: int) -> None:
    """The same line and exit code for one process and for a member of a group."""
    one = say("start x", startProcess=Fault(fault, text))
    group = say("start x:*", startProcessGroup=[_result("x", "x", fault, text)])
    assert one[:2] == group[:2] == ([said or text], code)


def test_the_last_failure_decides(say: Say) -> None:
    """A later success does not reset the exit code; a later failure replaces it."""
    results = [_result("g", "a", 50), _result("g", "b", 80), _result("g", "c", 60)]
    lines, code, _ = say("start all", startAllProcesses=results)
    assert lines == ["g:a: ERROR (spawn error)", "g:b: started", "g:c: ERROR (already started)"]
    assert code == 7


def test_stop_names_who_could_not_be_ended(
    scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, of what was asked for only; stdout is the original's."""
    left = _info("web", "a", 0, "STOPPED") | {"description": "May 01, left running: 7 (worker)"}
    other = left | {"group": "other"}
    answers = {
        "stopProcess": True,
        "stopProcessGroup": [_result("web", "a", 80)],
        "stopAllProcesses": [_result("web", "a", 80)],
        "getProcessInfo": left,
        "getAllProcessInfo": [left, _info("web", "b", 0, "STOPPED"), other],
    }
    said = {}
    with rpc_host(scratch, **answers) as host:
        ctl = Controller(Options(host.url), VERBS)
        for names in ("web:a", "web:*", "web:a web:b", "all"):
            ctl.onecmd(f"stop {names}")
            said[names] = capsys.readouterr()
        ctl.server.close()
    line = "web:a: left running: 7 (worker)\n"
    assert said["web:a"] == ("web:a: stopped\n", line)
    assert said["web:*"] == ("web:a: stopped\n", line)
    assert said["web:a web:b"] == ("web:a: stopped\nweb:b: stopped\n", line)
    assert said["all"] == ("web:a: stopped\n", line + line.replace("web", "other", 1))
    assert ctl.exitstatus == 0


def test_stop_reports_a_failure_in_the_servers_words(say: Say) -> None:
    """And ignores NOT_RUNNING, which `signal` does not (gotcha G83)."""
    assert say("stop x", stopProcess=Fault(30, "FAILED: x"))[:2] == (["FAILED: x"], 1)
    not_running = Fault(70, "NOT_RUNNING: x")
    assert say("stop x", stopProcess=not_running)[:2] == (["x: ERROR (not running)"], 0)
    assert say("signal HUP x", signalProcess=not_running)[:2] == (["x: ERROR (not running)"], 7)


def test_clear_all(say: Say) -> None:
    """A line for each."""
    results = [_result("a", "a", 80), _result("g", "b", 30, "FAILED: g:b")]
    lines, code, _ = say("clear all", clearAllProcessLogs=results)
    assert (lines, code) == (["a: cleared", "g:b: ERROR (failed)"], 1)


def test_logs_that_cannot_be_read(say: Say) -> None:
    """No file, a read error."""
    no_file, failed = Fault(20, "NO_FILE"), Fault(30, "FAILED")
    assert say("tail x", readProcessStdoutLog=no_file)[:2] == (["x: ERROR (no log file)"], 1)
    assert say("tail x stderr", readProcessStderrLog=failed)[:2] == (
        ["x: ERROR (unknown error reading log)"],
        1,
    )
    assert say("maintail", readLog=no_file)[:2] == (["supervisord: ERROR (no log file)"], 1)
    assert say("maintail", readLog=failed)[0] == ["supervisord: ERROR (unknown error reading log)"]


def test_how_much_of_a_log_is_asked_for(say: Say) -> None:
    """1600 bytes unless told otherwise; -0 is all of it (gotcha G63)."""
    for line, offset in (("tail x", -1600), ("tail -5 x", -5), ("tail -0 x", 0)):
        _, _, host = say(line, readProcessStdoutLog="text")
        assert host.heard[-1] == ("readProcessStdoutLog", ("x", offset, 0))


def test_the_history_says_what_a_rule_was(say: Say) -> None:
    """The journal's word for it says nothing to people."""
    rule = {"kind": "rule", "text": "it broke the protocol of listeners"}
    run = {"run": 1, "process": "el", "start": 1.0, "uptime": 2.0, "started": rule}
    run |= {"end": 3.0, "ending": "terminated by SIGTERM", "ended": rule}
    (_, line), _, _ = say("history", **{"proctor.history": [run]})
    assert line.endswith("listener renewed  terminated by SIGTERM, listener renewed")


def test_an_answer_of_the_wrong_shape_is_a_raw_error(say: Say) -> None:
    """Never a traceback."""
    for wrong in ("text", [1], [{"name": "x"}]):
        (line,), code, _ = say("status", getAllProcessInfo=wrong)
        assert line.startswith("error: <class 'ValueError'>, ")
        assert code == 1


@pytest.mark.parametrize("verb", ["avail", "reread", "update", "add x", "remove x", "reload"])
def test_a_dead_server_is_named(
    scratch: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    """The original prints a raw error for these (gotcha G87)."""
    ctl = Controller(Options(f"unix://{scratch}/none.sock"), VERBS)
    ctl.onecmd(verb)
    assert capsys.readouterr() == (f"unix://{scratch}/none.sock no such file\n", "")
    assert ctl.exitstatus == 1


def test_a_server_that_nobody_named(scratch: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That there was no file is said on stderr; stdout and exit status are the original's."""
    options = Options(f"unix://{scratch}/none.sock")
    options.guessed = True
    ctl = Controller(options, VERBS)
    ctl.onecmd("status")
    out, err = capsys.readouterr()
    assert out == f"unix://{scratch}/none.sock no such file\n"
    assert err == "hint: no configuration file was found; name one with -c, or a server with -s\n"
    assert ctl.exitstatus == 4


def test_commands_of_proctor_ask_a_server_that_nobody_named(
    scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They say the same in the line that tells why it cannot be reached."""
    url, hint = f"unix://{scratch}/none.sock", "name one with -c, or a server with -s"
    options = Options(url)
    options.guessed = True
    assert _Follower(Controller(options, VERBS), [], as_json=False).follow() == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{url} cannot be reached: ")
    assert told.endswith(f"; no configuration file was found; {hint}\n")
    assert _ask(Connection(url, None, None), "/livez", guessed=True).endswith(hint)
    assert not _ask(Connection(url, None, None), "/livez", guessed=False).endswith(hint)


def test_a_server_that_was_named_is_not_guessed(scratch: Path) -> None:
    """Whether there is a file or not."""
    line = parse(["-s", f"unix://{scratch}/none.sock"])
    assert not settings_for(f"{scratch}/bin/proctor", line).guessed
