"""memmon where it is better than the original, and with programs that really eat memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from listeners.stage import TICK, DaemonDouble, Outcome, Theatre, answers
from proctor.listeners import memory
from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.programs import program
from support.waiting import until

# Eats 60 MB when it is told to.
EATER = """\
import sys
print("hungry", flush=True)
for line in sys.stdin:
    eaten = bytearray(b"x" * 60_000_000)
    print("full", flush=True)
"""


@pytest.fixture
def double() -> DaemonDouble:
    """A daemon with ourselves (this very process) in two groups, and nothing else."""
    double = DaemonDouble()
    double.add("py", pid=os.getpid())
    double.add("py", "more", pid=os.getpid())
    return double


def _run(
    theatre: Theatre,
    ours: Implementation,
    double: DaemonDouble,
    *arguments: str,
    environment: dict[str, str] | None = None,
) -> Outcome:
    words = ("-m", "dev@example.com", "-s", theatre.sendmail, *arguments)
    with double.serving():
        outcome = theatre.run(
            ours, "memmon", *words, play=(TICK,), url=double.url, environment=environment
        )
    assert outcome.out == answers(1), outcome.err
    return outcome


def _stopped(double: DaemonDouble) -> list[str]:
    return [str(call[1]) for call in double.changes() if call[0] == "stopProcess"]


def test_name_in_the_subject(theatre: Theatre, ours: Implementation, double: DaemonDouble) -> None:
    """S8: only -n names this memmon, wherever it stands."""
    for arguments, who in (
        (("-p", "py=1"), "memmon"),
        (("-n", "night watch", "-p", "py=1", "-g", "py=1GB"), "memmon [night watch]"),
    ):
        outcome = _run(theatre, ours, double, *arguments)
        assert f"\nSubject: {who}: process py:py restarted\n" in outcome.mails[0]


@pytest.mark.parametrize(
    ("arguments", "stopped"),
    [
        (("-p", "more:py=1"), ["more:py"]),
        (("-p", "py:py=1"), ["py:py"]),
        (("-p", "py=1"), ["py:py", "more:py"]),
        (("-p", "py=1", "-p", "more:py=9GB"), ["py:py"]),
        (("-g", "more=1"), ["more:py"]),
    ],
)
def test_programs_by_group_and_name(
    theatre: Theatre,
    ours: Implementation,
    double: DaemonDouble,
    arguments: tuple[str, ...],
    stopped: list[str],
) -> None:
    """S9: group:name works, and is stronger than the bare name."""
    _run(theatre, ours, double, *arguments)
    assert _stopped(double) == stopped


def test_one_restart_is_enough(
    theatre: Theatre, ours: Implementation, double: DaemonDouble
) -> None:
    """S10: after the rule for the program has restarted it, the others have nothing to say."""
    outcome = _run(theatre, ours, double, "-p", "py=1", "-g", "py=1", "-a", "1")
    assert _stopped(double) == ["py:py", "more:py"]
    assert outcome.err.count("RSS of py:py") == 1


def test_it_does_not_restart_itself(
    theatre: Theatre, ours: Implementation, double: DaemonDouble
) -> None:
    """S6: -a means all the others."""
    ourselves = {"SUPERVISOR_GROUP_NAME": "more", "SUPERVISOR_PROCESS_NAME": "py"}
    _run(theatre, ours, double, "-a", "1", environment=ourselves)
    assert _stopped(double) == ["py:py"]


def test_a_process_that_has_gone(
    theatre: Theatre, ours: Implementation, double: DaemonDouble
) -> None:
    """Nothing is restarted when the daemon knows it no more; the listener goes on."""
    double.refuse("getProcessInfo", "py:py", 10, "BAD_NAME: py")
    outcome = _run(theatre, ours, double, "-a", "1")
    assert _stopped(double) == []
    assert "<Fault 10: 'BAD_NAME: py'>, not acting\n" in outcome.err


def test_proc_and_ps_agree() -> None:
    """The same figure, once the process has come to rest."""
    command = [sys.executable, "-c", "print(flush=True); input()"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as child:
        assert child.stdout is not None
        try:
            child.stdout.readline()
            until(lambda: memory.from_ps()[child.pid] == memory.census().found[child.pid], "equal")
            assert memory.census().found[child.pid][0] == os.getpid()
        finally:
            child.communicate(b"\n")


def test_descendants_count_once() -> None:
    """A family is what comes from it, at any depth; a stranger does not exist."""
    census = memory.Census({1: (0, 10), 2: (1, 20), 3: (2, 30), 4: (1, 40), 5: (0, 50)})
    assert census.with_descendants(1) == 100
    assert census.with_descendants(2) == 50
    assert census.with_descendants(9) is None
    assert census.of(9) is None


def _eating(launch: Launch, side: Implementation, *sections: str) -> Daemon:
    daemon = launch(side, "")
    eater = daemon.directory / "eater.py"
    eater.write_text(EATER)
    plain = program("eater", f"{sys.executable} {eater}")
    family = program("family", f"/bin/sh -c '{sys.executable} {eater}; true'", stopasgroup="true")
    daemon.configure(plain + family + "".join(sections))
    daemon.ctl("update")
    return daemon


def _fed(daemon: Daemon, name: str) -> int:
    daemon.until_state(name, "RUNNING")
    daemon.call("supervisor.sendProcessStdin", name, "eat\n")
    until(
        lambda: "full" in daemon.call("supervisor.readProcessStdoutLog", name, 0, 0),
        f"{name} has eaten",
    )
    return daemon.client.pid(name)


def _tick(theatre: Theatre, ours: Implementation, daemon: Daemon, *arguments: str) -> Outcome:
    words = ("-m", "dev@example.com", "-s", theatre.sendmail, *arguments)
    return theatre.run(ours, "memmon", *words, play=(TICK,), url=f"unix://{daemon.socket}")


def test_a_program_that_eats_memory(
    launch: Launch, either: Implementation, ours: Implementation, theatre: Theatre
) -> None:
    """It is restarted, under theirs and ours; the mail has its last words."""
    daemon = _eating(launch, either)
    before = _fed(daemon, "eater")
    outcome = _tick(theatre, ours, daemon, "-p", "eater=50MB", "-a", "900MB")
    assert outcome.out == answers(1), outcome.err
    (mail,) = outcome.mails
    assert "\nSubject: memmon: process eater:eater restarted\n" in mail
    assert mail.endswith("> hungry\n> full")
    assert daemon.client.pid("eater") not in (0, before)
    assert _tick(theatre, ours, daemon, "-p", "eater=50MB").mails == []


def test_a_family_that_eats_memory(
    launch: Launch, either: Implementation, ours: Implementation, theatre: Theatre
) -> None:
    """What descendants use counts with -c only."""
    daemon = _eating(launch, either)
    before = _fed(daemon, "family")
    assert _tick(theatre, ours, daemon, "-p", "family=50MB").mails == []
    assert daemon.client.pid("family") == before
    (mail,) = _tick(theatre, ours, daemon, "-p", "family=50MB", "-c").mails
    assert "process family:family restarted" in mail
    assert daemon.client.pid("family") not in (0, before)


def test_as_a_listener(
    launch: Launch, either: Implementation, ours: Implementation, theatre: Theatre
) -> None:
    """The whole way: the clock ticks, memmon looks, the program is restarted, a mail is there."""
    listener = f"""[eventlistener:memmon]
command={ours.program("memmon")} -p eater=50MB -m dev@example.com -s {theatre.sendmail}
events=TICK_5
"""
    daemon = _eating(launch, either, listener)
    for name in ("memmon", "eater"):
        daemon.until_state(name, "RUNNING")
    before = daemon.client.pid("eater")
    # A tick may come while it is still eating: nothing but the restart can be waited for.
    daemon.call("supervisor.sendProcessStdin", "eater", "eat\n")
    until(lambda: daemon.client.pid("eater") not in (0, before), "the eater was restarted")
    (mail,) = until(theatre.mails, "a mail came")
    assert "\nSubject: memmon: process eater:eater restarted\n" in mail
