"""Scenario 8: what a program leaves behind, and what kill_mode makes of it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import ordinary
from support.daemon import Daemon, Launch, alive
from support.implementations import Implementation
from support.programs import program
from support.rpc import free_port
from support.torture import kill_daemon
from support.waiting import until

FAMILY = Path(__file__).parent.parent / "support" / "family.py"
CHILDREN = frozenset({"background", "session", "double"})
ALL = CHILDREN | {"main"}


@dataclass(slots=True)
class Family:
    """The program and its children, by the files in which they write their pids."""

    folder: Path
    port: int
    seen: list[int]

    def program(self, *words: str, **options: object) -> str:
        """Its section."""
        command = f"{sys.executable} -S -E {FAMILY} {self.folder} {self.port} {' '.join(words)}"
        return program("family", command, **{"autorestart": "false", **options})

    def pids(self) -> dict[str, int]:
        """All pids, once all stand; they are forgotten then."""
        files = {name: self.folder / f"{name}.pid" for name in ALL}
        until(lambda: all(file.exists() for file in files.values()), "the whole family stands")
        pids = {name: int(file.read_text()) for name, file in files.items()}
        for file in files.values():
            file.unlink()
        self.seen += pids.values()
        return pids


@pytest.fixture
def family(scratch: Path, launch: Launch) -> Iterator[Family]:
    """Its folder and a port that nobody has.  Whoever of it is left is ended before the daemon."""
    scratch.chmod(0o777)
    family = Family(scratch, free_port(), [])
    yield family
    for pid in family.seen:
        with contextlib.suppress(OSError):
            if str(FAMILY).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)


Start = Callable[[str], Daemon]


@pytest.fixture(params=["us", "nobody"])
def start(request: pytest.FixtureRequest, ours: Implementation, launch: Launch) -> Start:
    """Start a daemon as ourselves (root has control groups perhaps) or as a user without them."""
    if request.param == "us":
        return lambda text: launch(ours, text)
    reason = ordinary.reason_against()
    if reason:
        pytest.skip(reason)
    words = [ours.program("supervisord"), "-c", "supervisord.conf"]
    return lambda text: launch(ours, text, command=ordinary.as_nobody(words))


def living(pids: dict[str, int]) -> set[str]:
    """The names of those that live."""
    return {name for name, pid in pids.items() if alive(pid)}


def test_a_stop_ends_all_that_came_from_it(family: Family, start: Start) -> None:
    """By the stop signal: the child in the background, in its own session, and forked twice."""
    daemon = start(family.program(kill_mode="tree", stopwaitsecs=60))
    pids = family.pids()
    assert daemon.ctl("stop", "family").out == "family: stopped\n"
    assert living(pids) == set()
    assert "SIGKILL" not in daemon.log_text()


def test_who_ignores_the_stop_signal_is_killed(family: Family, start: Start) -> None:
    """After stopwaitsecs, although the process itself has ended; until then it is STOPPING."""
    daemon = start(family.program("stubborn", kill_mode="tree", stopwaitsecs=4))
    pids = family.pids()
    daemon.call("supervisor.stopProcess", "family", False)
    daemon.until_state("family", "STOPPED")
    assert living(pids) == set()
    daemon.until_logged("stopped: family")
    log = daemon.log_text()
    still = re.search(r"'family:family' has ended, .* of it still runs", log)
    assert still
    assert "killing what is left of 'family:family' with SIGKILL" in log[still.end() :]
    assert "stopped: family" not in log[: still.end()], "until then it is STOPPING"


def test_a_crash_ends_the_rest_before_the_restart(family: Family, start: Start) -> None:
    """The port is free again: the next family stands, the one before has no part left."""
    daemon = start(family.program("stubborn", kill_mode="tree", stopwaitsecs=1, autorestart="true"))
    first = family.pids()
    os.kill(first["main"], signal.SIGKILL)
    second = family.pids()
    assert living(first) == set()
    assert living(second) == ALL
    daemon.until_logged("exited: family")
    log = daemon.log_text()
    assert log.index("killing what is left") < log.index("exited: family (terminated by SIGKILL")
    daemon.ctl("stop", "family")
    assert living(second) == set()


def test_a_stop_after_a_daemon_was_killed(family: Family, start: Start) -> None:
    """The daemon that comes after it finds the whole tree again."""
    daemon = start(family.program(kill_mode="tree", stopwaitsecs=60))
    pids = family.pids()
    kill_daemon(daemon.pid)
    daemon.until_logged("adopted: 'family' with pid")
    daemon.until_state("family", "RUNNING")
    assert living(pids) == ALL
    daemon.ctl("stop", "family")
    assert living(pids) == set()


def test_only_the_process_is_asked_first(
    family: Family, launch: Launch, ours: Implementation
) -> None:
    """With stopasgroup=false the others are asked when it has ended: who reaps them may do so."""
    text = family.program(kill_mode="tree", stopasgroup="false", stopwaitsecs=60)
    daemon = launch(ours, text, settings="loglevel=debug")
    pids = family.pids()
    daemon.ctl("stop", "family")
    assert living(pids) == set()
    daemon.until_logged(r"killing family \(pid \d+\) with signal SIGTERM")


def test_nothing_is_left_in_the_control_group_file_system(
    family: Family, launch: Launch, ours: Implementation
) -> None:
    """Its directory is there while it runs, and goes with it."""
    daemon = launch(ours, family.program(kill_mode="tree"))
    pids = family.pids()
    places = [
        folder
        for folder in Path("/sys/fs/cgroup").rglob(f"{daemon.identifier}.{daemon.pid}/*")
        if folder.is_dir()
    ]
    if not places:
        pytest.skip("no control group can be made here")

    def inside() -> set[int]:
        return set(map(int, (places[0] / "cgroup.procs").read_text().split()))

    # Who was forked in between to start another one may still be about to end.
    until(lambda: inside() == set(pids.values()), lambda: f"{inside()} is {pids}")
    daemon.ctl("stop", "family")
    until(lambda: not places[0].parent.exists(), "the directories are gone")


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({}, CHILDREN),
        ({"stopasgroup": "true"}, CHILDREN - {"background"}),
        ({"killasgroup": "true"}, CHILDREN),
    ],
    ids=["no flags", "stopasgroup", "killasgroup"],
)
def test_the_old_flags_reach_as_far_as_ever(
    family: Family,
    launch: Launch,
    either: Implementation,
    options: dict[str, str],
    left: frozenset[str],
) -> None:
    """The process, or its process group: who left that runs on (gotcha G34)."""
    daemon = launch(either, family.program(**options))
    pids = family.pids()
    daemon.ctl("stop", "family")
    until(lambda: living(pids) == left, lambda: f"{living(pids)} is {left}")


def test_kill_mode_says_what_the_old_flags_say(
    family: Family, launch: Launch, ours: Implementation
) -> None:
    """kill_mode=group is stopasgroup and killasgroup."""
    daemon = launch(ours, family.program(kill_mode="group"))
    pids = family.pids()
    daemon.ctl("stop", "family")
    until(lambda: living(pids) == CHILDREN - {"background"}, "the group has ended")
