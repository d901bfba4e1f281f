"""Running a command as a user who is not root, on machines where the tests are.

A Python below a closed home directory (/root/.pyenv) is out of reach for others.  In a mount
namespace of its own the command finds just the Python there, at its usual place.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_HOME = Path.home()
_PYTHON = Path(sys.base_prefix).resolve()

_REACH = """
mount --bind {python} /mnt && mount -t tmpfs -o mode=755 none {home} &&
mkdir -p {python} && mount --bind /mnt {python} && umount /mnt
"""


def as_nobody(words: list[str]) -> list[str]:
    """The command that runs these words as nobody, who gets the directory it is run in.

    As ourselves when we are not root.
    """
    if os.getuid() != 0:
        return words
    closed = any(not folder.stat().st_mode & 0o001 for folder in _PYTHON.parents)
    within = closed and _HOME in _PYTHON.parents
    reach = _REACH.format(python=_PYTHON, home=_HOME).strip() if within else "true"
    user = "exec setpriv --reuid=nobody --regid=nogroup --clear-groups"
    script = f'chown nobody . && {reach} && {user} "$@"'
    return ["unshare", "--mount", "sh", "-ec", script, "sh", *words]


def reason_against() -> str:
    """Why nobody can run our programs here; "" when it can."""
    if os.getuid() == 0 and not (shutil.which("unshare") and shutil.which("setpriv")):
        return "needs unshare and setpriv of util-linux"
    words = as_nobody([sys.executable, "-c", "import proctor"])
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run(words, capture_output=True, check=False, cwd=folder)
    return "" if tried.returncode == 0 else f"nobody cannot run us: {tried.stderr!r}"
