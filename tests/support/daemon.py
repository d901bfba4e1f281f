"""A real supervisord of either implementation in a scratch directory, and an end without remains.

1. Every daemon gets a directory, a unix socket, an identifier and child logs of its own.
2. Ready means: it answers getState.  Everything else is waited for by condition.
3. It is stopped by pid.  Every process it ever started carries a mark in its environment; whatever
   carries the mark after the stop is ended by pid and fails the test.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from support.implementations import Implementation
from support.rpc import Client
from support.waiting import GENEROUS, until

MARK = "PROCTOR_TEST_MARK"

PREAMBLE = """\
[unix_http_server]
file=%(here)s/s.sock

[supervisord]
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
childlogdir=%(here)s
identifier={identifier}
{settings}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://%(here)s/s.sock

"""


def open_files(pid: int) -> int:
    """How many descriptors a process has, but for the journal's: those come in their own time."""
    count = 0
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            count += ".journal" not in os.readlink(f"/proc/{pid}/fd/{fd}")
    return count


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of its output."""
        return self.out.splitlines()


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    typed: str = "",
    seconds: float = GENEROUS,
) -> Answer:
    """Run a command to its end, with `typed` as its standard input."""
    done = subprocess.run(
        list(command),
        cwd=cwd,
        env={**os.environ, "COLUMNS": "80", **(env or {})},
        input=typed.encode(),
        capture_output=True,
        timeout=seconds,
    )
    return Answer(
        done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    )


class Daemon:
    """One supervisord with a scratch directory.  Use through the `launch` fixture."""

    def __init__(
        self,
        implementation: Implementation,
        directory: Path,
        programs: str = "",
        *,
        settings: str = "",
        whole: str | None = None,
        arguments: Sequence[str] = ("-n",),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`programs` is appended to the usual sections; `whole` replaces the configuration."""
        self.implementation = implementation
        self.directory = directory
        self.identifier = f"t{uuid.uuid4().hex[:12]}"
        self.conf = directory / "supervisord.conf"
        self.log = directory / "supervisord.log"
        self.socket = directory / "s.sock"
        self.pidfile = directory / "supervisord.pid"
        self.console = directory / "console"
        self.arguments = tuple(arguments)
        inherited = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("PYTHON", "SUPERVISOR_"))
        }
        self.environment = {**inherited, MARK: self.identifier, **(environment or {})}
        self.client = Client(self.socket)
        self.call = self.client.call
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self.configure(programs, whole=whole)

    def configure(self, programs: str = "", *, whole: str | None = None) -> None:
        """Write the configuration file (again)."""
        head = PREAMBLE.format(identifier=self.identifier, settings=self._settings)
        self.conf.write_text(head + programs if whole is None else whole, encoding="utf-8")

    # --- life ---------------------------------------------------------------------------------

    def start(
        self,
        *,
        ready: bool = True,
        stdout: int | IO[bytes] | None = None,
        command: Sequence[str] | None = None,
        cwd: Path | None = None,
    ) -> Daemon:
        """Start it; `ready` waits until it answers."""
        words = command or [self.implementation.program("supervisord"), "-c", str(self.conf)]
        with self.console.open("ab") as console:
            self._process = subprocess.Popen(
                [*words, *self.arguments],
                cwd=cwd or self.directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=console if stdout is None else stdout,
                stderr=console,
                start_new_session=True,
            )
        if ready:
            until(self._answers, self._told)
        return self

    def _answers(self) -> bool:
        process = self._process
        assert process is not None
        if process.poll() not in (None, 0):
            raise RuntimeError(f"supervisord ended with {process.returncode}: {self._told()}")
        return bool(self.client.call("supervisor.getState"))

    def _told(self) -> str:
        log = self.log.read_text(errors="replace") if self.log.exists() else ""
        console = self.console.read_text(errors="replace") if self.console.exists() else ""
        return f"{self.implementation} is ready\nconsole:\n{console[-3000:]}\nlog:\n{log[-3000:]}"

    @property
    def pid(self) -> int:
        """The pid that users see."""
        if self._process is not None and self._process.poll() is None:
            return self._process.pid
        return int(self.pidfile.read_text())

    @property
    def is_alive(self) -> bool:
        """Whether the process we started still runs."""
        return self._process is not None and self._process.poll() is None

    def signal(self, signum: int) -> None:
        """Send a signal to the pid that users see."""
        os.kill(self.pid, signum)

    def wait(self, seconds: float = GENEROUS) -> int:
        """Wait for the end of the process we started; its exit status."""
        assert self._process is not None
        return self._process.wait(seconds)

    def stop(self) -> None:
        """End it, and complain about everything that is left behind.

        The original takes a second per group for a shutdown: it is ended at once, with all it has.
        """
        if not self.implementation.is_ours:
            self._end(signal.SIGKILL)
        # Whatever is in the pidfile, nothing is left behind.
        with contextlib.suppress(OSError, ValueError, AssertionError):
            pid = int(until(self._known_pid, "the pidfile holds a pid"))
            if pid:
                os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(AssertionError):
            until(lambda: not marked(self.identifier), "everything has ended")
        left = self._end(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(GENEROUS)
        assert not left, f"left behind: {left}\n{self._told()}"

    def _known_pid(self) -> str:
        """Whom to tell to end; "" in the moment in which the pidfile is written, "0" for nobody."""
        if self.is_alive:
            return str(self.pid)
        return self.pidfile.read_text().strip() if self.pidfile.exists() else "0"

    def _end(self, signum: int) -> list[int]:
        left = marked(self.identifier)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signum)
        return left

    # --- asking -------------------------------------------------------------------------------

    def ctl(
        self,
        *words: str,
        by: Implementation | None = None,
        typed: str = "",
        env: Mapping[str, str] | None = None,
        seconds: float = GENEROUS,
    ) -> Answer:
        """Run supervisorctl (of the same implementation, or of `by`) on this daemon."""
        program = (by or self.implementation).program("supervisorctl")
        return run(
            [program, "-c", str(self.conf), *words],
            cwd=self.directory,
            env=env,
            typed=typed,
            seconds=seconds,
        )

    def until_state(self, name: str, *states: str) -> str:
        """Wait until a process is in one of these states; which one."""

        def reached() -> str:
            state = self.client.state(name)
            return state if state in states else ""

        return until(reached, lambda: f"{name} {states}: {self._told()}")

    def has_executed_all(self) -> bool:
        """Whether every child is the program it is to become.

        The original loses a signal that arrives between its fork and its exec.
        """
        daemon = os.readlink(f"/proc/{self.pid}/exe")
        pids = [info["pid"] for info in self.call("supervisor.getAllProcessInfo") if info["pid"]]
        return all(os.readlink(f"/proc/{pid}/exe") != daemon for pid in pids)

    def log_text(self) -> str:
        """The main log so far."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def log_lines(self) -> list[str]:
        """The lines of the main log without their time: `INFO spawned: ...`."""
        stamp = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ", re.MULTILINE)
        return stamp.sub("", self.log_text()).splitlines()

    def until_logged(self, pattern: str, times: int = 1) -> str:
        """Wait until a regular expression was found so often in the main log; the last match."""

        def found() -> str:
            matches = list(re.finditer(pattern, self.log_text(), re.MULTILINE))
            return matches[-1].group() if len(matches) >= times else ""

        return until(found, lambda: f"{pattern!r} {times} times: {self._told()}")

    def file(self, name: str) -> str:
        """The text of a file in the scratch directory; "" if there is none."""
        path = self.directory / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def until_file(self, name: str, pattern: str) -> str:
        """Wait until a file in the scratch directory holds a match; the match."""

        def found() -> str:
            match = re.search(pattern, self.file(name), re.MULTILINE)
            return match.group() or "(empty match)" if match else ""

        return until(found, lambda: f"{pattern!r} in {name}: {self.file(name)[-2000:]!r}")


class Launch(Protocol):
    """Starts a daemon that ends with the test: the fixtures `launch` and `launch_shared`."""

    def __call__(
        self, implementation: Implementation, programs: str = "", *, ready: bool = True, **more: Any
    ) -> Daemon: ...


def marked(identifier: str) -> list[int]:
    """The pids of all processes that a daemon started, itself included; zombies do not count."""
    wanted = f"{MARK}={identifier}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def alive(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
