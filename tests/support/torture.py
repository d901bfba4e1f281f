"""Children that write numbered lines at full speed while everything around them is killed.

1. A writer begins every run with `run <pid>` and then writes `<pid> <number>`, from 0 on; so each
   line names its place, and over all rotated files every run must be complete up to its last line.
2. Writers rest when nobody drains them: their pipe is full.  Nothing is lost by that.
3. `kill_daemon` is kill -9 of the daemon under its keeper, at a moment that nobody chose.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

from support.waiting import until

WRITER = """\
import os
out, me, number = 1, os.getpid(), 0
os.write(out, b"run %d\\n" % me)
while True:
    lines = b"".join(b"%d %d\\n" % (me, n) for n in range(number, number + 200))
    number += 200
    while lines:
        lines = lines[os.write(out, lines):]
"""

PROGRAM = """
[program:writer]
command={python} -S {directory}/writer.py
process_name=%(program_name)s_%(process_num)d
numprocs={count}
startsecs=0
autorestart=true
redirect_stderr=true
stdout_logfile={directory}/%(program_name)s_%(process_num)d.log
stdout_logfile_maxbytes=4MB
stdout_logfile_backups=10000
"""


def daemon_pid(keeper: int) -> int:
    """The pid of the daemon under this keeper, or 0 in the moment in which there is none."""
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == keeper and b"supervisord" in (entry / "cmdline").read_bytes():
                return int(entry.name)
    return 0


def kill_daemon(keeper: int) -> int:
    """kill -9 of the daemon; its pid."""
    pid = until(lambda: daemon_pid(keeper), "there is a daemon to kill")
    os.kill(pid, signal.SIGKILL)
    return pid


def lines_of(directory: Path, name: str) -> Iterator[bytes]:
    """All lines of a log and its backups, oldest first."""
    numbered = [
        (int(match[1]), path)
        for path in directory.iterdir()
        if (match := re.fullmatch(rf"{name}\.log\.(\d+)", path.name))
    ]
    for path in [*(path for _, path in sorted(numbered, reverse=True)), directory / f"{name}.log"]:
        yield from path.read_bytes().splitlines(keepends=True)


def verify(lines: Iterator[bytes]) -> dict[int, int]:
    """How many lines each run wrote, by pid.  Fails at the first that is lost, doubled or torn.

    Only the last line of a run may be torn: its writer was killed in the middle of it.
    """
    counts: dict[int, int] = {}
    torn = b""
    for line in lines:
        if line.startswith(b"run "):
            counts[int(line[4:])] = 0
            continue
        words = line.split()
        if torn or not line.endswith(b"\n") or len(words) != 2:
            # The end of one writer's last line, perhaps with the beginning of the next run's.
            torn = b"" if b"run " in line else line
            if b"run " in line:
                counts[int(line[line.index(b"run ") + 4 :])] = 0
            continue
        pid, number = int(words[0]), int(words[1])
        assert number == counts[pid], f"run {pid}: line {number} where {counts[pid]} was due"
        counts[pid] += 1
    return counts
