"""The cases.  Each takes a Setting and a rival, and answers with figures by name.

What a case counts is checked in the same breath: a figure of a daemon that lost something is worth
nothing.  `GOALS` says what a figure of ours must reach against the original's (issue "Benchmarks").
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stage import LineCounter, Rival, Running, children, daemon, pss, switches, wait_for

Figures = dict[str, float]

# Ratio of the medians, ours to the original's: at most (<), or at least (>).
GOALS: dict[str, tuple[str, float]] = {
    "start of 1000, s": ("<", 0.18),
    "start of 2000, s": ("<", 0.15),
    "memory (PSS) of 0, MiB": ("<", 1.4),
    "memory (PSS) of 1000, MiB": ("<", 1.1),
    "murmur of 1000, us CPU a line": ("<", 0.06),
    "kill -9 to successor beside 1, ms p50": ("<", 0.005),
    "kill -9 to successor beside 1000, ms p50": ("<", 0.005),
    "loud 100 B, MB/s": (">", 1.3),
    "loud 100 B, CPU s/GiB": ("<", 0.6),
    "loud 64 KiB, MB/s": (">", 1.3),
    "loud 64 KiB, CPU s/GiB": ("<", 0.6),
    "64 loud 4 KiB, MB/s": (">", 1.3),
    "64 loud 4 KiB, CPU s/GiB": ("<", 0.6),
    "supervisorctl status of 1000, ms": ("<", 0.3),
    "getAllProcessInfo of 1000, ms": ("<", 0.15),
    "getState, 1 connection, 1/s": (">", 8.0),
    "getState, 8 connections, 1/s": (">", 2.0),
    "start all 1000, s": ("<", 0.15),
    "stop all 1000, s": ("<", 1.0),
    "SIGTERM of 100 to gone, s": ("<", 0.01),
}


@dataclass(frozen=True)
class Setting:
    """How much is measured.  `child` is the compiled child.c; `quick` the short form."""

    child: Path
    quick: bool


def program(
    setting: Setting, name: str, count: int, *words: str, more: str = "", again: str = "true"
) -> str:
    """A section: `count` processes of one program with the default logs."""
    numbered = f"process_name={name}_%(process_num)d\nnumprocs={count}\n"
    command = " ".join((str(setting.child), *words))
    head = f"[program:{name}]\ncommand={command}\n{numbered}startsecs=0\n"
    return f"{head}autorestart={again}\n{more}\n"


def until_started(running: Running, count: int) -> float:
    """Wait until so many children were started; the seconds since the daemon was."""
    counter = LineCounter(running.log, b" spawned: ")
    wait_for(lambda: counter() >= count)
    return time.monotonic() - running.began


def start(setting: Setting, rival: Rival, count: int = 1000) -> Figures:
    """From the start of the daemon until all children run."""
    with daemon(rival, program(setting, "idle", count, "sleep")) as running:
        seconds = until_started(running, count)
        wait_for(lambda: _running(running) == count)
        return {f"start of {count}, s": seconds}


def start_more(setting: Setting, rival: Rival) -> Figures:
    """The same with twice as many."""
    return start(setting, rival, 2000)


def rest(setting: Setting, rival: Rival) -> Figures:
    """What it costs when nothing happens."""
    seconds = 5 if setting.quick else 30
    with daemon(rival, program(setting, "idle", 1000, "sleep")) as running:
        until_started(running, 1000)
        time.sleep(2)
        pids = running.daemons()
        before, cpu = switches(pids), running.cpu()
        time.sleep(seconds)
        return {
            f"wake-ups in {seconds} s": switches(pids) - before,
            f"CPU at rest in {seconds} s, ms": (running.cpu() - cpu) * 1000,
        }


def memory(setting: Setting, rival: Rival) -> Figures:
    """Proportional set size of all that belongs to the supervisor."""
    figures = {}
    for count in (0, 1000):
        text = program(setting, "idle", count, "sleep") if count else ""
        with daemon(rival, text) as running:
            until_started(running, count)
            time.sleep(2)
            size = sum(map(pss, running.daemons()))
            figures[f"memory (PSS) of {count}, MiB"] = size
    return figures


def murmur(setting: Setting, rival: Rival) -> Figures:
    """1,000 programs that write a line a second each."""
    seconds = 5 if setting.quick else 20
    with daemon(rival, program(setting, "murmur", 1000, "murmur")) as running:
        until_started(running, 1000)
        time.sleep(3)
        cpu, lines = running.cpu(), _written(running) // 60
        time.sleep(seconds)
        used, lines = running.cpu() - cpu, _written(running) // 60 - lines
        assert lines > 500 * seconds, f"only {lines} lines came"
        return {"murmur of 1000, us CPU a line": used * 1e6 / lines}


def _written(running: Running) -> int:
    return sum(entry.stat().st_size for entry in os.scandir(running.directory / "logs"))


def successor(setting: Setting, rival: Rival) -> Figures:
    """kill -9 of a child until its successor has begun to run, by its own word."""
    figures: Figures = {}
    for others in (1,) if setting.quick else (1, 1000):
        delays = _successions(setting, rival, others, 5 if setting.quick else 40)
        name = f"kill -9 to successor beside {others}, ms"
        figures[f"{name} p50"] = statistics.median(delays)
        figures[f"{name} p99"] = statistics.quantiles(delays, n=100)[98]
    return figures


def _successions(setting: Setting, rival: Rival, others: int, count: int) -> list[float]:
    path = setting.child.parent / "announce.sock"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(path))
        ear.settimeout(60)
        text = program(setting, "idle", others, "sleep")
        text += program(setting, "victim", 1, "announce", str(path))
        delays = []
        with daemon(rival, text) as running:
            pid = int(ear.recv(64).split()[0])
            until_started(running, others + 1)
            for turn in range(count):
                # Not in step with anything that the rival does once a second.
                time.sleep(0.05 + turn % 10 * 0.031)
                began = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
                os.kill(pid, signal.SIGKILL)
                pid, at = map(int, ear.recv(64).split())
                delays.append((at - began) / 1e6)
    return delays


def loud(setting: Setting, rival: Rival) -> Figures:
    """One child at full speed, and 64 of them; every byte has to be in the files."""
    size = 2**28 if setting.quick else 2**30
    return {
        **_loud(setting, rival, Crowd("loud 100 B", 1, 100, size // 8)),
        **_loud(setting, rival, Crowd("loud 64 KiB", 1, 65536, size)),
        **_loud(setting, rival, Crowd("64 loud 4 KiB", 64, 4096, size // 64)),
    }


@dataclass(frozen=True)
class Crowd:
    """`count` children that write `each` bytes each, `block` bytes a write."""

    name: str
    count: int
    block: int
    each: int


def _loud(setting: Setting, rival: Rival, crowd: Crowd) -> Figures:
    total = crowd.count * crowd.each
    words = ("loud", str(crowd.block), str(crowd.each))
    more = "autostart=false\nstderr_logfile=NONE\nstdout_logfile_backups=100\n"
    text = program(setting, "loud", crowd.count, *words, more=more, again="false")
    with daemon(rival, text) as running:
        touch_memory(running.directory / "warm", total)
        cpu, began = running.cpu(), time.monotonic()
        running.api().supervisor.startProcessGroup("loud", False)
        counter = LineCounter(running.log, b" exited: ")
        wait_for(lambda: counter() >= crowd.count)
        wait_for(lambda: _written(running) >= total, 60)
        seconds = time.monotonic() - began
        written = _written(running)
        assert written == total, f"{written} bytes of {total} are there"
        return {
            f"{crowd.name}, MB/s": total / 1e6 / seconds,
            f"{crowd.name}, CPU s/GiB": (running.cpu() - cpu) * 2**30 / total,
        }


def touch_memory(path: Path, size: int) -> None:
    """Fill and free the page cache: in a virtual machine the first touch of a page is dear."""
    with path.open("wb") as file:
        for _ in range(size // 2**20):
            file.write(bytes(2**20))
    path.unlink()


def calls(setting: Setting, rival: Rival) -> Figures:
    """The client as a whole process, and calls over connections that are kept."""
    with daemon(rival, program(setting, "idle", 1000, "sleep")) as running:
        seconds = until_started(running, 1000)
        wait_for(lambda: _running(running) == 1000)
        return {
            "start of 1000, s": seconds,
            "supervisorctl status of 1000, ms": _median_ms(lambda: _status(running), 5),
            "getAllProcessInfo of 1000, ms": _median_ms(lambda: _running(running), 5),
            "getState, 1 connection, 1/s": _rate(running, 1, 300 if setting.quick else 1000),
            "getState, 8 connections, 1/s": _rate(running, 8, 1000 if setting.quick else 4000),
        }


def _median_ms(call: Callable[[], object], times: int) -> float:
    spent = []
    for _ in range(times):
        began = time.monotonic()
        call()
        spent.append((time.monotonic() - began) * 1000)
    return statistics.median(spent)


def _status(running: Running) -> None:
    command = [running.rival.scripts / "supervisorctl", "-c", running.directory / "s.conf"]
    answer = subprocess.run([*command, "status"], capture_output=True, text=True, check=True)
    assert answer.stdout.count("RUNNING") == 1000


def _running(running: Running) -> int:
    infos = running.api().supervisor.getAllProcessInfo()
    return sum(1 for info in infos if info["state"] == 20)  # type: ignore[union-attr, index]


_BODY = b"<methodCall><methodName>supervisor.getState</methodName></methodCall>"
_REQUEST = (
    b"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: "
    + str(len(_BODY)).encode()
    + b"\r\n\r\n"
    + _BODY
)


def _rate(running: Running, connections: int, count: int) -> float:
    """Answers a second to `connections` clients that each ask again as soon as they are answered.

    One thread and no HTTP library: the client must not be what is measured.
    """
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(running.socket))
        selector.register(sock, selectors.EVENT_READ, bytearray())
        sock.sendall(_REQUEST)
    began, answered = time.monotonic(), 0
    while answered < count:
        for key, _ in selector.select():
            sock, heard = key.fileobj, key.data
            heard += sock.recv(65536)  # type: ignore[union-attr]
            if heard.endswith(b"</methodResponse>\n") or heard.endswith(b"</methodResponse>"):
                assert b"RUNNING" in heard
                heard.clear()
                answered += 1
                sock.sendall(_REQUEST)  # type: ignore[union-attr]
    seconds = time.monotonic() - began
    for key in list(selector.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    selector.close()
    return answered / seconds


def all_at_once(setting: Setting, rival: Rival) -> Figures:
    """Stop and start all of 1,000 through the interface."""
    figures = {}
    with daemon(rival, program(setting, "idle", 1000, "sleep")) as running:
        until_started(running, 1000)
        wait_for(lambda: _running(running) == 1000)
        api = running.api().supervisor
        for name, call in (("stop", api.stopAllProcesses), ("start", api.startAllProcesses)):
            began = time.monotonic()
            assert len(call()) == 1000  # type: ignore[arg-type]
            figures[f"{name} all 1000, s"] = time.monotonic() - began
    return figures


def end(setting: Setting, rival: Rival) -> Figures:
    """SIGTERM until the daemon and all children are gone: 100 programs, and 1,000 of one program.

    The original waits for a wake-up of its own for each group.
    """
    many = "".join(program(setting, f"p{number}", 1, "sleep") for number in range(100))
    figures = {}
    for count, text in ((100, many), (1000, program(setting, "idle", 1000, "sleep"))):
        with daemon(rival, text) as running:
            until_started(running, count)
            wait_for(lambda running=running, count=count: _running(running) == count)
            figures[f"SIGTERM of {count} to gone, s"] = running.end()
    return figures


def growth(setting: Setting, rival: Rival) -> Figures:
    """Per program at 100, 1,000 and 5,000: start, restart of one, status.

    With one log each, since not every machine allows the 25,000 descriptors of 5,000 with two.
    """
    figures: Figures = {}
    for count in (100, 1000) if setting.quick else (100, 1000, 5000):
        if rival.name == "original" and count > 1000:
            continue  # minutes of nothing but waiting
        text = program(setting, "idle", count, "sleep", more="redirect_stderr=true\n")
        with daemon(rival, text) as running:
            figures[f"start, ms each of {count}"] = until_started(running, count) * 1000 / count
            wait_for(lambda running=running, count=count: _running(running) == count)
            spent = _median_ms(lambda running=running: _running(running), 3)
            figures[f"getAllProcessInfo, us each of {count}"] = spent * 1000 / count
            api = running.api().supervisor
            one = f"idle:idle_{count // 2}"

            def restart() -> None:
                api.stopProcess(one)  # noqa: B023
                api.startProcess(one)  # noqa: B023

            figures[f"restart of one of {count}, ms"] = _median_ms(restart, 5)
            assert len(children(running.process.pid)) >= count
    return figures


CASES: dict[str, Callable[[Setting, Rival], Figures]] = {
    "start": start,
    "start-more": start_more,
    "rest": rest,
    "memory": memory,
    "murmur": murmur,
    "successor": successor,
    "loud": loud,
    "calls": calls,
    "all": all_at_once,
    "end": end,
    "growth": growth,
}

QUICK = ("memory", "murmur", "successor", "loud", "calls")
