"""proctor demo: a real supervisord in the foreground, with real programs, until Ctrl-C.

Everything lives in a directory of its own that is removed at the end.  The daemon is put into a
process group of its own, so that Ctrl-C is passed on once, by us, and never reaches it twice.
"""

from __future__ import annotations

import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from string import Template
from types import FrameType

_FILES = ("supervisord.conf", "web.py", "worker.py", "flaky.py")

_WELCOME = """\
Five programs are started by a supervisord whose files are in
{directory}
What you see below is its log.  In another terminal, try:

  {ctl} status
  {ctl} tail -f worker
  {ctl} restart 'pair:*'
  {ctl} stop flaky
  {ctl}

and in a browser:

  http://127.0.0.1:{page}/      these programs, their logs, and why they are as they are
  http://127.0.0.1:{port}/      the program `web` itself

(`supervisorctl` is `proctor ctl`; any of these works with the original's client, too.)
Kill a program to see it come back.  Ctrl-C stops everything and removes the directory.
"""


def demo() -> int:
    """Run until the daemon ends; its exit status."""
    directory = Path(tempfile.mkdtemp(prefix="proctor-demo-"))
    try:
        port, page = _free_ports()
        _write(directory, port, page)
        ctl = f"{_ctl()} -c {directory}/supervisord.conf"
        print(_WELCOME.format(directory=directory, ctl=ctl, port=port, page=page), flush=True)
        configuration = str(directory / "supervisord.conf")
        return _run([sys.executable, "-m", "proctor.supervisord", "-n", "-c", configuration])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _free_ports() -> tuple[int, int]:
    """Two different ones."""
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def _write(directory: Path, port: int, page: int) -> None:
    python = sys.executable.replace("%", "%%")
    names = {"python": python, "port": str(port), "page": str(page)}
    for name in _FILES:
        text = (files("proctor.demo") / name).read_text(encoding="utf-8")
        if name.endswith(".conf"):
            text = Template(text).substitute(names)
        (directory / name).write_text(text, encoding="utf-8")


def _ctl() -> str:
    """What to type for supervisorctl: short if the shell finds ours, else by the full path."""
    beside = Path(sys.executable).with_name("supervisorctl")
    found = shutil.which("supervisorctl")
    if found is not None and beside.exists() and Path(found).samefile(beside):
        return "supervisorctl"
    return shlex.quote(str(beside)) if beside.exists() else f"{sys.executable} -m proctor ctl"


def _run(command: list[str]) -> int:
    asked = False
    daemon: subprocess.Popen[bytes] | None = None

    def end(signum: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        if daemon is not None:
            daemon.terminate()

    # A terminal that went away ends the demo, too; it is no wish for a restart.
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, end)
    daemon = subprocess.Popen(command, process_group=0, stdin=subprocess.DEVNULL)
    if asked:
        daemon.terminate()
    return daemon.wait()
