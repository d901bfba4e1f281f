"""pidproxy: signals to the pid in a file, and an end with the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.daemon import alive, run
from support.waiting import GENEROUS, until

PIDPROXY = [sys.executable, "-m", "proctor.cli.pidproxy"]

# The command is not the process in the pidfile, as with mysqld_safe.
SERVER = """
import os, signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", '''
import os, signal, sys, time
def heard(signum, frame):
    with open(sys.argv[1], "a") as log:
        log.write(signal.Signals(signum).name + "\\\\n")
    if signum in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        os._exit(0)
for name in "TERM HUP INT USR1 USR2 QUIT".split():
    signal.signal(getattr(signal, "SIG" + name), heard)
with open(sys.argv[2] + ".new", "w") as file:
    file.write(f"{os.getpid()}\\\\n")
os.rename(sys.argv[2] + ".new", sys.argv[2])
while True:
    signal.pause()
''', *sys.argv[1:]])
sys.exit(child.wait())
"""

Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def start(scratch: Path) -> Iterator[Start]:
    """Start pidproxy with a server behind it."""
    (scratch / "server.py").write_text(SERVER)
    started: list[subprocess.Popen[bytes]] = []
    command = [
        sys.executable,
        str(scratch / "server.py"),
        str(scratch / "log"),
        str(_pidfile(scratch)),
    ]

    def one() -> subprocess.Popen[bytes]:
        started.append(
            subprocess.Popen(
                [*PIDPROXY, str(_pidfile(scratch)), *command],
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
        )
        until(_pidfile(scratch).exists, "the server is up")
        return started[-1]

    yield one
    for proxy in started:
        with proxy:
            for pid in (int(_pidfile(scratch).read_text()), proxy.pid):
                if alive(pid):
                    os.kill(pid, signal.SIGKILL)


def _pidfile(scratch: Path) -> Path:
    return scratch / "pid"


def _heard(scratch: Path) -> list[str]:
    log = scratch / "log"
    return log.read_text().split() if log.exists() else []


def test_signals_are_passed_on(start: Start, scratch: Path) -> None:
    """HUP, USR1 and USR2 leave the proxy alone; TERM ends it with 0."""
    proxy = start()
    for name in ("SIGHUP", "SIGUSR1", "SIGUSR2"):
        proxy.send_signal(getattr(signal, name))
        until(lambda name=name: _heard(scratch)[-1:] == [name], name)  # type: ignore[misc]
        assert proxy.poll() is None
    proxy.terminate()
    assert proxy.wait(GENEROUS) == 0
    until(lambda: _heard(scratch)[-1] == "SIGTERM", "the server heard SIGTERM")


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGQUIT])
def test_other_signals_that_end_it(start: Start, scratch: Path, signum: signal.Signals) -> None:
    """Both are passed on first."""
    proxy = start()
    proxy.send_signal(signum)
    assert proxy.wait(GENEROUS) == 0
    until(lambda: _heard(scratch) == [signum.name], signum.name)


def test_it_ends_with_its_command(start: Start, scratch: Path) -> None:
    """At once, and with 0, however the command ended."""
    proxy = start()
    os.kill(int(_pidfile(scratch).read_text()), signal.SIGKILL)
    assert proxy.wait(GENEROUS) == 0


def test_an_unreadable_pidfile_is_reported(start: Start, scratch: Path) -> None:
    """And ends nothing; a pid that is gone ends it with 1."""
    proxy = start()
    assert proxy.stdout is not None
    pid = _pidfile(scratch).read_text()
    # 0 would be a signal to ourselves, -1 one to everybody.
    for wrong in ("no number", "0", "-1", "9" * 30):
        _pidfile(scratch).write_text(wrong)
        proxy.terminate()
        said = proxy.stdout.readline().decode()
        assert said == f"Can't read child pidfile {_pidfile(scratch)}!\n"
        assert proxy.poll() is None
    _pidfile(scratch).write_text(str(2**22 + 1))
    proxy.terminate()
    assert proxy.wait(GENEROUS) == 1
    assert proxy.stdout.readline().startswith(b"Can't signal child ")
    _pidfile(scratch).write_text(pid)


def test_the_command_line(scratch: Path) -> None:
    """Wrong usage gives 1; no search along PATH; argv[0] is as typed."""
    assert run([*PIDPROXY, "pid"]).code == 1
    missing = run([*PIDPROXY, "pid", "sh"], cwd=scratch)
    assert missing.code == 127
    assert f"cannot run {scratch}/sh: No such file or directory" in missing.err
    answer = run([*PIDPROXY, "pid", "../bin/sh", "-c", "echo $0; exit 3"], cwd=Path("/usr"))
    assert (answer.code, answer.out) == (0, "../bin/sh\n")
