"""Published packages, unchanged, under our daemon and in our supervisorctl.

What cannot work, with the original neither, is held here too: docs/compatibility.md tells of it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compat.shelf import Shelf
from listeners.postoffice import PostOffice, post_office
from support.daemon import Answer, Daemon, Launch, run
from support.implementations import Implementation
from support.programs import OBEDIENT, program
from support.rpc import free_port
from support.waiting import GENEROUS, until

pytestmark = pytest.mark.oracle

Plugged = Callable[[str], Daemon]


def _listener(name: str, command: str, events: str, **options: object) -> str:
    section = program(name, command, events=events, **options)
    return section.replace("[program:", "[eventlistener:")


def _rpcinterface(name: str, factory: str, **options: object) -> str:
    lines = [f"{key}={value}" for key, value in options.items()]
    head = [f"[rpcinterface:{name}]", f"supervisor.rpcinterface_factory={factory}"]
    return "\n".join([*head, *lines, "", ""])


def _ctlplugin(name: str, factory: str) -> str:
    return f"[ctlplugin:{name}]\nsupervisor.ctl_factory={factory}\n\n"


def _ctl(daemon: Daemon, shelf: Shelf, *words: str) -> Answer:
    return daemon.ctl(*words, env={"PYTHONPATH": shelf.packages})


def _script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


# superlance


@pytest.fixture(scope="module")
def office() -> Iterator[PostOffice]:
    """A mail server for the whole file."""
    with post_office() as opened:
        yield opened


@pytest.fixture(scope="module")
def alarms(launch_shared: Launch, ours: Implementation, shelf: Shelf, office: PostOffice) -> Daemon:
    """All six programs of superlance on one daemon, with programs that give them work."""
    mail = "-m dev@example.com -s 'cat >>%(here)s/mails; echo >>%(here)s/mails'"
    batch = f"-t dev@example.com -f d@example.com -H {office.host} -i 0.05 -e TICK_5"
    url = f"http://127.0.0.1:{free_port()}/"
    sections = [
        _listener("crashmail", f"{shelf.program('crashmail')} {mail}", "PROCESS_STATE_EXITED"),
        _listener("httpok", f"{shelf.program('httpok')} -p web {mail} {url}", "TICK_5"),
        _listener("memmon", f"{shelf.program('memmon')} -p fat=1KB {mail}", "TICK_5"),
        *[
            _listener(name, f"{shelf.program(name)} {batch}", "PROCESS_STATE,TICK_5")
            for name in ("crashmailbatch", "fatalmailbatch", "crashsms")
        ],
        program("flaky", OBEDIENT, autorestart="false"),
        program("hopeless", "/bin/false", startsecs=10, startretries=0),
        program("web", "/bin/sleep 1000"),
        program("fat", "/bin/sleep 1000"),
    ]
    return launch_shared(ours, "".join(sections))


def test_superlance_reports_crashes_and_failures(alarms: Daemon, office: PostOffice) -> None:
    """crashmail by sendmail at once; the batches by SMTP at the next tick."""
    alarms.until_state("flaky", "RUNNING")
    alarms.call("supervisor.sendProcessStdin", "flaky", "exit 3\n")
    alarms.until_file("mails", "^Subject:  flaky crashed at")
    alarms.until_file("mails", "Process flaky in group flaky exited unexpectedly")
    wanted = (
        "Process flaky:flaky (pid ",
        "Process hopeless:hopeless failed to start too many times",
        "[flaky:flaky](",
    )

    def come() -> bool:
        text = "\n".join(office.letters)
        return all(each in text for each in wanted)

    until(come, lambda: f"three mails: {office.letters}")


def test_superlance_restarts(alarms: Daemon) -> None:
    """httpok what does not answer, memmon what is too big; both ask us by XML-RPC while BUSY."""
    alarms.until_file("mails", "^web restarted")
    alarms.until_file("mails", "process fat:fat restarted")
    alarms.until_state("web", "RUNNING")
    alarms.until_state("fat", "RUNNING")
    assert not [line for line in alarms.log_lines() if "UNKNOWN" in line]


# Listeners


def test_supervisor_logging(plugged: Plugged, shelf: Shelf) -> None:
    """Output goes to a syslog server by UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(GENEROUS)
        port = server.getsockname()[1]
        plugged(
            _listener(
                "logging",
                shelf.program("supervisor_logging"),
                "PROCESS_LOG",
                environment=f"SYSLOG_SERVER=127.0.0.1,SYSLOG_PORT={port},SYSLOG_PROTO=udp",
            )
            + program("talker", "/bin/echo hello", stdout_events_enabled="true")
        )
        assert "talker[" in (said := server.recv(65536).decode())
        assert "hello" in said


