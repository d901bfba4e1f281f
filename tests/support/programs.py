"""Small programs for configurations, and the file names under which they are known."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# Does what it reads, line by line, from its standard input: `exit 3`, `trap "" TERM`, `echo hello`.
# Drive it by supervisor.sendProcessStdin.
OBEDIENT = """/bin/sh -c 'while read -r line; do eval "$line"; done'"""


def path_with_python() -> dict[str, str]:
    """An environment in which `python` is a command; not every machine has one of that name."""
    return {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def program(name: str, command: str = "/bin/cat", **options: object) -> str:
    """A [program:x] section; startsecs is 0 unless given."""
    chosen = {"command": command, "startsecs": 0, **options}
    lines = [f"{key}={value}" for key, value in chosen.items()]
    return "\n".join([f"[program:{name}]", *lines, "", ""])
