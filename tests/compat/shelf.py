"""Other people's code: packages from PyPI in an environment of their own, beside ours.

`.third-party/` in the repository root is made once by pip.  It sees everything that the Python of
the tests sees, our distribution `supervisor` among it, so nobody asks for the original.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from support.implementations import REPOSITORY

TOOLS = ("setuptools<81", "wheel")
PACKAGES = (
    "superlance==2.0.0",
    "supervisor-stdout==0.1.1",
    "supervisor-logging==0.0.9",
    "supervisor-wildcards==0.1.3",
    "supervisor_twiddler==1.0.0",
    "supervisor_cache==1.1.0",
    "supervisor-console==0.5.2",
    "supervisor-alert==0.6.2",
    "mr.laforge==0.9",
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the packages are."""

    home: Path

    def program(self, name: str) -> str:
        """The path of a console script."""
        return str(self.home / "bin" / name)

    @property
    def packages(self) -> str:
        """The directory to import them from."""
        (found,) = self.home.glob("lib/python*/site-packages")
        return str(found)


def filled() -> Shelf:
    """The packages, installed on first use."""
    home = REPOSITORY / ".third-party"
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(home)
    return Shelf(home)


def _install(home: Path) -> None:
    ours = sysconfig.get_path("purelib")
    stamp = hashlib.sha256("\n".join([sys.executable, ours, *PACKAGES]).encode()).hexdigest()
    finished = home / "installed"
    if finished.exists() and finished.read_text() == stamp:
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "-q", "--no-deps"]
    # Some of them import supervisor while they are built.
    subprocess.run([*pip, *TOOLS], check=True, capture_output=True)
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    done = subprocess.run([*pip, "--no-build-isolation", *PACKAGES], capture_output=True, text=True)
    assert done.returncode == 0, f"cannot install packages from PyPI: {done.stderr}"
    finished.write_text(stamp)
