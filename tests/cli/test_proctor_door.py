"""proctor: the commands behind the one door, and the demo."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from rpchost import rpc_host
from support.daemon import run
from support.waiting import GENEROUS, until

PROCTOR = [sys.executable, "-m", "proctor"]


def test_what_it_can_do() -> None:
    """Help with 0, nonsense with 2, a version."""
    for words in (["help"], ["--help"], ["-h"]):
        answer = run([*PROCTOR, *words])
        assert answer.code == 0
        assert "check FILE" in answer.out
    for words in (["check", "--help"], ["hash-password", "-h"], ["demo", "--help"]):
        answer = run([*PROCTOR, *words])
        assert answer.code == 0
        assert answer.out.startswith(f"usage: proctor {words[0]}")
    answer = run(PROCTOR)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("usage: proctor ")
    assert re.fullmatch(r"\d+\.\d+.*\n", run([*PROCTOR, "version"]).out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("nonsense", "proctor has no command 'nonsense'"),
        ("demmo", "proctor has no command 'demmo'; did you mean demo?"),
        ("statu", "proctor has no command 'statu'; did you mean `proctor ctl status`?"),
        ("demo foo", "demo takes no arguments, not 'foo'"),
        ("version --verbose", "version does not know --verbose"),
        ("check --jsn F", "check does not know --jsn; did you mean --json?"),
        ("check --jsn", "check does not know --jsn; did you mean --json?"),
        ("check --json", "check takes one FILE"),
        ("check a b", "check takes one FILE, not 2"),
        ("check a --strict b --json", "check takes one FILE, not 2"),
        ("hash-password --tokn", "hash-password does not know --tokn; did you mean --token?"),
    ],
)
def test_what_is_wrong_with_a_line(words: str, said: str) -> None:
    """In one sentence, not by showing everything that is right."""
    answer = run([*PROCTOR, *words.split()])
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.splitlines()[0] == f"Error: {said}"
    assert len(answer.err.splitlines()) == 2


def test_ctl_and_supervisord_behind_it(scratch: Path) -> None:
    """`proctor ctl` is supervisorctl, `proctor supervisord` is supervisord."""
    with rpc_host(scratch, getSupervisorVersion="4.3.0") as host:
        assert run([*PROCTOR, "ctl", "-s", host.url, "version"], cwd=scratch).out == "4.3.0\n"
    assert run([*PROCTOR, "supervisord", "--version"]).out == "4.3.0\n"
    assert run([*PROCTOR, "supervisord", "--nonsense"]).code == 2


def test_check(scratch: Path) -> None:
    """Every mistake at once; for tools as JSON; 2 when the file cannot be used."""
    good = scratch / "good.conf"
    good.write_text("[supervisord]\n[program:x]\ncommand=/bin/cat\n")
    assert run([*PROCTOR, "check", str(good)]).lines == [f"{good}: no mistakes"]
    bad = scratch / "bad.conf"
    bad.write_text("[supervisord]\n[program:x]\ncommand=/bin/cat\nstartsecs=five\nnumprocs=l\n")
    answer = run([*PROCTOR, "check", str(bad)])
    assert answer.code == 2
    assert "five" in answer.out
    assert "'l'" in answer.out
    for words in (["--json", str(bad)], [str(bad), "--json"]):
        answer = run([*PROCTOR, "check", *words])
        assert answer.code == 2
        report = json.loads(answer.out)
        assert (report["ok"], len(report["problems"])) == (False, 2)
    assert run([*PROCTOR, "check", str(scratch / "none.conf")]).code == 2
    good.write_text("[supervisord]\nfoo=1\n")
    strict = ["--strict", str(good)]
    assert [run([*PROCTOR, "check", *words]).code for words in (strict[1:], strict)] == [0, 2]
    command = [*PROCTOR, "supervisord", "--check", "-c", str(good)]
    assert [run([*command, *more]).code for more in ([], ["--strict"])] == [0, 2]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_the_demo(scratch: Path, signum: signal.Signals) -> None:
    """Real programs come up, its hints work as printed, and nothing is left behind."""
    with subprocess.Popen(
        [*PROCTOR, "demo"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch)},
        # As from a terminal: Ctrl-C reaches the whole group.
        start_new_session=True,
    ) as demo:
        try:
            assert demo.stdout is not None
            running = set[str]()
            shown = ""
            while len(running) < 5:
                shown += (line := demo.stdout.readline())
                assert line, shown
                running.update(re.findall(r"success: (\w+) entered", line))
            _try_the_hints(shown, scratch)
            os.killpg(demo.pid, signum)
            rest = demo.stdout.read()
            assert demo.wait(GENEROUS) == 0, rest
        finally:
            if demo.poll() is None:
                demo.terminate()
    assert list(scratch.iterdir()) == []


def _try_the_hints(shown: str, scratch: Path) -> None:
    commands = re.findall(
        r"^  (.* -c .*/supervisord\.conf (?:status|restart .*|stop .*))$", shown, re.M
    )
    assert len(commands) == 3
    for command in commands:
        answer = run(["sh", "-c", command])
        assert "ERROR" not in answer.out + answer.err
    assert "pair:ping: started" in run(["sh", "-c", commands[1]]).out
    page, web = re.findall(r"http://127\.0\.0\.1:\d+/", shown)[:2]
    with urllib.request.urlopen(page) as answer:
        assert b"Supervisor Status" in answer.read()

    def greeting() -> bytes:
        with urllib.request.urlopen(web) as answer:
            return bytes(answer.read())

    # A server that runs need not listen yet.
    assert until(greeting, "it answers").startswith(b"Hello from process ")
    (directory,) = scratch.iterdir()
    until(lambda: "job 1\n" in (directory / "worker.log").read_text(), "the worker works")


def test_the_installed_scripts() -> None:
    """Every console script starts."""
    for script, words in (("proctor", "version"), ("supervisorctl", "--help"), ("pidproxy", "")):
        path = Path(sys.executable).with_name(script)
        if not path.exists():
            pytest.skip("not installed beside this Python")
        assert run([str(path), *words.split()]).code == (1 if script == "pidproxy" else 0)
    assert shutil.which("sh")
