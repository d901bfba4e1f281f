"""Rows 6, 13, 14 and 16 of scenarios.md: processes under adverse conditions."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import threading
from pathlib import Path

import pytest

from support.daemon import Daemon, Launch, marked, open_files
from support.implementations import Implementation
from support.programs import OBEDIENT, program
from support.rpc import UnixConnection
from support.waiting import GENEROUS, until


def _descriptors(daemon: Daemon) -> int:
    """How many files our own processes have open: those of the daemon's Python."""
    python = os.readlink(f"/proc/{daemon.pid}/exe")
    count = 0
    for pid in marked(daemon.identifier):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/exe") == python:
                count += open_files(pid)
    return count


def test_row_6_a_log_that_is_a_directory(launch: Launch, ours: Implementation) -> None:
    """A hundred failed starts leave no descriptor open; the reason is named; once it is mended, the
    program starts."""
    daemon = launch(
        ours,
        program("x", OBEDIENT, stdout_logfile="%(here)s/x.log", autostart="false", startretries=0),
    )
    log = daemon.directory / "x.log"
    log.mkdir()
    fault = (50, "SPAWN_ERROR: x")
    assert daemon.client.outcome("supervisor.startProcess", "x") == fault
    daemon.until_state("x", "FATAL")
    before = _descriptors(daemon)
    for _ in range(100):
        assert daemon.client.outcome("supervisor.startProcess", "x") == fault
        daemon.until_state("x", "FATAL")
    until(lambda: _descriptors(daemon) <= before, "no descriptor is left open")
    info = daemon.call("supervisor.getProcessInfo", "x")
    assert "EISDIR" in info["spawnerr"]
    assert "EISDIR" in daemon.ctl("status", "x").out
    log.rmdir()
    assert daemon.ctl("start", "x").lines == ["x: started"]


MOVED_CLOCK = """\
import os, time
_path, _real, _real_ns = os.environ["CLOCK_FILE"], time.time, time.time_ns
def _offset():
    try:
        return int(open(_path).read() or 0)
    except OSError:
        return 0
time.time = lambda: _real() + _offset()
time.time_ns = lambda: _real_ns() + _offset() * 10**9
"""
HOUR, DAY = 3600, 86400
BEYOND_32_BITS = 2**31 + DAY


def test_row_13_the_wall_clock_jumps(launch: Launch, ours: Implementation, scratch: Path) -> None:
    """By an hour, by a day, in both directions, and to a year that 32 bits cannot hold: durations
    are not changed, and every reply is valid."""
    (scratch / "sitecustomize.py").write_text(MOVED_CLOCK)
    clock = scratch / "clock"
    clock.write_text("0")
    programs = (
        program("steady")
        + program("starting", startsecs=1, autostart="false")
        + program("failing", "/bin/sh -c 'exit 1'", startsecs=100, startretries=2)
        + program(
            "stubborn",
            "/bin/sh -c 'trap \"\" TERM; while :; do read x; done'",
            stopwaitsecs=1,
            autostart="false",
        )
    )
    environment = {"PYTHONPATH": str(scratch), "CLOCK_FILE": str(clock)}
    daemon = launch(ours, programs, environment=environment)
    daemon.until_state("steady", "RUNNING")
    real = daemon.call("supervisor.getProcessInfo", "steady")["now"]
    clock.write_text(str(DAY))
    moved = daemon.call("supervisor.getProcessInfo", "steady")["now"]
    assert moved - real >= DAY, "the clock of the daemon can be moved"

    for jump in (HOUR, -HOUR, DAY, -DAY, BEYOND_32_BITS - real, 0):
        clock.write_text("0")
        daemon.call("supervisor.startProcess", "starting", False)
        daemon.call("supervisor.startProcess", "stubborn", False)
        daemon.client.outcome("supervisor.stopProcess", "stubborn", False)
        clock.write_text(str(jump))
        daemon.until_state("starting", "RUNNING")
        daemon.until_state("stubborn", "STOPPED")
        for info in daemon.call("supervisor.getAllProcessInfo"):
            assert 0 <= info["now"] <= 2**31 - 1
            assert "-" not in info["description"].split("uptime")[-1], info
        assert daemon.call("supervisor.stopProcess", "starting") is True
    daemon.until_state("failing", "FATAL")
    assert daemon.client.state("steady") == "RUNNING"
    assert "Traceback" not in daemon.log_text()


