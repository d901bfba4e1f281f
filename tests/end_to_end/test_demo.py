"""`proctor demo`, the first thing anybody runs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from functools import partial
from pathlib import Path

import pytest

from support.daemon import MARK, marked, run
from support.implementations import Implementation
from support.waiting import GENEROUS, until


def is_served(address: str) -> bool:
    with urllib.request.urlopen(address, timeout=GENEROUS) as answer:
        return bool(answer.status == 200)


def _demo(ours: Implementation, identifier: str, console: Path) -> subprocess.Popen[bytes]:
    with console.open("wb") as output:
        return subprocess.Popen(
            [ours.program("proctor"), "demo"],
            env={**os.environ, MARK: identifier},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def test_the_demo_runs_and_cleans_up(ours: Implementation, scratch: Path) -> None:
    """Real programs run, what it says to try works, and Ctrl-C leaves nothing behind."""
    identifier, console = scratch.name, scratch / "console"
    demo = _demo(ours, identifier, console)
    try:

        def said(pattern: str) -> re.Match[str] | None:
            return re.search(pattern, console.read_text())

        until(lambda: said("supervisord started with pid"), console.read_text)
        found = said(r"-c (\S+/supervisord\.conf)")
        assert found
        conf = Path(found.group(1))

        def all_run() -> bool:
            status = run([ours.program("supervisorctl"), "-c", str(conf), "status"])
            lines = [line for line in status.lines if "flaky" not in line]
            return len(lines) == 4 and all("RUNNING" in line for line in lines)

        until(all_run, console.read_text)
        addresses = re.findall(r"http://127\.0\.0\.1:\d+/", console.read_text())
        assert len(addresses) == 2
        for address in addresses:
            # A server that runs need not listen yet.
            until(partial(is_served, address), f"{address} answers")
    finally:
        # The terminal sends it to all that run in the foreground.
        os.killpg(demo.pid, signal.SIGINT)
        code = demo.wait(GENEROUS)
    assert code == 0, console.read_text()
    assert "Traceback" not in console.read_text()
    assert not conf.parent.exists()
    until(lambda: not marked(identifier), "everything has ended")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody tells of a parent's end")
@pytest.mark.parametrize("moment", ["Five programs", "success: worker entered RUNNING"])
def test_a_demo_that_is_killed_leaves_nothing_behind(
    ours: Implementation, scratch: Path, moment: str
) -> None:
    """Also when its daemon is about to start."""
    identifier, console = scratch.name, scratch / "console"
    demo = _demo(ours, identifier, console)
    try:
        until(lambda: moment in console.read_text(), console.read_text)
        demo.kill()
        demo.wait(GENEROUS)
        found = re.search(r"-c (\S+)/supervisord\.conf", console.read_text())
        assert found
        until(lambda: not marked(identifier), "everything has ended")
        assert not Path(found.group(1)).exists()
    finally:
        for pid in marked(identifier):
            os.kill(pid, signal.SIGKILL)
