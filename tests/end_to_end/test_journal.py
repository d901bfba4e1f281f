"""Asking why: through supervisorctl, over deaths of the daemon."""

from __future__ import annotations

import json
import os
import pwd
import re
import sqlite3

import pytest

from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.programs import program
from support.torture import kill_daemon
from support.waiting import until

PROGRAMS = """
[program:web]
command=/bin/sh -c 'echo run of $$; exec sleep 1000'
startsecs=0
stdout_logfile={directory}/web.log
[program:broken]
command=/bin/sh -c 'echo trying; echo "cannot find my configuration" >&2; exit 3'
startretries=0
startsecs=10
[program:shy]
command=/bin/sh -c 'trap "" USR1; exec sleep 1000'
autostart=false
startsecs=0
"""

ME = rf"{re.escape(pwd.getpwuid(os.getuid()).pw_name)} \(uid {os.getuid()}, pid \d+\)"
TIME = r"(\d+-\d+-\d+ )?\d\d:\d\d:\d\d"


def started(launch: Launch, ours: Implementation, settings: str = "") -> Daemon:
    daemon = launch(ours, settings=settings)
    daemon.configure(PROGRAMS.format(directory=daemon.directory))
    daemon.ctl("update")
    daemon.until_state("web", "RUNNING")
    daemon.until_state("broken", "FATAL")
    return daemon


def why(daemon: Daemon, name: str) -> list[str]:
    answer = daemon.ctl("why", name)
    assert answer.code == 0, answer
    return answer.lines


