"""proctor demo: a real supervisord in the foreground, with real programs, until Ctrl-C.

Everything lives in a directory of its own that is removed at the end.  The daemon is put into a
process group of its own, so that Ctrl-C is passed on once, by us, and never reaches it twice.

The process that the user started only stands in front of the one that does all this: when it is
killed, the other one hears that, from the kernel, and cleans up.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from string import Template

_FILES = ("supervisord.conf", "web.py", "worker.py", "flaky.py")

_PR_SET_PDEATHSIG = 1

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


class _Wish:
    """Somebody wants the end.  It is told once, also if felt before there was whom to tell."""

    def __init__(self) -> None:
        self._felt = False
        self._tell: Callable[[], None] = lambda: None
        # A terminal that went away ends the demo, too; it is no wish for a restart.
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, lambda *_: self.feel())

    def feel(self) -> None:
        if not self._felt:
            self._felt = True
            self._tell()

    def tell(self, how: Callable[[], None]) -> None:
        self._tell = how
        if self._felt:
            how()


def demo() -> int:
    """Run until the daemon ends; its exit status."""
    wish = _Wish()
    in_front = os.getpid()
    sys.stdout.flush()
    worker = os.fork()
    if worker:
        return _stand_in_front(worker, wish)
    _end_with(in_front, wish)
    directory = Path(tempfile.mkdtemp(prefix="proctor-demo-"))
    try:
        port, page = _free_ports()
        _write(directory, port, page)
        ctl = f"{_ctl()} -c {directory}/supervisord.conf"
        print(_WELCOME.format(directory=directory, ctl=ctl, port=port, page=page), flush=True)
        configuration = str(directory / "supervisord.conf")
        command = [sys.executable, "-m", "proctor.supervisord", "-n", "-c", configuration]
        daemon = subprocess.Popen(command, process_group=0, stdin=subprocess.DEVNULL)
        wish.tell(daemon.terminate)
        return daemon.wait()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _stand_in_front(worker: int, wish: _Wish) -> int:
    """Pass wishes on, and wait; the exit status."""

    def end() -> None:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGTERM)

    wish.tell(end)
    code = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
    return code if code >= 0 else 128 - code


def _end_with(parent: int, wish: _Wish) -> None:
    """Let the end of the parent, however it comes, be a wish; Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            wish.feel()


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
