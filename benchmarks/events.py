"""Events per second, and CPU per event, of the original and of Proctor, side by side in one run.

A program writes messages between the capture tokens as fast as they are taken; every one becomes a
PROCESS_COMMUNICATION event for one listener that acknowledges at once.  Two ways:

    stream   the listener is ready from the start: making events and delivering them is measured
    burst    it is ready when all of them wait: only delivering is

Counted is from the listener's first event to its last; CPU is that of the daemon (of ours with its
keeper), not of the program and the listener.  Rounds of the two alternate, so that a busy machine
is busy for both.

    python benchmarks/events.py --original DIRECTORY [--burst] [--idle 20] [--core 0] ...

DIRECTORY holds the original's console scripts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION = """\
[unix_http_server]
file=%(here)s/s.sock
[supervisord]
logfile=%(here)s/s.log
pidfile=%(here)s/s.pid
childlogdir=%(here)s
nodaemon=true
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[eventlistener:listener]
command={python} {script} {way} {count}
events=PROCESS_COMMUNICATION
buffer_size=1000000
stdout_logfile={log}
stderr_logfile=%(here)s/listener.err
[program:source]
command={python} {script} source {count}
autostart=false
startsecs=0
autorestart=false
stdout_capture_maxbytes=1KB
stdout_logfile=NONE
[program:idle]
command=/bin/cat
process_name=%(program_name)s_%(process_num)d
numprocs={idle}
startsecs=0
stdout_logfile=NONE
stderr_logfile=NONE
"""

CALL = (
    "<?xml version='1.0'?><methodCall><methodName>supervisor.startProcess</methodName><params>"
    "<param><value><string>source</string></value></param></params></methodCall>"
)
PATIENCE = 300.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one round: events per second, and microseconds of the daemon's CPU per event."""

    rate: float
    cpu: float


# What the daemon runs


