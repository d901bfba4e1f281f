"""The original and Proctor side by side in one run: start, rest, restart, calls, logs, stop.

Rounds of the two alternate on the same generated configuration, so that a busy machine is busy for
both; printed are the medians and their ratio.  What a case counts is checked in the same breath: a
figure of a daemon that lost something is worth nothing.

    python benchmarks/bench.py --original DIRECTORY [--programs 1000] [--rounds 3] [--only idle]

DIRECTORY holds the original's console scripts; ours are those beside this Python.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import platform
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

CONFIGURATION = """\
[unix_http_server]
file=%(here)s/s.sock
[supervisord]
logfile=%(here)s/s.log
pidfile=%(here)s/s.pid
childlogdir=%(here)s
nodaemon=true
minfds={minfds}
identifier={identifier}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://%(here)s/s.sock
{programs}
"""
IDLE = """
[program:idle]
command=/bin/sleep 100000
process_name=%(program_name)s_%(process_num)d
numprocs={count}
startsecs=0
autorestart=true
stdout_logfile=NONE
stderr_logfile=NONE
"""
LOUD = """
[program:loud]
command={python} -S {script} {lines} {total}
autostart=false
autorestart=false
startsecs=0
stdout_logfile=%(here)s/loud.log
stdout_logfile_maxbytes=0
stderr_logfile=NONE
"""


class UnixTransport(xmlrpc.client.Transport):
    """XML-RPC over a unix socket, connection kept."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        """The one connection."""
        if not self._connection or self._connection[1] is None:
            connection = http.client.HTTPConnection("localhost")
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(str(self.path))
            self._connection = (host, connection)
        return self._connection[1]  # type: ignore[return-value]


@dataclass
class Rival:
    """One implementation: its name and where its scripts are."""

    name: str
    scripts: Path
    figures: dict[str, list[float]] = field(default_factory=dict)

    def note(self, case: str, figure: float) -> None:
        """Remember a measurement."""
        self.figures.setdefault(case, []).append(figure)


@dataclass
class Running:
    """A daemon that answers."""

    rival: Rival
    directory: Path
    process: subprocess.Popen[bytes]
    api: xmlrpc.client.ServerProxy
    began: float

    def daemons(self) -> list[int]:
        """The pids that are the supervisor's own: the process itself and, of ours, one below."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        below = [int(pid) for pid in children.read_text().split()]
        ours = [pid for pid in below if b"supervisord" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        return [self.process.pid, *ours]

    def cpu(self) -> float:
        """Seconds of CPU that the supervisor has used."""
        return sum(cpu_of(pid) for pid in self.daemons())


def cpu_of(pid: int) -> float:
    """User and system time of one process, in seconds, by its scheduler's clock."""
    return sum(
        int((task / "schedstat").read_text().split()[0]) / 1e9
        for task in Path(f"/proc/{pid}/task").iterdir()
    )


@contextlib.contextmanager
def daemon(rival: Rival, programs: str) -> Iterator[Running]:
    """A supervisord on a scratch directory, ready to be asked."""
    directory = Path(tempfile.mkdtemp(prefix="bench-"))
    conf = directory / "s.conf"
    conf.write_text(
        CONFIGURATION.format(
            identifier=directory.name,
            minfds=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
            programs=programs,
        )
    )
    began = time.monotonic()
    process = subprocess.Popen(
        [rival.scripts / "supervisord", "-n", "-c", conf],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    api = xmlrpc.client.ServerProxy("http://localhost", UnixTransport(directory / "s.sock"))
    try:
        wait_for(api.supervisor.getState)
        yield Running(rival, directory, process, api, began)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        process.wait(300)
        shutil.rmtree(directory)


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    """Ask until the answer is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if condition():
                return
        time.sleep(0.002)
    raise TimeoutError("the daemon did not get there")


def pids(running: Running) -> list[int]:
    """The children that run."""
    infos = running.api.supervisor.getAllProcessInfo()
    return [info["pid"] for info in infos if info["pid"] and info["state"] == 20]  # type: ignore


def idle_cases(rival: Rival, count: int) -> None:
    """Everything that is measured on many programs that do nothing."""
    with daemon(rival, IDLE.format(count=count)) as running:
        log = running.directory / "s.log"
        wait_for(lambda: log.read_text().count("success: ") >= count)
        rival.note("start of all, s", time.monotonic() - running.began)
        assert len(pids(running)) == count
        measure_rest(running)
        measure_restart(running, count)
        measure_calls(running, count)
        began = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(300)
        rival.note("SIGTERM until all is gone, s", time.monotonic() - began)


def measure_rest(running: Running) -> None:
    """What it costs when nothing happens: memory, wake-ups and CPU in five seconds."""
    time.sleep(1)
    before, cpu = switches(running), running.cpu()
    time.sleep(5)
    running.rival.note("wake-ups in 5 s", switches(running) - before)
    running.rival.note("idle CPU in 5 s, ms", (running.cpu() - cpu) * 1000)
    running.rival.note("memory (PSS), MiB", sum(map(pss, running.daemons())) / 1024)


def switches(running: Running) -> int:
    """Voluntary context switches of all threads so far."""
    return sum(
        int(line.split()[1])
        for pid in running.daemons()
        for task in Path(f"/proc/{pid}/task").iterdir()
        for line in (task / "status").read_text().splitlines()
        if line.startswith("voluntary_ctxt_switches")
    )


def pss(pid: int) -> int:
    """Proportional set size in KiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def measure_restart(running: Running, count: int) -> None:
    """kill -9 of a child until its successor runs."""
    log, delays = running.directory / "s.log", []
    for pid in pids(running)[:5]:
        size = log.stat().st_size
        began = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda size=size: b"spawned: " in tail(log, size))
        delays.append((time.monotonic() - began) * 1000)
    running.rival.note("kill -9 until the successor, ms", statistics.median(delays))
    wait_for(lambda: len(pids(running)) == count)


def tail(path: Path, offset: int) -> bytes:
    """What was appended after `offset`."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read()


def measure_calls(running: Running, count: int) -> None:
    """supervisorctl as a whole process, and calls over one connection that is kept."""
    rival, api = running.rival, running.api.supervisor
    command = [rival.scripts / "supervisorctl", "-c", running.directory / "s.conf", "status"]
    began = time.monotonic()
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    rival.note("supervisorctl status, ms", (time.monotonic() - began) * 1000)
    assert answer.stdout.count("RUNNING") == count
    began = time.monotonic()
    assert len(api.getAllProcessInfo()) == count  # type: ignore[arg-type]
    rival.note("getAllProcessInfo, ms", (time.monotonic() - began) * 1000)
    began = time.monotonic()
    for _ in range(300):
        api.getState()
    rival.note("getState per second", 300 / (time.monotonic() - began))
    for name, call in (
        ("stop all, s", api.stopAllProcesses),
        ("start all, s", api.startAllProcesses),
    ):
        began = time.monotonic()
        assert len(call()) == count  # type: ignore[arg-type]
        rival.note(name, time.monotonic() - began)


def loud_case(rival: Rival, name: str, lines: int, total: int) -> None:
    """One child at full speed; every one of `total` bytes has to be in the file."""
    script = Path(__file__).parent / "loud.py"
    text = LOUD.format(python=sys.executable, script=script, lines=lines, total=total)
    with daemon(rival, text) as running:
        touch_memory(running.directory / "warm", total)
        cpu, began = running.cpu(), time.monotonic()
        running.api.supervisor.startProcess("loud", False)
        wait_for(lambda: running.api.supervisor.getProcessInfo("loud")["state"] == 100)  # type: ignore
        seconds = time.monotonic() - began
        assert (running.directory / "loud.log").stat().st_size == total
        rival.note(f"{name}: MB/s", total / 1e6 / seconds)
        rival.note(f"{name}: CPU s/GiB", (running.cpu() - cpu) * 2**30 / total)


def touch_memory(path: Path, size: int) -> None:
    """Fill and free the page cache: in a virtual machine the first touch of a page is dear."""
    with path.open("wb") as file:
        for _ in range(size // 2**20):
            file.write(bytes(2**20))
    path.unlink()


def show(original: Rival, ours: Rival) -> None:
    """A table of medians."""
    print(f"{'':34}{original.name:>12}{ours.name:>12}{'ratio':>10}")
    for case, figures in original.figures.items():
        theirs, mine = statistics.median(figures), statistics.median(ours.figures[case])
        ratio = f"{mine / theirs:.3f}" if theirs else "-"
        print(f"{case:34}{theirs:12.2f}{mine:12.2f}{ratio:>10}")


def main() -> None:
    """Run the rounds."""
    parser = argparse.ArgumentParser(description="Compare Proctor with the original.")
    parser.add_argument("--original", type=Path, required=True, help="where its scripts are")
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="idle,loud")
    arguments = parser.parse_args()
    rivals = (Rival("original", arguments.original), Rival("proctor", Path(sys.executable).parent))
    print(f"{arguments.programs} programs, {arguments.rounds} rounds, {platform.python_version()}")
    for _ in range(arguments.rounds):
        for rival in rivals:
            if "idle" in arguments.only:
                idle_cases(rival, arguments.programs)
            if "loud" in arguments.only:
                loud_case(rival, "64 KB writes", 640, 640 * 100 * 8192)
                loud_case(rival, "100-byte writes", 1, 32_000_000)
    show(*rivals)


if __name__ == "__main__":
    main()
