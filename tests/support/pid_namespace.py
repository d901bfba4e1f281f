"""Running a command as process 1 of a PID namespace of its own, as in a container."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

_UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc"]


def as_first(words: list[str]) -> list[str]:
    """The command that runs these words as process 1; the process that is started waits for it."""
    return [*_UNSHARE, *words]


def reason_against() -> str:
    """Why there can be no such namespace; "" when there can."""
    if not shutil.which("unshare"):
        return "needs unshare of util-linux"
    tried = subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else f"no PID namespace here: {tried.stderr!r}"


def first_in(starter: int) -> int:
    """Process 1 of the namespace, as we know it."""
    children = Path(f"/proc/{starter}/task/{starter}/children").read_text().split()
    return int(children[0])


def outside(first: int, pid: int) -> int:
    """The pid under which we know what process `first` of a namespace knows as `pid`."""
    namespace = os.readlink(f"/proc/{first}/ns/pid")
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(entry / "ns/pid") == namespace:
                status = (entry / "status").read_text()
                inner = next(line for line in status.splitlines() if line.startswith("NSpid:"))
                if int(inner.split()[-1]) == pid:
                    return int(entry.name)
    raise ProcessLookupError(pid)
