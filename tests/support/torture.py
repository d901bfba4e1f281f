"""Children that write numbered lines at full speed while everything around them is killed.

1. A writer begins every run with `run <pid>` and then writes `<pid> <number>`, from 0 on; so each
   line names its place, and over all rotated files every run must be complete up to its last line.
2. Writers rest when nobody drains them: their pipe is full.  Nothing is lost by that.  They rest
   for `rest` seconds after 200 lines, too, or a test would have to verify a hundred million.
3. `kill_daemon` is kill -9 of the daemon under its keeper, at a moment that nobody chose.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from support.waiting import until

WRITER = """\
import os, sys, time
rest = float(sys.argv[1])
out, me, number = 1, os.getpid(), 0
os.write(out, b"run %d\\n" % me)
while True:
    lines = b"".join(b"%d %d\\n" % (me, n) for n in range(number, number + 200))
    number += 200
    while lines:
        lines = lines[os.write(out, lines):]
    time.sleep(rest)
"""

PROGRAM = """
[program:writer]
command={python} -S {directory}/writer.py {rest}
process_name=%(program_name)s_%(process_num)d
numprocs={count}
startsecs=0
autorestart=true
redirect_stderr=true
stdout_logfile={directory}/%(program_name)s_%(process_num)d.log
stdout_logfile_maxbytes=4MB
stdout_logfile_backups=10000
"""

_AT_ONCE = 1000


def daemon_pid(keeper: int) -> int:
    """The pid of the daemon under this keeper; 0 while there is none, or one and its successor."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == keeper and b"supervisord" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found[0] if len(found) == 1 else 0


def kill_daemon(keeper: int) -> int:
    """kill -9 of the daemon; its pid."""
    pid = until(lambda: daemon_pid(keeper), "there is a daemon to kill")
    os.kill(pid, signal.SIGKILL)
    return pid


def holds_pipes(keeper: int, *pids: int) -> bool:
    """Whether the keeper has our ends of all pipes of these programs: they are handed over last."""
    held = {_pipe_of(keeper, int(fd)) for fd in os.listdir(f"/proc/{keeper}/fd")}
    return {_pipe_of(pid, fd) for pid in pids for fd in range(3)} <= held


def _pipe_of(pid: int, fd: int) -> str:
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/fd/{fd}")
    return ""


def files_of(directory: Path, name: str) -> Iterator[bytes]:
    """What is in a log and its backups, oldest first."""
    numbered = [
        (int(match[1]), path)
        for path in directory.iterdir()
        if (match := re.fullmatch(rf"{name}\.log\.(\d+)", path.name))
    ]
    for path in [*(path for _, path in sorted(numbered, reverse=True)), directory / f"{name}.log"]:
        yield path.read_bytes()


def verify(files: Iterable[bytes]) -> dict[int, int]:
    """How many lines each run wrote, by pid.  Fails at the first that is lost, doubled or torn.

    Only the last line of a run may be torn: its writer was killed in the middle of it.
    """
    reading = _Reading()
    for text in files:
        at = 0
        while at < len(text):
            many = reading.next_lines(_AT_ONCE)
            if many and text.startswith(many, at):
                reading.counts[reading.pid] += _AT_ONCE
                at += len(many)
                continue
            end = text.find(b"\n", at) + 1 or len(text)
            reading.line(text[at:end])
            at = end
    return reading.counts


@dataclass(slots=True)
class _Reading:
    """What was read so far: lines of each run, and a piece of a line whose writer was killed."""

    counts: dict[int, int] = field(default_factory=dict)
    pid: int = 0
    torn: bytes = b""

    def next_lines(self, count: int) -> bytes:
        """What is due if nobody was killed meanwhile: quicker than to look at each line."""
        if self.torn or not self.pid:
            return b""
        first = self.counts[self.pid]
        return b"".join(b"%d %d\n" % (self.pid, n) for n in range(first, first + count))

    def line(self, line: bytes) -> None:
        """The next line, or the rest of a file."""
        words = line.split()
        if line.startswith(b"run "):
            self._begin(line)
        elif self.torn or not line.endswith(b"\n") or len(words) != 2:
            # The end of one writer's last line, perhaps with the beginning of the next run's.
            self.torn = line
            if b"run " in line:
                self._begin(line[line.index(b"run ") :])
        else:
            self.pid, number = int(words[0]), int(words[1])
            due = self.counts[self.pid]
            assert number == due, f"run {self.pid}: line {number} where {due} was due"
            self.counts[self.pid] += 1

    def _begin(self, line: bytes) -> None:
        self.pid, self.torn = int(line[4:]), b""
        self.counts[self.pid] = 0
