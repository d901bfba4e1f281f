"""Who is measured beside Proctor and the original: the floor, and peers where they are installed.

The floor (floor.c) does the kernel's part only.  A peer is measured at what it has in common with
us: start of many programs, memory, and the end of all of them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cases import Figures, Setting
from stage import HERE, is_alive, pss, wait_for


def build_floor(directory: Path) -> Path:
    """Compile floor.c."""
    target = directory / "floor"
    subprocess.run(["cc", "-O2", "-o", target, HERE / "floor.c"], check=True)
    return target


def floor_figures(setting: Setting, case: str) -> Figures:
    """The floor of a case, under the names of its figures; {} where there is none."""
    directory = setting.child.parent

    def run(*words: object) -> list[float]:
        command = [directory / "floor", *map(str, words)]
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
        return [float(word) for word in done.stdout.split()]

    def start(count: int) -> Figures:
        return {f"start of {count}, s": run("start", count, setting.child, "sleep")[0]}

    def successor() -> Figures:
        ear = directory / "floor.sock"
        ear.unlink(missing_ok=True)
        (median,) = run("successor", 20, setting.child, "announce", ear)
        return {f"kill -9 to successor beside {n}, ms p50": median for n in (1, 1000)}

    def murmur() -> Figures:
        seconds = 5 if setting.quick else 20
        (spent,) = run("murmur", seconds, 1000, setting.child, "murmur")
        return {"murmur of 1000, us CPU a line": spent}

    def loud() -> Figures:
        figures: Figures = {}
        total = 2**28 if setting.quick else 2**30
        for name, block, size in (("100 B", 100, total // 8), ("64 KiB", 65536, total)):
            rate, used = run("loud", directory / "loud.log", setting.child, "loud", block, size)
            figures |= {f"loud {name}, MB/s": rate, f"loud {name}, CPU s/GiB": used}
        return figures

    floors: dict[str, Callable[[], Figures]] = {
        "start": lambda: start(1000),
        "start-more": lambda: start(2000),
        "successor": successor,
        "murmur": murmur,
        "loud": loud,
    }
    return floors[case]() if case in floors else {}


@dataclass(frozen=True)
class Peer:
    """A supervisor that is told what to run by a directory with a `run` script for each program."""

    name: str
    command: tuple[str, ...]
    stop: int

    @property
    def installed(self) -> bool:
        """Whether it can be measured here."""
        return shutil.which(self.command[0]) is not None


PEERS = (
    Peer("s6", ("s6-svscan", "-c", "5000"), signal.SIGTERM),
    Peer("runit", ("runsvdir", "-P"), signal.SIGHUP),
)


def peer_figures(setting: Setting, peer: Peer, count: int = 1000) -> Figures:
    """Start, memory and end of so many programs."""
    directory = Path(tempfile.mkdtemp(dir=setting.child.parent))
    for number in range(count):
        (directory / f"p{number}").mkdir()
        script = directory / f"p{number}" / "run"
        script.write_text(f"#!/bin/sh\nexec {setting.child} sleep\n")
        script.chmod(0o755)
    began = time.monotonic()
    quiet = subprocess.DEVNULL
    command = [*peer.command, str(directory)]
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        wait_for(lambda: len(_sleepers(setting.child)) >= count)
        started = time.monotonic() - began
        own = _tree(process.pid, setting.child)
        size = sum(map(pss, own))
        pids = _sleepers(setting.child)
        ended = time.monotonic()
        process.send_signal(peer.stop)
        wait_for(lambda: not any(map(is_alive, (*pids, *own))), 60)
        seconds = time.monotonic() - ended
    finally:
        for pid in (process.pid, *_sleepers(setting.child)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(60)
    return {
        f"start of {count}, s": started,
        f"memory (PSS) of {count}, MiB": size,
        f"SIGTERM of {count} to gone, s": seconds,
    }


def _sleepers(child: Path) -> list[int]:
    """The pids of the benchmark's own programs: they run a file in its own scratch directory."""
    return [pid for pid in _all_pids() if _program(pid) == str(child)]


def _tree(top: int, child: Path) -> list[int]:
    """The processes of a supervisor below `top`, without the programs."""
    found, todo = [], [top]
    while todo:
        pid = todo.pop()
        if _program(pid) != str(child):
            found.append(pid)
        with contextlib.suppress(OSError):
            below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            todo += map(int, below)
    return found


def _all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _program(pid: int) -> str:
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/exe")
    return ""
