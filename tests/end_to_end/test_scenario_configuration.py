"""Rows 2, 3, 17 and 19 of scenarios.md: reading a configuration never harms what runs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from support.daemon import Daemon, Launch, run
from support.implementations import Implementation
from support.programs import OBEDIENT, program
from support.waiting import until

USUAL = program("a") + program("b") + "[include]\nfiles=%(here)s/parts/*.conf\n"
PART = program("parted")


def _with_parts(launch: Launch, ours: Implementation) -> Daemon:
    daemon = launch(ours, USUAL)
    parts = daemon.directory / "parts"
    parts.mkdir()
    (parts / "one.conf").write_text(PART)
    assert daemon.ctl("update").lines == ["parted: added process group"]
    for name in ("a", "b", "parted"):
        daemon.until_state(name, "RUNNING")
    return daemon


def _pids(daemon: Daemon) -> dict[str, int]:
    found = daemon.call("supervisor.getAllProcessInfo")
    return {f"{one['group']}:{one['name']}": one["pid"] for one in found}


def _refusal(daemon: Daemon, hangups: int) -> str:
    """What the log says after so many hangups, once it is an error."""
    said = daemon.log_text().split("received SIGHUP")
    return said[hangups] if len(said) > hangups and "ERRO" in said[hangups] else ""


BAD = {
    "bad value": ("supervisord.conf", program("a", startsecs="five") + program("b")),
    "no section header": ("parts/two.conf", "command=/bin/cat\n"),
    "missing command": ("parts/two.conf", "[program:two]\nautostart=true\n"),
    "bad expansion": ("parts/two.conf", "[program:two]\ncommand=/bin/cat %(bogus)s\n"),
    "not text": ("parts/two.conf", "[program:two\n\0\0\0\n"),
    "deleted user": ("parts/two.conf", program("two", user="no-such-user-here")),
}


def test_row_2_a_bad_configuration_is_refused_whole(launch: Launch, ours: Implementation) -> None:
    """HUP, reload, reread and update with every kind of mistake: nothing stops, the mistake is
    named with its place, and the commands fail."""
    daemon = _with_parts(launch, ours)
    good = daemon.conf.read_text()
    pids = _pids(daemon)
    for hangups, (kind, (name, text)) in enumerate(BAD.items(), 1):
        path = daemon.directory / name
        if path == daemon.conf:
            daemon.configure(text + "[include]\nfiles=%(here)s/parts/*.conf\n")
        else:
            path.write_text(text)
        for verb in ("reread", "update", "reload"):
            answer = daemon.ctl(verb)
            assert answer.code == 1, (kind, verb, answer)
            assert "CANT_REREAD" in answer.out, (kind, verb, answer)
            assert path.name in answer.out, (kind, verb, answer)
        daemon.signal(signal.SIGHUP)
        refusal = until(partial(_refusal, daemon, hangups), f"{kind}: HUP is refused")
        assert path.name in refusal, kind
        assert _pids(daemon) == pids, kind
        if path == daemon.conf:
            daemon.conf.write_text(good)
        else:
            path.unlink()
    assert daemon.ctl("reread").lines == ["No config updates to processes"]


def test_row_2_a_port_that_is_taken(launch: Launch, ours: Implementation) -> None:
    """A reload onto a port of somebody else is refused before anything stops."""
    daemon = _with_parts(launch, ours)
    pids = _pids(daemon)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        daemon.configure(USUAL + f"[inet_http_server]\nport=127.0.0.1:{port}\n")
        answer = daemon.ctl("reload")
        assert answer.code == 1, answer
        assert _pids(daemon) == pids


def test_row_3_an_include_that_matches_nothing_any_more(
    launch: Launch, ours: Implementation
) -> None:
    """With the include directory moved away, update refuses instead of removing every program."""
    daemon = _with_parts(launch, ours)
    pids = _pids(daemon)
    shutil.move(daemon.directory / "parts", daemon.directory / "elsewhere")
    answer = daemon.ctl("update")
    assert answer.code == 1
    assert "parts/*.conf" in answer.out
    assert _pids(daemon) == pids
    shutil.move(daemon.directory / "elsewhere", daemon.directory / "parts")
    assert daemon.ctl("update").lines == []


def test_row_17_everything_at_once(launch: Launch, ours: Implementation) -> None:
    """Parallel updates and stops, a stop in BACKOFF, a removal while starting: each is answered,
    and the last command wins."""
    programs = (
        program("quick", "/bin/sh -c 'exit 1'", startsecs=100, startretries=50, autostart="false")
        + program("slow", startsecs=100, autostart="false")
        + "".join(program(f"p{number}") for number in range(4))
    )
    daemon = launch(ours, programs)
    daemon.call("supervisor.startProcess", "quick", False)
    daemon.until_state("quick", "BACKOFF")
    assert daemon.ctl("stop", "quick").lines == ["quick: stopped"]
    assert daemon.client.state("quick") == "STOPPED"

    daemon.call("supervisor.startProcess", "slow", False)
    assert daemon.client.outcome("supervisor.removeProcessGroup", "slow") == (
        91,
        "STILL_RUNNING: slow",
    )
    daemon.configure(programs + program("new"))
    with ThreadPoolExecutor(6) as pool:
        updates = [pool.submit(daemon.ctl, "update") for _ in range(3)]
        stops = [pool.submit(daemon.ctl, "stop", "p0") for _ in range(3)]
        codes = [one.result().code for one in updates]
        said = [line for one in stops for line in one.result().lines]
    assert 0 in codes
    assert set(said) == {"p0: stopped", "p0: ERROR (not running)"}
    assert daemon.client.state("p0") == "STOPPED"
    daemon.until_state("new", "RUNNING")
    assert daemon.ctl("start", "p0").lines == ["p0: started"]


def test_row_17_hup_during_shutdown(launch: Launch, ours: Implementation) -> None:
    """A HUP that comes while everything is being stopped is ignored, and said so."""
    stubborn = "/bin/sh -c 'trap \"\" TERM; echo set; while :; do sleep 0.1; done'"
    daemon = launch(
        ours, program("x", stubborn, stopwaitsecs=600, stopasgroup="true", redirect_stderr="true")
    )
    until(lambda: "set" in daemon.call("supervisor.readProcessLog", "x", 0, 0), "the trap is set")
    pid = daemon.client.pid("x")
    daemon.signal(signal.SIGTERM)
    daemon.until_logged("received SIGTERM indicating exit request")
    daemon.signal(signal.SIGHUP)
    daemon.until_logged("ignored SIGHUP indicating restart request")
    os.kill(pid, signal.SIGKILL)
    assert daemon.wait() == 0


def test_row_17_a_second_daemon(launch: Launch, ours: Implementation) -> None:
    """A twin with the same configuration is refused; pidfile and socket of the first stay."""
    daemon = launch(ours, USUAL)
    pidfile = daemon.pidfile.read_text()
    inode = os.stat(daemon.socket).st_ino
    twin = run([ours.program("supervisord"), "-n", "-c", str(daemon.conf)], cwd=daemon.directory)
    assert twin.code == 2
    first, address, pid, *_ = twin.err.splitlines()
    assert first.startswith("Error: Another program is already listening")
    assert address == f"  the address is unix://{daemon.socket}"
    assert pid == f"  a supervisord runs with pid {pidfile.strip()} ({daemon.pidfile})"
    assert daemon.pidfile.read_text() == pidfile
    assert os.stat(daemon.socket).st_ino == inode
    assert daemon.ctl("status", "a").code == 0


EDITED = {
    "one group member": (("startsecs=0\nstopwaitsecs=5", "startsecs=0\nstopwaitsecs=6"), {"g"}),
    "numprocs": (("numprocs=2", "numprocs=3"), {"many"}),
    "a log option": (("stdout_logfile_backups=3", "stdout_logfile_backups=4"), {"logged"}),
    "a listener": (("buffer_size=20", "buffer_size=21"), {"ears"}),
    "order of sections": (None, set()),
    "a comment": (("numprocs=3", "numprocs=3 ; three"), set()),
}
ROW_19 = (
    program("m1")
    + program("m2").replace("startsecs=0", "startsecs=0\nstopwaitsecs=5")
    + "[group:g]\nprograms=m1,m2\n\n"
    + program("many", numprocs=2, process_name="%(process_num)d")
    + program("logged", stdout_logfile="%(here)s/x.log", stdout_logfile_backups=3)
    + "[eventlistener:ears]\ncommand=/bin/cat\nevents=TICK_60\nbuffer_size=20\nstartsecs=0\n\n"
    + program("alone", OBEDIENT)
)


def test_row_19_update_touches_what_was_edited(launch: Launch, ours: Implementation) -> None:
    """reread names the groups that update then touches; the pids of all others stay."""
    daemon = launch(ours, ROW_19)
    text = ROW_19
    for kind, (edit, groups) in EDITED.items():
        until(lambda: set(daemon.client.states().values()) == {"RUNNING"}, "all run")
        before = _pids(daemon)
        if edit:
            assert edit[0] in text
            text = text.replace(*edit)
        else:
            text = "\n\n".join(reversed(text.strip().split("\n\n"))) + "\n\n"
        daemon.configure(text)
        planned = {line.split(":")[0] for line in daemon.ctl("reread").lines if ":" in line}
        assert planned == groups, kind
        assert daemon.ctl("update").code == 0
        until(lambda: set(daemon.client.states().values()) == {"RUNNING"}, "all run")
        after = _pids(daemon)
        touched = {name.split(":")[0] for name, pid in after.items() if before.get(name) != pid}
        assert touched == groups, kind


@pytest.mark.parametrize("words", [["--check"], ["--check", "--json"]])
def test_check_names_every_mistake(ours: Implementation, scratch: Path, words: list[str]) -> None:
    """`supervisord --check` prints all mistakes at once and exits with 2."""
    conf = scratch / "f.conf"
    conf.write_text(
        "[supervisord]\n[program:a]\ncommand=/bin/cat\nstartsecs=five\n[program:b]\nautostart=x\n"
    )
    answer = run([ours.program("supervisord"), "-c", str(conf), *words])
    assert answer.code == 2, answer
    said = answer.out + answer.err
    for word in ("startsecs", "autostart", "command", "f.conf"):
        assert word in said, answer
    conf.write_text("[supervisord]\n[program:a]\ncommand=/bin/cat\n")
    assert run([ours.program("supervisord"), "-c", str(conf), *words]).code == 0


def test_reread_tells_what_is_doubtful_in_the_files(launch: Launch, ours: Implementation) -> None:
    """On stderr; what scripts read on stdout stays as it was."""
    daemon = launch(ours, program("cat"))
    assert daemon.ctl("reread").err == ""
    daemon.configure(program("cat", stopwaitsec=3))
    told = daemon.ctl("reread")
    assert (told.code, told.lines) == (0, ["No config updates to processes"])
    assert re.search(r"^warning: .*stopwaitsec.*stopwaitsecs.*supervisord.conf:\d+", told.err)
    assert daemon.ctl("reread").err == told.err
