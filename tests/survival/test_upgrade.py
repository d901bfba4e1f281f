"""supervisorctl upgrade: another version goes on with the same programs, or the old one does."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from proctor.core.faults import Fault, FaultCode
from proctor.daemon.activity_log import ActivityLog, Level
from proctor.survival.upgrade import Upgrade, renew_keeper
from support.daemon import Daemon, Launch, alive
from support.implementations import Implementation
from support.rpc import Client
from support.versions import Installation
from support.waiting import until

PROGRAMS = """
[program:cat]
command=/bin/cat
startsecs=0
[program:count]
command=/bin/sh -c 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done'
startsecs=0
[program:slow]
command=/bin/sh -c 'trap "sleep 1; exit" TERM; while :; do sleep 0.1; done'
startsecs=0
[program:resting]
command=/bin/cat
autostart=false
"""

# For a machine that is busy with other things.
PATIENT = "upgrade_timeout=120"
LONG = 300.0

Start = Callable[..., tuple[Daemon, Installation]]


@pytest.fixture
def start(launch: Launch, ours: Implementation, scratch: Path) -> Start:
    """A daemon that runs from an installation of its own."""

    def begin(settings: str = PATIENT, **broken: str) -> tuple[Daemon, Installation]:
        installation = Installation(scratch)
        if broken:
            installation.install(**broken)
        daemon = launch(
            ours,
            PROGRAMS,
            settings=settings,
            command=[*installation.command, "-c", "supervisord.conf"],
            environment=installation.environment,
        )
        until(lambda: all(daemon.client.pid(name) for name in ("cat", "count", "slow")), "all run")
        daemon.until_state("count", "RUNNING")
        return daemon, installation

    return begin


def pids(daemon: Daemon) -> dict[str, int]:
    return {one["name"]: one["pid"] for one in daemon.call("supervisor.getAllProcessInfo")}


def is_complete(daemon: Daemon) -> bool:
    """Whether the log of `count` has every line once, in order."""
    (log,) = daemon.directory.glob("count-stdout---*")
    lines = log.read_text().splitlines()
    return lines == [str(number) for number in range(1, len(lines) + 1)]


def test_the_new_version_goes_on_with_everything(start: Start) -> None:
    """Pids, output, the daemon's own pid; twice in a row, and the keeper each time after it."""
    daemon, installation = start()
    before, pid = pids(daemon), daemon.call("supervisor.getPID")
    for times, (old, new) in enumerate((("0.1.0", "0.1.1"), ("0.1.1", "0.2.0")), 1):
        installation.install(new)
        answer = daemon.ctl("upgrade", seconds=LONG)
        assert (answer.lines, answer.code) == ([f"Upgraded supervisord: {old} -> {new}"], 0)
        assert daemon.call("proctor.getVersion") == new
        daemon.until_logged("the keeper goes on as the version", times=times)
    assert (pids(daemon), daemon.call("supervisor.getPID")) == (before, pid)
    assert daemon.client.state("resting") == "STOPPED"
    daemon.call("supervisor.sendProcessStdin", "cat", "hello\n")
    until(lambda: daemon.call("supervisor.readProcessStdoutLog", "cat", 0, 0) == "hello\n", "echo")
    assert is_complete(daemon)
    daemon.until_logged("took over from Proctor 0.1.1; this is Proctor 0.2.0")
    taken = "was taken over by a new supervisord, 2 times in a row"
    until(lambda: daemon.call("proctor.why", "cat")["steps"][-1]["text"] == taken, "why tells it")


BROKEN = {
    "No module named 'nothing_of_the_kind'": ("web__app", "import nothing_of_the_kind"),
    "it ended with status 3": ("config__load", "raise SystemExit(3)"),
    "it cannot read the states": (
        "survival__snapshot",
        "Record.from_bytes = classmethod(lambda *_: None)",
    ),
    "ZeroDivisionError": ("survival__snapshot", "def go_on_with_child(*_, **__): return 1 / 0"),
}


def test_what_fails_its_trial_changes_nothing(start: Start) -> None:
    """It does not import, ends, cannot read the state or go on with it: all goes on as before."""
    daemon, installation = start()
    before = pids(daemon)
    for reason, (module, code) in BROKEN.items():
        installation.install("0.1.1", **{module: code})
        answer = daemon.ctl("upgrade", seconds=LONG)
        assert answer.code == 1
        assert answer.out.startswith("ERROR: not upgraded: what is installed now cannot take over")
        assert reason in answer.out
    assert (pids(daemon), daemon.call("proctor.getVersion")) == (before, "0.1.0")
    assert "handing over" not in daemon.log_text()


