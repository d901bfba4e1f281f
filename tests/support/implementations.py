"""The programs under test: ours, and the original from PyPI as the oracle beside it.

The original is a black box here: it is installed into a virtual environment of its own and only
ever run.  PROCTOR_ORACLE names such an environment; without it `.oracle/` in the repository root is
made once by pip.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
_ORIGINAL = ("supervisor==4.3.0", "superlance==2.0.0", "setuptools<81")


@dataclass(frozen=True, slots=True)
class Implementation:
    """One set of programs: a name for messages and the directory of its console scripts."""

    name: str
    scripts: Path

    def program(self, name: str) -> str:
        """The path of `supervisord`, `supervisorctl`, `pidproxy`, ..."""
        return str(self.scripts / name)

    @property
    def is_ours(self) -> bool:
        """Whether this is Proctor."""
        return self.name == "proctor"

    def __str__(self) -> str:
        return self.name


def proctor() -> Implementation:
    """Ours, as installed beside the Python that runs the tests."""
    return Implementation("proctor", Path(sys.executable).parent)


def original() -> Implementation:
    """Supervisor 4.3.0 and superlance 2.0.0 from PyPI; installed on first use."""
    named = os.environ.get("PROCTOR_ORACLE")
    home = Path(named) if named else REPOSITORY / ".oracle"
    if not named:
        _install(home)
    scripts = home / "bin"
    assert (scripts / "supervisord").exists(), f"no supervisord in {scripts}"
    return Implementation("original", scripts)


def _install(home: Path) -> None:
    finished = home / "installed"
    if finished.exists():
        return
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if finished.exists():
            return
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "-q"]
        done = subprocess.run([*pip, *_ORIGINAL], capture_output=True, text=True)
        assert done.returncode == 0, (
            "cannot install the original for the differential tests; set PROCTOR_ORACLE to an "
            f"environment that has it, or leave them out with -m 'not oracle'\n{done.stderr}"
        )
        finished.touch()
