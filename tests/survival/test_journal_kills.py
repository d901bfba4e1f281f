"""kill -9 of the daemon again and again: the journal lacks no run, and doubles none."""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter

from support.daemon import Launch
from support.implementations import Implementation
from support.torture import kill_daemon
from support.waiting import until

PROGRAMS = """
[program:busy]
command=/bin/sh -c 'echo $$ >> {directory}/pids.%(process_num)d; sleep 0.2; exit 7'
process_name=%(process_num)d
numprocs=4
startsecs=0
autorestart=true
stdout_logfile=NONE
stderr_logfile=NONE
"""


def test_no_run_is_lost_or_doubled(launch: Launch, ours: Implementation) -> None:
    """Every process that lived is a run, with the status it ended with."""
    daemon = launch(ours)
    daemon.configure(PROGRAMS.format(directory=daemon.directory))
    daemon.ctl("update")
    chance = random.Random(7)
    for _ in range(6):
        time.sleep(chance.uniform(0.0, 0.5))  # a moment that nobody chose
        kill_daemon(daemon.pid)
    until(lambda: daemon.ctl("stop", "busy:*").code == 0, "everything is stopped")
    daemon.ctl("shutdown")
    daemon.wait()

    db = sqlite3.connect(daemon.directory / "supervisord.journal")
    rows = db.execute("SELECT pid, code, signal FROM runs").fetchall()
    db.close()
    lived = {
        int(line)
        for path in daemon.directory.glob("pids.*")
        for line in path.read_text().splitlines()
    }
    assert lived <= {pid for pid, _, _ in rows}
    assert [pid for pid, count in Counter(pid for pid, _, _ in rows).items() if count > 1] == []
    assert {(code, signal) for _, code, signal in rows} <= {(7, None), (None, 15)}