@pytest.mark.parametrize("life", ["0", "0.5", "1.0", "1.5"])
def test_row_14_clients_fight_over_a_dying_program(
    launch: Launch, ours: Implementation, life: str
) -> None:
    """Two clients start, stop and restart a program that dies by itself: never a pid of 0 in
    RUNNING, and in the end it is as the last command says."""
    daemon = launch(ours, program("x", f"/bin/sleep {life}", startsecs=1, startretries=1))
    wrong: list[object] = []
    finished = threading.Event()

    def fight() -> None:
        for _ in range(12):
            daemon.client.outcome("supervisor.startProcess", "x", False)
            daemon.client.outcome("supervisor.stopProcess", "x")
            daemon.client.outcome("supervisor.startProcess", "x", False)

    def watch() -> None:
        while not finished.is_set():
            info = daemon.call("supervisor.getProcessInfo", "x")
            if info["statename"] == "RUNNING" and not info["pid"]:
                wrong.append(info)

    watcher = threading.Thread(target=watch)
    fighters = [threading.Thread(target=fight) for _ in range(2)]
    watcher.start()
    for fighter in fighters:
        fighter.start()
    for fighter in fighters:
        fighter.join(GENEROUS)
    finished.set()
    watcher.join(GENEROUS)
    daemon.client.outcome("supervisor.stopProcess", "x")
    assert daemon.client.state("x") in ("STOPPED", "FATAL", "EXITED")
    assert not wrong
    assert "Traceback" not in daemon.log_text()


def test_row_16_many_programs(launch: Launch, ours: Implementation) -> None:
    """500 programs with more than 1,024 descriptors; clients that vanish while they follow logs
    leave nothing behind; all stop together."""
    wanted = 4096
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < wanted and os.geteuid() != 0:
        pytest.skip("may not open that many files")
    programs = program("many", numprocs=500, process_name="p%(process_num)03d")
    daemon = launch(ours, programs, settings=f"minfds={wanted}")
    until(
        lambda: list(daemon.client.states().values()).count("RUNNING") == 500,
        "all of them run",
    )
    before = _descriptors(daemon)
    assert before > 1024
    vanishing = []
    for number in range(20):
        connection = UnixConnection(str(daemon.socket))
        connection.request("GET", f"/logtail/many:p{number:03d}")
        answer = connection.getresponse()
        assert answer.status == 200
        vanishing.append((connection, answer))
    for connection, answer in vanishing:
        answer.close()
        connection.close()
    until(lambda: _descriptors(daemon) <= before, "nothing is left open")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert not marked(daemon.identifier)


def test_the_keeper_is_optional(launch: Launch, ours: Implementation) -> None:
    """keeper=false: everything in one process, with the same results."""
    daemon = launch(ours, program("cat") + program("done", "/bin/true"), settings="keeper=false")
    daemon.until_state("cat", "RUNNING")
    daemon.until_state("done", "EXITED")
    assert len(marked(daemon.identifier)) == 2
    assert daemon.ctl("restart", "cat").lines == ["cat: stopped", "cat: started"]
    pid = daemon.pid
    assert daemon.ctl("reload").lines == ["Restarted supervisord"]
    daemon.until_logged("supervisord started with pid", times=2)
    daemon.until_state("cat", "RUNNING")
    assert daemon.pid == pid


def test_nothing_wakes_up_when_nothing_happens(launch: Launch, ours: Implementation) -> None:
    """An idle daemon makes no step: the count of its voluntary context switches stands still."""
    daemon = launch(ours, program("idle", numprocs=20, process_name="p%(process_num)d"))
    until(lambda: set(daemon.client.states().values()) == {"RUNNING"}, "all run")
    until(daemon.has_executed_all, "no child looks like one of us any more")
    python = os.path.realpath(sys.executable)
    ours_only = [
        pid
        for pid in marked(daemon.identifier)
        if os.path.realpath(os.readlink(f"/proc/{pid}/exe")) == python
    ]
    assert len(ours_only) == 2

    def switches() -> dict[str, int]:
        counted = {}
        for pid in ours_only:
            for task in Path(f"/proc/{pid}/task").iterdir():
                for line in (task / "status").read_text().splitlines():
                    if line.startswith("voluntary_ctxt_switches"):
                        counted[str(task)] = int(line.split()[1])
        return counted

    def at_rest() -> bool:
        before = switches()
        # The only place where the tests sleep: something is shown not to happen.
        threading.Event().wait(1.5)
        return switches() == before

    until(at_rest, "the daemon, its threads and the keeper are at rest")