def source(count: int) -> None:
    """Write `count` messages, with at most four hundred in the pipe: the original cannot take more
    than about a thousand at once."""
    import array
    import fcntl
    import termios

    message = b"<!--XSUPERVISOR:BEGIN-->message<!--XSUPERVISOR:END-->"
    waiting = array.array("i", [0])
    for _ in range(count // 100):
        os.write(1, message * 100)
        while True:
            fcntl.ioctl(1, termios.FIONREAD, waiting)
            if waiting[0] < 300 * len(message):
                break
            time.sleep(0.0002)
    time.sleep(1.0)
    Path("all").touch()


def listener(count: int, burst: bool) -> None:
    """Acknowledge `count` events as childutils does, READY and RESULT by a write each."""
    first = 0.0
    while burst and not Path("all").exists():
        time.sleep(0.05)
    for number in range(count):
        os.write(1, b"READY\n")
        buffer = os.read(0, 65536)
        while b"\n" not in buffer:
            buffer += os.read(0, 65536)
        header, _, body = buffer.partition(b"\n")
        length = int(header.rpartition(b"len:")[2])
        while len(body) < length:
            body += os.read(0, 65536)
        if not number:
            first = time.monotonic()
            Path("cpu.first").write_text(str(cpu_of(daemons())))
        os.write(1, b"RESULT 2\nOK")
    figures = {"seconds": time.monotonic() - first, "cpu": cpu_of(daemons())}
    Path("result.part").write_text(json.dumps(figures))
    os.rename("result.part", "result")
    signal.pause()


def daemons() -> list[int]:
    """The pids whose CPU counts."""
    return [int(word) for word in Path("pids").read_text().split()]


def cpu_of(pids: list[int]) -> float:
    """Seconds of CPU that these processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


# What measures


def measure(supervisord: str, chosen: argparse.Namespace) -> Figures:
    """One round: a daemon of its own, from start to stop."""
    directory = Path(tempfile.mkdtemp(prefix="events-"))
    text = CONFIGURATION.format(
        python=sys.executable,
        script=Path(__file__).resolve(),
        way=chosen.way,
        count=chosen.events,
        log=chosen.log,
        idle=chosen.idle,
    )
    (directory / "s.conf").write_text(text)
    command = [supervisord, "-c", str(directory / "s.conf")]
    with (directory / "console").open("wb") as console:
        process = subprocess.Popen(command, cwd=directory, stdout=console, stderr=console)
    try:
        wait_for(lambda: "listener entered RUNNING" in read(directory / "s.log"), directory)
        pids = [process.pid, *(pid for pid in children_of(process.pid) if is_daemon(pid))]
        (directory / "pids").write_text(" ".join(map(str, pids)))
        start_source(directory / "s.sock")
        wait_for((directory / "result").exists, directory)
        result = json.loads(read(directory / "result"))
        cpu = result["cpu"] - float(read(directory / "cpu.first"))
        return Figures(chosen.events / result["seconds"], cpu / chosen.events * 1e6)
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(directory, ignore_errors=True)


def start_source(path: Path) -> None:
    """Ask the daemon over its unix socket."""
    head = f"POST /RPC2 HTTP/1.0\r\nContent-Type: text/xml\r\nContent-Length: {len(CALL)}\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.sendall(head.encode() + CALL.encode())
        answer = sock.recv(65536)
    assert b" 200 " in answer, answer


def children_of(pid: int) -> list[int]:
    """The pids of its children."""
    return [int(word) for word in read(Path(f"/proc/{pid}/task/{pid}/children")).split()]


def is_daemon(pid: int) -> bool:
    """Whether it is the daemon of a keeper, and not one of its programs."""
    return b"supervisord" in Path(f"/proc/{pid}/cmdline").read_bytes()


def read(path: Path) -> str:
    """A file's text, "" while there is none."""
    return path.read_text() if path.exists() else ""


def wait_for(condition: Callable[[], bool], directory: Path) -> None:
    """Until it is true.  Raises TimeoutError with what the daemon said."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(read(directory / "console") + read(directory / "s.log"))
        time.sleep(0.05)


def main() -> None:
    """Measure both, in turn, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--original", type=Path, required=True, help="directory of its console scripts"
    )
    parser.add_argument("--ours", type=Path, default=Path(sys.executable).parent)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", type=int, default=0, help="other programs that do nothing")
    parser.add_argument("--log", default="AUTO", help="stdout_logfile of the listener")
    parser.add_argument("--core", type=int, help="run everything on this core")
    parser.add_argument(
        "--burst", dest="way", action="store_const", const="burst", default="stream",
        help="measure how events are delivered that wait already",
    )  # fmt: skip
    chosen = parser.parse_args()
    if not os.access(chosen.original / "supervisord", os.X_OK):
        parser.error(f"no supervisord in {chosen.original}; `make bench` makes one in .oracle/bin")
    if chosen.core is not None:
        os.sched_setaffinity(0, {chosen.core})
    figures: dict[str, list[Figures]] = {"original": [], "proctor": []}
    for _ in range(chosen.rounds):
        for name, scripts in (("original", chosen.original), ("proctor", chosen.ours)):
            one = measure(str(scripts.absolute() / "supervisord"), chosen)
            figures[name].append(one)
            print(f"{name:9} {one.rate:8.0f} events/s  {one.cpu:7.1f} us CPU per event", flush=True)
    rates = {name: statistics.median(one.rate for one in ones) for name, ones in figures.items()}
    cpus = {name: statistics.median(one.cpu for one in ones) for name, ones in figures.items()}
    machine = f"Python {platform.python_version()}, {len(os.sched_getaffinity(0))} cores"
    print(f"{chosen.way}, {chosen.idle} idle programs, log {chosen.log}; {machine}")
    print(f"rate  x {rates['proctor'] / rates['original']:.2f}")
    print(f"CPU   x {cpus['proctor'] / cpus['original']:.2f}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["source", number]:
            source(int(number))
        case ["stream" | "burst" as way, number]:
            listener(int(number), way == "burst")
        case _:
            main()