def runs(daemon: Daemon, *words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(daemon.ctl("history", "--json", *words).out)
    return found


def test_why_and_history_and_logs(launch: Launch, ours: Implementation) -> None:
    """Who started it, who stopped it, how it ended, and what each run wrote."""
    daemon = started(launch, ours)
    assert re.match(
        rf"web is RUNNING since {TIME}, for .* \(pid \d+\):"
        rf" it was started when the configuration was updated by {ME}\.",
        why(daemon, "web")[0],
    )
    told = why(daemon, "broken")
    assert re.match(
        rf"broken is FATAL since {TIME}: it ended within 10 s of its start \(exit status 3\),"
        r" and was given up\.",
        told[0],
    )
    assert told[-2:] == ["Its last output:", "  | cannot find my configuration"]

    first = daemon.client.pid("web")
    daemon.until_file("web.log", f"run of {first}")
    daemon.ctl("stop", "web")
    assert re.match(
        rf"web is STOPPED since {TIME}: it was stopped by {ME} and ended"
        r" \(terminated by SIGTERM\)\.",
        why(daemon, "web")[0],
    )
    daemon.ctl("start", "web")
    second = daemon.client.pid("web")
    daemon.until_file("web.log", f"run of {second}")
    assert daemon.ctl("logs", "web").lines == [f"run of {second}"]
    assert daemon.ctl("logs", "web", "--run", "-1").lines == [f"run of {first}"]
    assert daemon.ctl("logs", "broken", "--stderr").lines == ["cannot find my configuration"]

    old, new = runs(daemon, "web")
    assert (old["pid"], old["signal"], old["expected"]) == (first, 15, True)
    assert (new["pid"], "end" in new) == (second, False)
    assert isinstance(old["cpu_seconds"], float)
    assert sorted(str(run["process"]) for run in runs(daemon, "--since", "1h")) == [
        "broken",
        "web",
        "web",
    ]
    table = daemon.ctl("history").lines
    assert table[0].split() == [
        "RUN", "PROGRAM", "START", "UPTIME", "CPU", "PEAK", "STARTED", "BY", "END",
    ]  # fmt: skip
    assert len(table) == 4
    (stopped,) = [line for line in table if "terminated by SIGTERM" in line]
    assert re.search(rf"terminated by SIGTERM, request by {ME}$", stopped)
    assert re.search(rf"request by {ME} +runs$", table[-1])


def test_a_signal_that_somebody_sent(launch: Launch, ours: Implementation) -> None:
    """It is put down to whoever sent it; one that changed nothing is not."""
    daemon = started(launch, ours)
    daemon.ctl("start", "shy")
    daemon.ctl("signal", "USR1", "shy")
    daemon.ctl("signal", "KILL", "shy")

    def told() -> bool:
        return any(
            re.search(rf"ended after .* by SIGKILL from {ME} \(terminated by SIGKILL\)", line)
            for line in why(daemon, "shy")
        )

    until(told, lambda: "\n".join(why(daemon, "shy")))


def test_names_and_options_that_are_wrong(launch: Launch, ours: Implementation) -> None:
    """Each gets an answer that helps, and a code."""
    daemon = started(launch, ours)
    for words, line in (
        (("why", "nope"), "nope: ERROR (no such process)"),
        (("history", "nope"), "nope: ERROR (no such process)"),
        (("logs", "nope"), "nope: ERROR (no such process)"),
        (("logs", "web", "--run", "-7"), "web: ERROR (web has no run -7, only 1 is known)"),
        (("logs", "web", "--run", "99"), "web: ERROR (run 99 is not a run of web; `history web`"),
        (("logs", "web", "--run", "x"), "Error: x is no run: write -1, or a number that history"),
        (("why",), "Error: why needs the name of a process"),
        (("why", "--jsn", "web"), "Error: why does not know --jsn; did you mean --json?"),
        (("logs", "web", "--rnu=1"), "Error: logs does not know --rnu; did you mean --run?"),
        (("history", "--since", "soon"), "Error: soon is no time to look back"),
        (("history", "--sinc", "1h"), "Error: history does not know --sinc; did you mean --since?"),
    ):
        answer = daemon.ctl(*words)
        assert answer.lines[0].startswith(line), answer
        assert answer.code == 1
    assert "why <name>" in daemon.ctl("help", "why").out


def test_a_group_by_either_name(launch: Launch, ours: Implementation) -> None:
    """`g:` is `g:*`, as for every other verb."""
    daemon = launch(ours, program("g", numprocs=2, process_name="%(process_num)d"))
    daemon.until_state("g:1", "RUNNING")
    for words in (("why", "--json", "{}"), ("history", "{}")):
        short, long = (daemon.ctl(*(w.format(name) for w in words)) for name in ("g:", "g:*"))
        assert (short.code, short.out.count("g:1")) == (0, long.out.count("g:1")), short
    assert daemon.ctl("why", "no:").lines == ["no:*: ERROR (no such process)"]


def test_the_journal_outlives_the_daemon(launch: Launch, ours: Implementation) -> None:
    """After a kill -9 the same runs go on, and an end in between is told once, with its status."""
    daemon = started(launch, ours)
    before = runs(daemon)
    pid = daemon.client.pid("web")
    kill_daemon(daemon.pid)
    os.kill(pid, 10)
    until(lambda: daemon.call("supervisor.getPID"), "it answers again")

    def ended() -> bool:
        found = [run for run in runs(daemon, "web") if run["pid"] == pid]
        return [run.get("signal") for run in found] == [10]

    until(ended, lambda: str(runs(daemon)))
    assert [run["run"] for run in runs(daemon)][: len(before)] == [run["run"] for run in before]


def test_a_full_shutdown_is_told_by_the_next_daemon(launch: Launch, ours: Implementation) -> None:
    """The next daemon with the same files finds the same journal."""
    daemon = started(launch, ours)
    pid = daemon.client.pid("web")
    daemon.ctl("shutdown")
    daemon.wait()
    daemon.start()
    daemon.until_state("web", "RUNNING")
    old, _ = runs(daemon, "web")
    assert old["pid"] == pid
    assert old["ended"]["kind"] == "shutdown"  # type: ignore[index]
    with sqlite3.connect(daemon.directory / "supervisord.journal") as db:
        assert db.execute("SELECT count(*) FROM runs WHERE end_kind='lost'").fetchone() == (0,)
    db.close()


def test_a_daemon_without_a_journal(launch: Launch, ours: Implementation) -> None:
    """It says so; nothing is written, and everything else works."""
    daemon = started(launch, ours, settings="journal=none")
    assert why(daemon, "web")[0].startswith("web is RUNNING (pid ")
    assert daemon.ctl("history").lines == [
        "ERROR (there is no journal: journal=none in [supervisord])"
    ]
    assert not list(daemon.directory.glob("*journal*"))


@pytest.mark.oracle
def test_a_daemon_of_the_original(
    launch: Launch, original: Implementation, ours: Implementation
) -> None:
    """Our supervisorctl says that it keeps no journal."""
    daemon = launch(original, "[program:cat]\ncommand=/bin/cat\n")
    for words in (("why", "cat"), ("history", "cat"), ("logs", "cat")):
        answer = daemon.ctl(*words, by=ours)
        assert answer.lines == [
            "cat: ERROR (this server keeps no journal: it is not a Proctor, or old)"
        ]
        assert answer.code == 1
