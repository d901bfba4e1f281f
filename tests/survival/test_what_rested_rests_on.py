"""A daemon that is killed remembers what did not run: nobody's work is done twice."""

from __future__ import annotations

from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.torture import kill_daemon
from support.waiting import until

PROGRAMS = """
[program:resting]
command=/bin/cat
startsecs=0
[program:job]
command=/bin/sh -c 'echo done >> {directory}/job.txt'
startsecs=0
autorestart=false
[program:broken]
command=/nonexistent/program
startretries=0
[program:stubborn]
command=/bin/sh -c 'trap "echo asked" TERM; echo deaf; while :; do sleep 0.1; done'
startsecs=0
stopwaitsecs=600
stdout_logfile={directory}/stubborn.log
"""


def test_what_rested_rests_on(launch: Launch, ours: Implementation) -> None:
    """Stopped by hand, done, given up, being stopped: all as before the kill."""
    daemon = launch(ours)
    daemon.configure(PROGRAMS.format(directory=daemon.directory))
    daemon.ctl("update")
    daemon.until_state("resting", "RUNNING")
    daemon.ctl("stop", "resting")
    daemon.until_state("job", "EXITED")
    daemon.until_state("broken", "FATAL")
    daemon.until_file("stubborn.log", "deaf")
    daemon.call("supervisor.stopProcess", "stubborn", False)
    daemon.until_file("stubborn.log", "asked")
    before = infos(daemon)
    kill_daemon(daemon.pid)
    until(lambda: daemon.call("supervisor.getPID"), "it answers again")
    daemon.until_logged("WARN the daemon before this one has ended .terminated by SIGKILL")
    after = infos(daemon)
    for name in ("resting", "job", "broken", "stubborn"):
        assert after[name] == before[name], name
    assert (daemon.directory / "job.txt").read_text() == "done\n"
    daemon.call("supervisor.signalProcess", "stubborn", "KILL")
    daemon.until_state("stubborn", "STOPPED")
    assert daemon.file("stubborn.log") == "deaf\nasked\n", "and is not asked a second time"


def test_an_orderly_restart_starts_everything_anew(launch: Launch, ours: Implementation) -> None:
    """`reload` keeps the original's meaning: what was stopped by hand starts again."""
    daemon = launch(ours, "[program:resting]\ncommand=/bin/cat\nstartsecs=0\n")
    daemon.until_state("resting", "RUNNING")
    daemon.ctl("stop", "resting")
    daemon.ctl("reload")
    daemon.until_logged("supervisord started", times=2)
    daemon.until_state("resting", "RUNNING")


def infos(daemon: Daemon) -> dict[str, dict[str, object]]:
    """What clients see of each process, but for the clock."""
    found = daemon.call("supervisor.getAllProcessInfo")
    return {info["name"]: {**info, "now": 0} for info in found}
