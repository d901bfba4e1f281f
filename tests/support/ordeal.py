"""An ordeal for a daemon with many programs, and what must be true of it afterwards.

Programs: writers that write numbered lines at full speed, idle ones, `exits` that ends with 1, 2,
3, ..., `tries` that never comes up, and a listener that writes down what it hears of those two.
Deeds, at moments that nobody chose: the daemon is killed, replaced by its own next version, its
keeper is killed, or becomes its own next version, and children are killed at the same time.

1. No child dies with the daemon, none is started twice.
2. No line is lost or doubled over all rotated files.
3. Every end of `exits` is in the main log, in order and with its status; `tries` counts on.  One
   in many deaths may be told twice.  A status may be unknown, and an end be missing, only where a
   keeper was killed.
4. The listener has heard of every end.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from support.daemon import Daemon, marked
from support.listeners import recorded, recorder
from support.torture import PROGRAM, WRITER, files_of, holds_pipes, verify
from support.waiting import until

# Ends with a status of 1 more than the last time, beginning anew after 200.
EXITS = """\
n=$(cat "$1" 2>/dev/null || echo 0)
echo $((n + 1)) > "$1.new"; mv "$1.new" "$1"
sleep 0.2; exit $((n % 200 + 1))
"""

OTHERS = """
[program:idle]
command=/bin/sleep 100000
process_name=%(program_name)s_%(process_num)d
numprocs={idle}
startsecs=0
stdout_logfile=NONE
stderr_logfile=NONE

[program:exits]
command=/bin/sh {directory}/exits.sh {directory}/exits.count
startsecs=0
autorestart=true