CRASH = """
import os, sys
if "--again" in sys.orig_argv:
    KeeperHost.healthy = lambda self: os._exit(9)
"""
HANG = """
import sys, time
if "--again" in sys.orig_argv:
    KeeperHost.hello = lambda self: time.sleep(1000)
"""


@pytest.mark.parametrize(
    ("code", "reason"),
    [(CRASH, "it ended with exit status 9"), (HANG, "it was not healthy within 2 seconds")],
)
def test_what_fails_afterwards_is_taken_back(start: Start, code: str, reason: str) -> None:
    """It passed its trial, then it crashed or hung: the old one returns, with the code it has in
    memory, and says why; and can be upgraded when that is mended."""
    daemon, installation = start(settings="upgrade_timeout=2" if code == HANG else PATIENT)
    before = pids(daemon)
    installation.install("0.1.1", posix__keeper_host=code)
    answer = daemon.ctl("upgrade", seconds=LONG)
    said = f"ERROR: not upgraded: 0.1.1 came to nothing, 0.1.0 goes on: {reason}"
    assert (answer.lines, answer.code) == ([said], 1)
    assert (pids(daemon), daemon.call("proctor.getVersion")) == (before, "0.1.0")
    daemon.until_logged(f"upgrade to Proctor 0.1.1 has failed, this is 0.1.0 again: {reason}")
    installation.install("0.1.2")
    daemon.conf.write_text(daemon.conf.read_text().replace("upgrade_timeout=2\n", PATIENT + "\n"))
    assert daemon.ctl("apply").code == 0
    answer = daemon.ctl("upgrade", seconds=LONG)
    assert answer.lines == ["Upgraded supervisord: 0.1.0 -> 0.1.2"]
    assert pids(daemon) == before
    assert is_complete(daemon)


COUNT = """
import weakref
LIVES = weakref.WeakSet()
make, begin = Daemon.__init__, Daemon._begin_work
def made(self, *parts):
    LIVES.add(self)
    make(self, *parts)
async def begun(self, holdings):
    await begin(self, holdings)
    with open("lives", "a") as told:
        told.write(f"{len(LIVES)}\\n")
Daemon.__init__, Daemon._begin_work = made, begun
"""


def test_who_returns_has_nothing_left_of_its_former_life(start: Start) -> None:
    """However often: what stood aside is garbage as soon as it has returned."""
    daemon, installation = start(runtime__daemon=COUNT)
    installation.install("0.1.1", posix__keeper_host=CRASH)
    for times in (1, 2):
        assert daemon.ctl("upgrade", seconds=LONG).code == 1
        daemon.until_logged("this is 0.1.0 again", times=times)
    until(lambda: daemon.file("lives") == "1\n1\n1\n", "one daemon lives each time")


def test_an_attempt_that_broke_off_is_not_under_way() -> None:
    """Whatever kept it from being tried out, the next attempt is a new one."""

    def no_state() -> bytes:
        raise OSError("no state")

    async def twice() -> None:
        upgrade = Upgrade(["/bin/true"], ActivityLog(Level.INFO), lambda: None)
        for _ in range(2):
            with pytest.raises(OSError, match="no state"):
                await upgrade.begin(no_state)

    asyncio.run(twice())


def test_a_hand_over_that_has_become_impossible() -> None:
    """The keeper may be killed during the trial: everything goes on, and may be tried again."""
    lost = [True]

    def hand_over() -> None:
        if lost:
            raise Fault(FaultCode.FAILED, "there is no keeper")

    async def twice() -> None:
        upgrade = Upgrade(["/bin/echo", "9.9"], ActivityLog(Level.INFO), hand_over)
        with pytest.raises(Fault, match="there is no keeper"):
            await upgrade.begin(lambda: b"")
        assert upgrade.news is None
        lost.clear()
        assert (await upgrade.begin(lambda: b"")).new == "9.9"

    asyncio.run(twice())


def test_a_keeper_that_does_not_answer_stays_as_it_is() -> None:
    """One that does not know how to become another program would be waited for without end."""
    lines: list[bytes] = []
    log = ActivityLog(Level.INFO)
    log.attach(lines.append)

    async def ask() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.wait_for(renew_keeper(loop.create_future, log, seconds=0.01), LONG)

    asyncio.run(ask())
    assert b"the keeper goes on as it was: it has not answered within 0.01 seconds" in lines[0]


