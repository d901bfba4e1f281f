"""What every case needs: a daemon on a scratch directory, and eyes for its time, memory and log.

A rival is an implementation; `daemon` runs one of them in the foreground until the block ends.
Figures are taken from outside, through /proc and the public interface, the same for both.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent

CONFIGURATION = """\
[unix_http_server]
file=%(here)s/s.sock
[supervisord]
logfile=%(here)s/s.log
logfile_maxbytes=0
pidfile=%(here)s/s.pid
childlogdir=%(here)s/logs
nodaemon=true
minfds={minfds}
identifier={identifier}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://%(here)s/s.sock
{programs}
"""


@dataclass(frozen=True)
class Rival:
    """One implementation: its name, where its scripts are, where its daemons leave files."""

    name: str
    scripts: Path
    home: Path


@dataclass
class Running:
    """A daemon that answers.  `began` is when it was started (time.monotonic)."""

    rival: Rival
    directory: Path
    process: subprocess.Popen[bytes]
    began: float

    @property
    def log(self) -> Path:
        """The main log."""
        return self.directory / "s.log"

    @property
    def socket(self) -> Path:
        """The control socket."""
        return self.directory / "s.sock"

    def api(self) -> xmlrpc.client.ServerProxy:
        """A connection of its own that is kept."""
        return xmlrpc.client.ServerProxy("http://localhost", UnixTransport(self.socket))

    def daemons(self) -> list[int]:
        """The pids that are the supervisor's own: the process itself and, of ours, one below."""
        ours = [
            pid
            for pid in children(self.process.pid)
            if b"supervisord" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        return [self.process.pid, *ours]

    def cpu(self) -> float:
        """Seconds of CPU that the supervisor has used."""
        return sum(cpu_of(pid) for pid in self.daemons())

    def end(self) -> float:
        """SIGTERM; the seconds until the daemon is gone, and with it all its children."""
        below = [pid for pid in children(self.process.pid) if pid not in self.daemons()]
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(600)
        seconds = time.monotonic() - began
        left = [pid for pid in below if is_alive(pid)]
        assert not left, f"{len(left)} children were left behind"
        return seconds

    def kill(self) -> None:
        """End all of it at once; that it can end by itself is the case `end`."""
        if self.process.poll() is None:
            daemons = self.daemons()
            for pid in daemons:  # So that nothing is started meanwhile.
                os.kill(pid, signal.SIGSTOP)
            wait_for(lambda: all(state_of(pid) in "TZ" for pid in daemons))
            # First the one below: it would go on, and start another keeper, when it is orphaned.
            daemons.reverse()
            pids = [*daemons, *(pid for one in daemons for pid in children(one))]
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
            wait_for(lambda: not any(map(is_alive, pids)))


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


class LineCounter:
    """Counts a word in a log that grows, reading each byte once."""

    def __init__(self, path: Path, word: bytes) -> None:
        self._path, self._word = path, word
        self._offset, self.count = 0, 0

    def __call__(self) -> int:
        """How often the word has come so far."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        self.count += whole.count(self._word)
        return self.count


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A directory that is gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


@contextlib.contextmanager
def large_files_removed(directory: Path) -> Iterator[Path]:
    """This directory; what is larger than a megabyte is gone from its logs afterwards."""
    try:
        yield directory
    finally:
        for entry in os.scandir(directory / "logs"):
            if entry.stat().st_size > 2**20:
                os.remove(entry)


@contextlib.contextmanager
def daemon(rival: Rival, programs: str) -> Iterator[Running]:
    """A supervisord with these programs, ready to be asked; ended when the block is left.

    Its small files stay until its rival's home is removed: a file system may pass by what was
    deleted lately one by one (ext4 does so for minutes), and the next daemon would pay for it.
    """
    with large_files_removed(Path(tempfile.mkdtemp(dir=rival.home))) as directory:
        (directory / "logs").mkdir()
        conf = directory / "s.conf"
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        conf.write_text(
            CONFIGURATION.format(identifier=directory.name, minfds=hard, programs=programs)
        )
        began = time.monotonic()
        process = subprocess.Popen(
            [rival.scripts / "supervisord", "-n", "-c", conf],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        running = Running(rival, directory, process, began)
        try:
            wait_for(lambda: process.poll() is not None or running.api().supervisor.getState())
            assert process.poll() is None, f"{rival.name} has ended with {process.returncode}"
            yield running
        finally:
            running.kill()


def wait_for(condition: Callable[[], object], seconds: float = 600) -> None:
    """Ask until the answer is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if condition():
                return
        time.sleep(0.002)
    raise TimeoutError("it did not get there")


def children(pid: int) -> list[int]:
    """The pids of a process's children."""
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    """Whether a process of this pid is there and no zombie."""
    return state_of(pid) != "Z"


def state_of(pid: int) -> str:
    """The kernel's letter for the state of a process; Z also if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


def cpu_of(pid: int) -> float:
    """User and system time of one process, in seconds, by its scheduler's clock."""
    return sum(
        int((task / "schedstat").read_text().split()[0]) / 1e9
        for task in Path(f"/proc/{pid}/task").iterdir()
    )


def switches(pids: list[int]) -> int:
    """Voluntary context switches of all threads of these processes so far: their wake-ups."""
    return sum(
        int(line.split()[1])
        for pid in pids
        for task in Path(f"/proc/{pid}/task").iterdir()
        for line in (task / "status").read_text().splitlines()
        if line.startswith("voluntary_ctxt_switches")
    )


def pss(pid: int) -> float:
    """Proportional set size in MiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def build_child(directory: Path) -> Path:
    """Compile child.c into this directory.  Raises FileNotFoundError without a C compiler."""
    target = directory / "child"
    subprocess.run(["cc", "-O2", "-o", target, HERE / "child.c"], check=True)
    return target


def raise_descriptor_limit() -> None:
    """As many open files as are allowed, for us and all rivals."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.environ.setdefault("LC_ALL", "C.UTF-8")