def test_supervisor_alert(plugged: Plugged, shelf: Shelf) -> None:
    """A command is told of states.  To build this package, `supervisor` has to be there."""
    command = f"{shelf.program('supervisor-alert')} -c %(here)s/tell"
    events = "PROCESS_STATE_RUNNING,PROCESS_STATE_STOPPED"
    daemon = plugged(
        _listener("alert", command, events, autostart="false") + program("cat", autostart="false")
    )
    _script(daemon.directory / "tell", f'echo "$1" >>{daemon.directory}/told')
    daemon.call("supervisor.startProcess", "alert")
    daemon.call("supervisor.startProcess", "cat")
    daemon.until_file("told", "^cat has entered state running$")
    daemon.call("supervisor.stopProcess", "cat")
    daemon.until_file("told", "^cat has entered state stopped$")


# Result handlers


def test_supervisor_console(plugged: Plugged, shelf: Shelf) -> None:
    """Output of programs on the daemon's stdout, by a listener and a result handler."""
    daemon = plugged(
        _listener(
            "console",
            shelf.program("supervisor-console"),
            "PROCESS_LOG",
            result_handler="supervisor_console.events:event_handler",
        )
        + program("talker", "/bin/echo hello", stdout_events_enabled="true")
    )
    daemon.until_file("console", r"^talker \| .* \| hello$")


def test_supervisor_stdout_is_of_python_2(plugged: Plugged, shelf: Shelf) -> None:
    """Its file is no Python 3; the configuration that names it is refused with the reason."""
    daemon = plugged(program("cat"))
    handler = "supervisor_stdout:event_handler"
    daemon.configure(
        _listener("out", shelf.program("supervisor_stdout"), "PROCESS_LOG", result_handler=handler)
    )
    code, text = daemon.client.outcome("supervisor.reloadConfig")
    assert code == 92
    assert f"{handler} cannot be resolved within [eventlistener:out]" in text
    assert "SyntaxError: Missing parentheses in call to 'print'" in text


# RPC interfaces and ctl plug-ins


def test_supervisor_twiddler(plugged: Plugged) -> None:
    """Programs come and go at run time."""
    daemon = plugged(
        _rpcinterface("twiddler", "supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface")
        + program("cat")
    )
    call, outcome = daemon.call, daemon.client.outcome
    assert call("twiddler.getGroupNames") == ["cat"]
    options = {
        "command": "/bin/cat",
        "numprocs": "2",
        "process_name": "%(program_name)s_%(process_num)s",
        "autorestart": "true",
        "startsecs": "0",
        "environment": 'A="%(group_name)s"',
    }
    assert call("twiddler.addProgramToGroup", "cat", "more", options) is True
    daemon.until_state("cat:more_0", "RUNNING")
    daemon.until_state("cat:more_1", "RUNNING")
    before = daemon.client.pid("cat")
    refusals = (
        (("cat", "more", options), (10, "BAD_NAME: more_0")),
        (("nope", "more", options), (10, "BAD_NAME: group: nope")),
        (("cat", "other", {"command": "x", "startsecs": "soon"}), (2, "INCORRECT_PARAMETERS: ")),
    )
    for arguments, (code, text) in refusals:
        found = outcome("twiddler.addProgramToGroup", *arguments)
        assert found[0] == code
        assert found[1].startswith(text)
    still = (91, "STILL_RUNNING: more_0")
    assert outcome("twiddler.removeProcessFromGroup", "cat", "more_0") == still
    call("supervisor.stopProcess", "cat:more_0")
    assert call("twiddler.removeProcessFromGroup", "cat", "more_0") is True
    assert sorted(daemon.client.states()) == ["cat:cat", "cat:more_1"]
    assert daemon.client.pid("cat") == before
    assert call("twiddler.log", "from afar", "WARN") is True
    daemon.until_logged("WARN from afar")