def test_the_signal_does_the_same(start: Start) -> None:
    """SIGUSR1 to the pid that users see; what becomes of it is in the log."""
    daemon, installation = start()
    installation.install("0.1.1", web__app="import nothing_of_the_kind")
    daemon.signal(signal.SIGUSR1)
    daemon.until_logged("cannot upgrade, everything goes on as it was: .*nothing_of_the_kind")
    before = pids(daemon)
    installation.install("0.1.1")
    daemon.signal(signal.SIGUSR1)
    daemon.until_logged("took over from Proctor 0.1.0; this is Proctor 0.1.1")
    assert pids(daemon) == before


BEFORE_IT_HOLDS_SIGNALS = """
import os
hold = SignalDesk.hold
def signalled(self):
    os.kill(os.getpid(), signal.SIGTERM)
    return hold(self)
SignalDesk.hold = signalled
"""
AFTERWARDS = """
aside = KeeperHost.stand_aside
def signalled(self, note, seconds):
    os.kill(self.keeper_pid, signal.SIGTERM)
    while signal.SIGTERM not in signal.sigpending():
        time.sleep(0.01)
    return aside(self, note, seconds)
KeeperHost.stand_aside = signalled
"""


@pytest.mark.parametrize(
    "broken",
    [{"daemon__signals": BEFORE_IT_HOLDS_SIGNALS}, {"posix__keeper_host": AFTERWARDS}],
    ids=["before", "after"],
)
def test_told_to_end_in_the_last_moment(start: Start, broken: dict[str, str]) -> None:
    """A SIGTERM between the two daemons stops all programs, waits for the slow ones, and ends."""
    daemon, installation = start(**broken)
    slow = pids(daemon)["slow"]
    installation.install("0.1.1")
    daemon.signal(signal.SIGUSR1)
    assert daemon.wait() == 0
    assert not alive(slow)


def test_without_a_keeper_it_is_refused(start: Start) -> None:
    """With a sentence that says what to do."""
    daemon, _ = start(settings="keeper=false")
    answer = daemon.ctl("upgrade", seconds=LONG)
    assert answer.code == 1
    assert answer.out.startswith("ERROR: not upgraded: there is no keeper")
    assert alive(daemon.pid)


def test_who_follows_a_log_follows_it_on(start: Start) -> None:
    """tail -f over an upgrade and over a kill -9: every line once, in order."""
    daemon, installation = start()
    shown = daemon.directory / "shown"
    tail = [daemon.implementation.program("supervisorctl"), "-c", str(daemon.conf), "tail", "-f"]
    with shown.open("wb") as file, subprocess.Popen([*tail, "count"], stdout=file) as follower:
        try:
            wait_for_lines(shown, 10)
            installation.install("0.1.1")
            assert daemon.ctl("upgrade", seconds=LONG).code == 0
            count = wait_for_lines(shown, 10 + len(numbers(shown)))
            os.kill(
                until(lambda: only_daemon(daemon), "the old one has gone", LONG), signal.SIGKILL
            )
            wait_for_lines(shown, 10 + count)
        finally:
            follower.terminate()
    seen = numbers(shown)
    assert seen == list(range(seen[0], seen[0] + len(seen)))


def numbers(shown: Path) -> list[int]:
    """The whole lines that tail has shown; its banner and the cut first one are none."""
    return [int(line) for line in shown.read_text().split("\n")[2:-1]]


def wait_for_lines(shown: Path, count: int) -> int:
    until(lambda: len(numbers(shown)) >= count, "more lines", seconds=LONG)
    return len(numbers(shown))


def only_daemon(daemon: Daemon) -> int:
    """The pid of the daemon below the keeper; 0 while there are two."""
    children = Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text().split()
    found = [
        pid
        for pid in map(int, children)
        if b"supervisord" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    return found[0] if len(found) == 1 else 0


def test_who_connects_in_the_gap_waits(start: Start) -> None:
    """Requests one after the other over an upgrade: none is refused, none fails."""
    daemon, installation = start()
    installation.install("0.1.1")
    answers: list[object] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                answers.append(Client(daemon.socket).state("cat"))
            except OSError as error:
                answers.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        assert daemon.ctl("upgrade", seconds=LONG).code == 0
    finally:
        over.set()
        asking.join()
    assert set(answers) == {"RUNNING"}
