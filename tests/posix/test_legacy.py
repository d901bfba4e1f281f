"""What is left to the next program in this process."""

from __future__ import annotations

import os
import subprocess
import sys

from proctor.posix import legacy


def test_nothing_was_left() -> None:
    """The usual start."""
    assert legacy.inherit({}) == ""


def test_a_text_of_any_size_and_kind() -> None:
    """Larger than a variable may be; with what is no Unicode."""
    environ: dict[str, str] = {}
    text = "爬虫\udc80" * 100_000
    legacy.leave(text, environ)
    assert legacy.inherit(environ) == text
    assert environ == {}


def test_it_survives_an_exec() -> None:
    """The next program inherits the descriptor, and finds the variable."""
    environ = dict(os.environ)
    legacy.leave("left", environ)
    fd = int(environ[legacy.ENVIRONMENT_VARIABLE])
    code = "import os; from proctor.posix import legacy; print(legacy.inherit(os.environ))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, pass_fds=[fd], capture_output=True, text=True
    )
    os.close(fd)
    assert done.stdout == "left\n", done.stderr
