"""A text that a program leaves to the one it execs.

In a file without a name whose descriptor is inherited: a variable has room for 128 KiB only.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from contextlib import suppress

ENVIRONMENT_VARIABLE = "PROCTOR_LEGACY_FD"


def leave(text: str, environ: MutableMapping[str, str]) -> None:
    """Let the program this process is about to exec find `text`.

    When the file cannot be made nothing is left: no reason not to go on.
    """
    import tempfile  # brings compressors with it, which a daemon that just runs need not carry

    with suppress(OSError), tempfile.TemporaryFile() as file:
        file.write(text.encode("utf-8", "surrogatepass"))
        file.seek(0)
        fd = os.dup(file.fileno())
        os.set_inheritable(fd, True)
        environ[ENVIRONMENT_VARIABLE] = str(fd)


def inherit(environ: MutableMapping[str, str]) -> str:
    """What was left to this process, "" if nothing was.

    Takes the variable out of `environ`.  Raises OSError or ValueError when it names no file.
    """
    number = environ.pop(ENVIRONMENT_VARIABLE, None)
    if number is None:
        return ""
    with os.fdopen(int(number), "rb") as file:
        return file.read().decode("utf-8", "surrogatepass")
