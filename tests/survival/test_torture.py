"""Nothing is lost when the daemon is killed, again and again, under full load."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.torture import PROGRAM, WRITER, kill_a_child, kill_daemon, lines_of, verify
from support.waiting import until

KILLS = int(os.environ.get("PROCTOR_TORTURE_KILLS", "6"))
WRITERS = int(os.environ.get("PROCTOR_TORTURE_WRITERS", "3"))


def test_the_daemon_is_killed_while_children_write(launch: Launch, ours: Implementation) -> None:
    """No child dies with it, none is started twice, no line is lost or doubled."""
    chance = random.Random(20)
    daemon = launch(ours, settings="minfds=4096")
    (daemon.directory / "writer.py").write_text(WRITER)
    daemon.configure(
        PROGRAM.format(python=sys.executable, directory=daemon.directory, count=WRITERS)
    )
    daemon.ctl("update")
    killed: list[int] = []
    for _ in range(KILLS):
        before = running(daemon, killed)
        grows(daemon.directory / "writer_0.log")
        dead = kill_daemon(daemon.pid)
        until(lambda: daemon.call("supervisor.getPID"), f"it answers again after {dead}")
        assert running(daemon, killed) == before
        killed.append(kill_a_child(daemon, chance))
    running(daemon, killed)
    daemon.ctl("stop", "all")
    for number in range(WRITERS):
        counts = verify(lines_of(daemon.directory, f"writer_{number}"))
        assert len(counts) == 1 + sum(pid in counts for pid in killed)
        # A run may be empty: its writer was killed before its first line.
        assert sum(counts.values()) > 0


def running(daemon: Daemon, killed: list[int]) -> dict[str, int]:
    """The pids of all writers, once every one of them runs and none is one that was killed."""

    def pids() -> dict[str, int]:
        infos = daemon.call("supervisor.getAllProcessInfo")
        good = all(info["state"] == 20 and info["pid"] not in killed for info in infos)
        return {info["name"]: info["pid"] for info in infos} if good else {}

    return until(pids, "every writer runs")


def grows(log: Path) -> None:
    """Wait until somebody has written to the log."""
    size = log.stat().st_size
    until(lambda: log.stat().st_size != size, f"{log} grows")
