"""The original's supervisorctl against our server: every kind of answer it knows how to print."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from support.implementations import Implementation
from support.waiting import GENEROUS
from webhost import Served

pytestmark = pytest.mark.oracle
Serve = Callable[..., Served]


def ctl(original: Implementation, served: Served, *words: str, unix: bool = True) -> str:
    """What one command prints."""
    url = f"unix://{served.path}" if unix else f"http://127.0.0.1:{served.port}"
    done = subprocess.run(
        [original.program("supervisorctl"), "-s", url, *words],
        capture_output=True,
        text=True,
        cwd="/",
        timeout=GENEROUS,
    )
    return done.stdout


@pytest.mark.parametrize("unix", [True, False])
def test_it_understands_our_answers(original: Implementation, serve: Serve, unix: bool) -> None:
    """Over both kinds of sockets."""
    served = serve()

    def run(*words: str) -> str:
        return ctl(original, served, *words, unix=unix)

    status = run("status").splitlines()
    assert [line.split()[:2] for line in status] == [
        ["cat", "RUNNING"],
        ["web:web_0", "RUNNING"],
        ["猫", "RUNNING"],
    ]
    assert run("version") == "4.3.0\n"
    assert run("pid") == "42\n"
    assert run("start", "cat") == "cat: ERROR (already started)\n"
    assert run("stop", "web:web_0", "nope") == (
        "web:web_0: stopped\nnope: ERROR (no such process)\n"
    )
    assert run("stop", "all") == "cat: stopped\n"
    assert run("start", "web:*") == "web:web_0: started\n"
    assert run("tail", "cat") == "hello\n\n"
    assert run("reread") == "new: available\nold: disappeared\n"
    assert run("signal", "HUP", "cat") == "cat: signalled\n"
    assert run("clear", "cat") == "cat: cleared\n"


def test_it_follows_a_log(original: Implementation, served: Served) -> None:
    """tail -f reads our chunks until it is interrupted."""
    command = [
        original.program("supervisorctl"),
        "-s",
        f"unix://{served.path}",
        "tail",
        "-f",
        "cat",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd="/") as process:
        try:
            assert process.stdout is not None
            assert b"last words" in b"".join(process.stdout.readline() for _ in range(2))
        finally:
            process.terminate()
            process.wait(GENEROUS)


def test_it_logs_in(original: Implementation, serve: Serve) -> None:
    """With -u and -p; without them it is refused."""
    served = serve(username="user", password="pass")
    assert "requires authentication" in ctl(original, served, "pid")
    assert ctl(original, served, "-u", "user", "-p", "pass", "pid") == "42\n"