def test_supervisor_twiddler_whitelist(plugged: Plugged) -> None:
    """An option of the section reaches the plug-in."""
    factory = "supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface"
    daemon = plugged(_rpcinterface("twiddler", factory, whitelist="log"))
    assert daemon.call("twiddler.log", "hello") is True
    code, _ = daemon.client.outcome("twiddler.getGroupNames")
    assert code == 230


def test_supervisor_cache(plugged: Plugged, shelf: Shelf) -> None:
    """An interface with methods of its own, and the commands for it."""
    daemon = plugged(
        _rpcinterface("cache", "supervisor_cache.rpcinterface:make_cache_rpcinterface")
        + _ctlplugin("cache", "supervisor_cache.controllerplugin:make_cache_controllerplugin")
    )
    assert daemon.call("cache.store", "key", "größer") is True
    assert daemon.call("cache.fetch", "key") == "größer"
    assert daemon.client.outcome("cache.fetch", "none") == (10, "BAD_NAME")
    assert "cache.getKeys" in daemon.call("system.listMethods")
    assert daemon.call("system.methodSignature", "cache.store") == ["boolean", "string", "string"]
    assert _ctl(daemon, shelf, "cache_store", "a", "1").code == 0
    assert _ctl(daemon, shelf, "cache_keys").out == "['a', 'key']\n"
    assert _ctl(daemon, shelf, "cache_count").out == "2\n"
    assert "cache_fetch <key>" in _ctl(daemon, shelf, "help", "cache_fetch").out


def test_supervisor_wildcards(plugged: Plugged, shelf: Shelf) -> None:
    """Its commands run ours, in threads."""
    factory = "supervisorwildcards.controllerplugin:make_wildcards_controllerplugin"
    daemon = plugged(
        _ctlplugin("wildcards", factory) + "".join(program(name) for name in ("aa", "ab", "b"))
    )
    until(lambda: set(daemon.client.states().values()) == {"RUNNING"}, "all run")
    answer = _ctl(daemon, shelf, "mstop", "a*")
    assert sorted(answer.lines) == ["aa: stopped", "ab: stopped"]
    assert daemon.client.states() == {"aa:aa": "STOPPED", "ab:ab": "STOPPED", "b:b": "RUNNING"}
    assert sorted(_ctl(daemon, shelf, "mrestart", "*b").lines) == [
        "ab: ERROR (not running)",
        "ab: started",
        "b: started",
        "b: stopped",
    ]
    answer = _ctl(daemon, shelf, "mstart", "nothing*")
    assert answer.out == "No process matched given expression.\n"


def test_mr_laforge(plugged: Plugged, shelf: Shelf) -> None:
    """Brings programs up and down; it reads supervisorctl's configuration by our ClientOptions."""
    daemon = plugged(program("cat", autostart="false"))
    environment = {"MR_LAFORGE_SUPERVISOR_ARGS": f"-c {daemon.conf}"}
    up, down = (
        run([shelf.program(name), "cat"], cwd=daemon.directory, env=environment)
        for name in ("supervisorup", "supervisordown")
    )
    assert (up.code, up.out) == (0, "Starting cat\n")
    assert (down.code, down.out) == (0, "Stopping cat\n")
    assert daemon.client.state("cat") == "STOPPED"


def test_the_rest_of_mr_laforge_needs_insides(plugged: Plugged) -> None:
    """Its interface imports helpers of the original; supervisorctl has `signal` for that."""
    daemon = plugged(program("cat"))
    daemon.configure(_rpcinterface("laforge", "mr.laforge.rpcinterface:make_laforge_rpcinterface"))
    code, text = daemon.client.outcome("supervisor.reloadConfig")
    assert code == 92
    assert "supervisor.rpcinterface.isRunning is not offered" in text
