"""A start that fails ends at once with its exit status, whatever became of its output."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from support.daemon import Launch
from support.implementations import Implementation
from support.waiting import GENEROUS

CANNOT_LISTEN = """\
[unix_http_server]
file=%(here)s/{socket}

[supervisord]
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
keeper={keeper}
"""


@contextmanager
def _nobody_reads() -> Iterator[int]:
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@contextmanager
def _somebody_reads_no_more() -> Iterator[int]:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    for size in (65536, 1):
        try:
            while True:
                os.write(writing, b"x" * size)
        except BlockingIOError:
            continue
    os.set_blocking(writing, True)
    yield writing
    os.close(writing)
    os.close(reading)


@contextmanager
def _full() -> Iterator[int]:
    writing = os.open("/dev/full", os.O_WRONLY)
    yield writing
    os.close(writing)


@pytest.mark.parametrize("output", [_nobody_reads, _somebody_reads_no_more, _full])
@pytest.mark.parametrize("socket", ["nodir/s.sock", "s" * 120])
@pytest.mark.parametrize("keeper", ["true", "false"])
def test_it_ends_with_its_status(
    launch: Launch,
    ours: Implementation,
    output: Callable[[], AbstractContextManager[int]],
    socket: str,
    keeper: str,
) -> None:
    """No crash, which would be tried again, and nobody waits for a reader."""
    words = f"exec {shlex.quote(ours.program('supervisord'))} -n -c supervisord.conf 2>&1"
    whole = CANNOT_LISTEN.format(socket=socket, keeper=keeper)
    with output() as writing:
        daemon = launch(
            ours,
            whole=whole,
            ready=False,
            stdout=writing,
            command=["/bin/sh", "-c", words],
            arguments=(),
        )
        assert daemon.wait() == 2


def test_a_plug_in_that_exits_ends_the_start(
    launch: Launch, ours: Implementation, scratch: Path
) -> None:
    """Another try would end in the same way, for six minutes."""
    (scratch / "exits.py").write_text("def make(facade): raise SystemExit(3)\n")
    section = "[rpcinterface:x]\nsupervisor.rpcinterface_factory=exits:make\n"
    daemon = launch(ours, section, ready=False, environment={"PYTHONPATH": str(scratch)})
    assert daemon.wait() == 1


@pytest.mark.parametrize(
    "words",
    [
        "supervisord --help",
        "supervisord --version",
        "supervisord --check -c /dev/null",
        "supervisorctl --help",
        "supervisorctl -s http://127.0.0.1:1 status",
        "echo_supervisord_conf",
        "proctor --help",
        "proctor check /dev/null",
        "proctor events --help",
        "proctor healthy -s http://127.0.0.1:1",
    ],
)
def test_commands_that_nobody_reads_end_quietly(ours: Implementation, words: str) -> None:
    """Like other tools of a pipeline: no traceback, no complaint of the interpreter."""
    program, *rest = words.split()
    with _nobody_reads() as writing:
        done = subprocess.run(
            [ours.program(program), *rest],
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=GENEROUS,
        )
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("words", ["supervisorctl -x", "proctor", "proctor events -x"])
def test_errors_that_nobody_reads(ours: Implementation, words: str) -> None:
    """They are failures like any other (120 is the interpreter's own)."""
    program, *rest = words.split()
    with _nobody_reads() as writing:
        done = subprocess.run(
            [ours.program(program), *rest], stdout=writing, stderr=writing, timeout=GENEROUS
        )
    assert done.returncode in (1, 2)
