"""Somebody is killed in the middle of an upgrade: the old daemon, the new one, or the keeper.

At every step of the hand-over.  No program dies, none runs twice, none is forgotten, no exit status
is lost; somebody answers afterwards.  The killing is done by the daemons themselves, so it comes at
the same place every time.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from support.daemon import Daemon, Launch, marked
from support.implementations import Implementation
from support.versions import Installation
from support.waiting import until

# `ends` ends with 7 when it is told to, and goes on for ever after that.
PROGRAMS = """
[program:cat]
command=/bin/cat
startsecs=0
[program:count]
command=/bin/sh -c 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done'
startsecs=0
[program:ends]
command=/bin/sh -c 'echo $$ >> ends.pids; while [ ! -e go ]; do sleep 0.02; done; rm go; exit 7'
startsecs=0
autorestart=true
"""

# What a daemon does to itself (`new`) and others.
KILL = """
import os, pathlib, signal, time

def kill(what, keeper):
    children = pathlib.Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
    lines = {int(pid): pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
    daemons = [pid for pid, line in lines.items() if b"proctor.supervisord" in line]
    old = [pid for pid in daemons if pid != os.getpid()]
    victims = {"old": old, "new": [os.getpid()], "keeper": [keeper]}[what]
    open("struck", "a").write(f"{what}\\n")
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    while any(map(lives, victims)):
        time.sleep(0.01)

def lives(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

def end_program():
    pid = int(pathlib.Path("ends.pids").read_text().split()[-1])
    open("go", "w").close()
    while lives(pid):
        time.sleep(0.01)

def once():
    try:
        os.close(os.open("once", os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False
"""

# In the new daemon.
BEFORE_HELLO = """
hello = KeeperHost.hello
def killing(self):
    if once():
        {end}
        kill("{what}", self.keeper_pid)
    return hello(self)
KeeperHost.hello = killing
"""
WELCOMED = """
heard = Welcome.heard_all
def killing(self, *words):
    heard(self, *words)
    if once():
        {end}
        kill("{what}", os.getppid())
Welcome.heard_all = killing
"""
BEFORE_HEALTHY = """
healthy = KeeperHost.healthy
def killing(self):
    if once():
        {end}
        kill("{what}", self.keeper_pid)
    healthy(self)
KeeperHost.healthy = killing
"""
HEALTHY = """
healthy = KeeperHost.healthy
def killing(self):
    healthy(self)
    if once():
        self._line._flush()
        {end}
        kill("{what}", self.keeper_pid)
KeeperHost.healthy = killing
"""
STEPS = {
    "before hello": BEFORE_HELLO,
    "welcomed": WELCOMED,
    "before healthy": BEFORE_HEALTHY,
    "healthy": HEALTHY,
}
# In the old one.
ASIDE = """
aside = KeeperHost.stand_aside
def killing(self, note, seconds):
    os.kill(self.keeper_pid, signal.SIGSTOP)
    word = aside(self, note, seconds)
    us = os.getpid()
    if "{what}" == "new" and os.fork() == 0:
        # Somebody has to let the keeper go on.
        while lives(us):
            time.sleep(0.01)
        os.kill(self.keeper_pid, signal.SIGCONT)
        os._exit(0)
    kill("{what}", self.keeper_pid)
    return word
KeeperHost.stand_aside = killing
"""
LONG = 300.0


def begin(
    launch: Launch, ours: Implementation, scratch: Path, old: str = ""
) -> tuple[Daemon, Installation]:
    """A daemon that runs from an installation of its own."""
    installation = Installation(scratch)
    if old:
        installation.install(posix__keeper_host=old)
    daemon = launch(
        ours,
        PROGRAMS,
        settings="upgrade_timeout=120",
        command=[*installation.command, "-c", "supervisord.conf"],
        environment=installation.environment,
    )
    for name in ("cat", "count", "ends"):
        daemon.until_state(name, "RUNNING")
    daemon.until_file("ends.pids", r"\d+\n")
    return daemon, installation


def pids(daemon: Daemon) -> dict[str, int]:
    return {one["name"]: one["pid"] for one in daemon.call("supervisor.getAllProcessInfo")}


def go_on(daemon: Daemon, before: dict[str, int]) -> None:
    """`cat` and `count` are who they were; stdin and output go on, and no line is missing."""
    until(lambda: pids(daemon), "somebody answers", LONG)
    now = pids(daemon)
    assert (now["cat"], now["count"]) == (before["cat"], before["count"])
    daemon.call("supervisor.sendProcessStdin", "cat", "hello\n")
    until(lambda: "hello" in daemon.call("supervisor.readProcessStdoutLog", "cat", 0, 0), "echo")
    lines = output(daemon)
    until(lambda: len(output(daemon)) > len(lines), "its output goes on")
    assert lines == [str(number) for number in range(1, len(lines) + 1)]


def output(daemon: Daemon) -> list[str]:
    (log,) = daemon.directory.glob("count-stdout---*")
    return log.read_text().split("\n")[:-1]


def are_minded(daemon: Daemon, count: int) -> None:
    """`count` has this pid, and runs once; its end is noticed.  There is one daemon."""
    assert pids(daemon)["count"] == count
    until(lambda: len(daemons_of(daemon)) == 1, "one daemon is left")
    os.kill(count, signal.SIGKILL)
    daemon.until_logged(r"exited: count \((terminated by SIGKILL|exit status unknown)")
    until(lambda: pids(daemon)["count"] not in (0, count), "it is started again")


def daemons_of(daemon: Daemon) -> list[int]:
    return [pid for pid in marked(daemon.identifier) if is_daemon(pid)]


def is_daemon(pid: int) -> bool:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"proctor.supervisord" in line and b"keeper/main.py" not in line


# Where only the keeper has the pipes: nobody has them when it is killed, nor hears of an end.
ALL_AT_ONCE = ("before hello", "keeper")
CASES = [(step, what) for step in STEPS for what in ("old", "new", "keeper")]


@pytest.mark.parametrize(("step", "what"), [case for case in CASES if case != ALL_AT_ONCE])
def test_killed_while_the_new_one_begins(
    launch: Launch, ours: Implementation, scratch: Path, step: str, what: str
) -> None:
    """Nothing is lost, not even the status of a program that ends in that moment."""
    daemon, installation = begin(launch, ours, scratch)
    before = pids(daemon)
    code = KILL + STEPS[step].format(what=what, end="end_program()")
    installation.install("0.1.1", posix__keeper_host=code)
    daemon.ctl("upgrade", seconds=LONG)
    until(lambda: daemon.file("struck"), "it was killed")
    go_on(daemon, before)
    daemon.until_logged(r"exited: ends \(exit status 7; not expected\)")
    are_minded(daemon, before["count"])


def test_the_old_one_is_killed_before_that(
    launch: Launch, ours: Implementation, scratch: Path
) -> None:
    """It has said that it stands aside, and nobody has heard it yet."""
    daemon, installation = begin(launch, ours, scratch, KILL + ASIDE.format(what="new"))
    before = pids(daemon)
    installation.install("0.1.1")
    daemon.ctl("upgrade", seconds=LONG)
    go_on(daemon, before)
    are_minded(daemon, before["count"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(ASIDE.format(what="keeper"), "", id="before there is a new one"),
        pytest.param("", BEFORE_HELLO.format(what="keeper", end=""), id="before the hello"),
    ],
)
def test_the_keeper_is_killed_when_only_it_has_the_pipes(
    launch: Launch, ours: Implementation, scratch: Path, old: str, new: str
) -> None:
    """The daemon that is there makes another keeper, becomes what is installed now, and finds the
    programs as after a death of both."""
    daemon, installation = begin(launch, ours, scratch, KILL + old)
    before = pids(daemon)
    installation.install("0.1.1", posix__keeper_host=KILL + new)
    daemon.ctl("upgrade", seconds=LONG)
    daemon.until_logged("CRIT the keeper was killed while a daemon began")
    assert daemon.call("proctor.getVersion") == "0.1.1"
    are_minded(daemon, before["count"])