[program:tries]
command=/bin/sh -c 'exit 1'
startretries=1000
"""

SETTINGS = "minfds=8192"
_CALM = ("writer_", "idle_")
_CODES = 200


def same(pid: int) -> int:
    """The pid under which we know a process that the daemon knows as `pid`."""
    return pid


@dataclass(slots=True)
class Ordeal:
    """What is done to a daemon.

    `outside` translates the pids of another namespace.  `rest`: see torture.py; 0 is full speed.

    `answers`: seconds from each end of a daemon until `status` was answered again.
    """

    daemon: Daemon
    writers: int
    idle: int = 1
    chance: random.Random = field(default_factory=lambda: random.Random(20))
    outside: Callable[[int], int] = same
    killed: list[int] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    deaths: int = 0
    upgrades: int = 0
    keepers: int = 0
    renewals: int = 0
    rest: float = 0.002

    def begin(self) -> None:
        """Bring the programs up."""
        here = self.daemon.directory
        (here / "writer.py").write_text(WRITER)
        (here / "exits.sh").write_text(EXITS)
        writers = PROGRAM.format(
            python=sys.executable, directory=here, count=self.writers, rest=self.rest
        )
        others = OTHERS.format(directory=here, idle=self.idle)
        listener = recorder("heard", "PROCESS_STATE_EXITED,PROCESS_STATE_BACKOFF", buffer_size=1000)
        self.daemon.configure(writers + others + listener)
        self.daemon.ctl("update", seconds=120)
        self.calm()

    def calm(self) -> dict[str, int]:
        """The pids of writers and idle programs, once all run and none is one that was killed."""

        def pids() -> dict[str, int]:
            infos = self.daemon.call("supervisor.getAllProcessInfo")
            calm = [info for info in infos if info["name"].startswith(_CALM)]
            good = all(info["state"] == 20 and info["pid"] not in self.killed for info in calm)
            return {info["name"]: info["pid"] for info in calm} if good else {}

        return until(pids, lambda: f"all run: {self.daemon.log_text()[-3000:]}", 120)

    def kill_daemon(self) -> None:
        """At some moment.  Its programs are the same afterwards."""
        before = self.calm()
        time.sleep(self.chance.uniform(0, 0.3))
        os.kill(until(self._only_daemon, "there is a daemon to kill"), signal.SIGKILL)
        self.deaths += 1
        self._await_answer()
        assert self.calm() == before

    def upgrade(self) -> None:
        """At some moment: the next daemon goes on."""
        before = self.calm()
        time.sleep(self.chance.uniform(0, 0.3))
        answer = self.daemon.ctl("upgrade", seconds=120)
        assert answer.code == 0, answer
        self.upgrades += 1
        assert self.calm() == before

    def kill_keeper(self) -> None:
        """At some moment.  The daemon puts itself under another one; nobody else notices."""
        before, old = self.calm(), self.daemon.pid
        time.sleep(self.chance.uniform(0, 0.3))
        os.kill(old, signal.SIGKILL)
        self.daemon.wait()
        named = self.daemon.pidfile
        until(lambda: named.read_text().strip() not in ("", str(old)), "there is another keeper")
        self.keepers += 1
        self._await_answer()
        assert self.calm() == before
        keeper = self.outside(self.daemon.call("supervisor.getPID"))
        # Whoever kills the daemon before that takes the pipes of its programs away.
        until(
            lambda: holds_pipes(keeper, *map(self.outside, before.values())),
            "everything is handed over",
        )

    def renew_keeper(self) -> None:
        """It becomes its own next version after an upgrade, while children are killed."""
        keeper = self.outside(self.daemon.call("supervisor.getPID"))
        said = len(self.daemon.log_text())
        self.upgrade()
        # What is said by the daemon before this one is about an earlier upgrade.
        told = re.compile(r"took over from Proctor.*?the keeper goes on as (\w+)", re.DOTALL)

        def outcome() -> str:
            self.kill_children(1)
            match = told.search(self.daemon.log_text(), said)
            return match[1] if match else ""

        end = until(outcome, lambda: f"it is renewed: {self.daemon.log_text()[-3000:]}", 120)
        assert end == "the", "it was refused"
        assert " --state " in _command_line(keeper), "the same process, another program"
        self.renewals += 1

    def _only_daemon(self) -> int:
        """The pid of the daemon; 0 while there is none, or one and its successor."""
        lines = {pid: _command_line(pid) for pid in marked(self.daemon.identifier)}
        found = [pid for pid, words in lines.items() if _is_daemon(words)]
        return found[0] if len(found) == 1 else 0

    def kill_children(self, count: int) -> None:
        """Some of the writers, all at once."""
        pids = [pid for name, pid in self.calm().items() if name.startswith("writer_")]
        for pid in self.chance.sample(pids, min(count, len(pids))):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.outside(pid), signal.SIGKILL)
            self.killed.append(pid)

    def _await_answer(self) -> None:
        since = time.monotonic()
        until(lambda: self.daemon.call("supervisor.getAllProcessInfo"), "it answers again", 120)
        self.answers.append(time.monotonic() - since)

    # What must be true

    def check(self) -> int:
        """All of it; the number of lines that were written."""
        self.calm()
        self.check_copies()
        self.daemon.ctl("stop", "exits", "tries", "writer:*", "idle:*", seconds=120)
        self.check_ends()
        self.check_tries()
        return self.check_lines()

    def check_copies(self) -> None:
        """Every writer runs once."""
        lines = [_command_line(pid) for pid in marked(self.daemon.identifier)]
        assert sum("writer.py" in line for line in lines) == self.writers, lines

    def check_lines(self) -> int:
        """Every run is complete up to its last line."""
        total = 0
        for number in range(self.writers):
            counts = verify(files_of(self.daemon.directory, f"writer_{number}"))
            # A run may be empty: its writer was killed before its first line.
            assert len(counts) <= 1 + len(self.killed)
            assert sum(counts.values()) > 0
            total += sum(counts.values())
        return total

    def check_ends(self) -> None:
        """All ends of `exits`, each with its status, in the main log and with the listener."""
        lines = re.findall(r"exited: exits \(exit status (\w+);", self.daemon.log_text())
        said = _without_repeats(lines)
        assert said.count("unknown") <= self.keepers
        codes = [int(code) for code in said if code != "unknown"]
        missing = [(after - before) % _CODES - 1 for before, after in pairwise(codes)]
        assert min(missing, default=0) >= 0, f"in order: {said}"
        assert sum(missing) <= 2 * self.keepers, lines
        known = [line for line in lines if line != "unknown"]
        # A kill between the line and the record has the next daemon say it again: microseconds
        # of a second, more if the machine looks away just then.
        again = len(known) - len(_without_repeats(known))
        assert again <= 1 + self.deaths // 50, f"said again: {lines}"
        # A daemon that died before it had said `spawned` is followed by one that says `adopted`.
        born = re.findall(r"(?:spawned|adopted): 'exits' with pid (\d+)", self.daemon.log_text())
        ended = _without_repeats(born)[:-1]

        def unheard() -> set[str]:
            return set(ended) - set(self.heard("EXITED", "exits"))

        until(lambda: not unheard(), lambda: f"the listener has heard of the ends of {unheard()}")

    def check_tries(self) -> None:
        """One more each time, whatever happened to the daemon in between."""
        tries = _without_repeats(self.heard("BACKOFF", "tries", "tries"))
        assert tries == [str(n) for n in range(1, len(tries) + 1)]

    def heard(self, state: str, program: str, of: str = "pid") -> list[str]:
        """What the listener read of this program: the values of one field, in order."""
        events = [e for e in recorded(self.daemon, "heard") if e.name == f"PROCESS_STATE_{state}"]
        payloads = [dict(word.split(":", 1) for word in e.payload.split()) for e in events]
        return [payload[of] for payload in payloads if payload["processname"] == program]


def _without_repeats(values: Iterable[str]) -> list[str]:
    """What is said again when a daemon died over it, once."""
    found: list[str] = []
    for value in values:
        if not found or found[-1] != value:
            found.append(value)
    return found


def _is_daemon(words: str) -> bool:
    """Neither the keeper, whose command line names it too, nor what started a namespace."""
    return "supervisord" in words and "keeper/main.py" not in words and "unshare" not in words


def _command_line(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""
