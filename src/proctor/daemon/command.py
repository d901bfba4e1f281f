"""From a command line to a file to execute and the environment to execute it in.

Source: compat process.md, sections 4.1 (texts and PATH rules) and 8 (environment).
"""

from __future__ import annotations

import os
import shlex
import stat
from functools import lru_cache

from proctor.core.faults import Fault, FaultCode
from proctor.core.spec import ProcessSpec
from proctor.core.values import dataclass

_FALLBACK_PATH = "/bin:/usr/bin:/usr/local/bin"


@dataclass(frozen=True, slots=True)
class Command:
    """What to execute: the file, and the words as written."""

    filename: str
    argv: tuple[str, ...]


def resolve(spec: ProcessSpec) -> Command:
    """Find the program.  Raises Fault NO_FILE or NOT_EXECUTABLE, with the spawn error as
    `detail`.
    """
    try:
        words = _words(spec.command)
    except ValueError as error:
        raise _not_executable(f"can't parse command {spec.command!r}: {error}") from None
    if not words:
        raise _not_executable("command is empty")
    filename, status = _find(words[0], spec)
    if status is None:
        raise Fault(FaultCode.NO_FILE, f"can't find command {words[0]!r}")
    if stat.S_ISDIR(status.st_mode):
        raise _not_executable(f"command at {filename!r} is a directory")
    if not status.st_mode & 0o111:
        raise _not_executable(f"command at {filename!r} is not executable")
    if not os.access(filename, os.X_OK):
        raise _not_executable(f"no permission to run command {filename!r}")
    return Command(filename, words)


def child_environment(spec: ProcessSpec, server_url: str | None) -> tuple[tuple[str, str], ...]:
    """What a child's environment has beyond our own; later pairs win.

    `server_url` None: there is no server, and an inherited variable stays.
    """
    url = spec.serverurl or server_url
    return (
        ("SUPERVISOR_ENABLED", "1"),
        *((("SUPERVISOR_SERVER_URL", url),) if url else ()),
        ("SUPERVISOR_PROCESS_NAME", spec.name),
        ("SUPERVISOR_GROUP_NAME", spec.group),
        *spec.environment,
    )


@lru_cache(maxsize=64)
def _words(command: str) -> tuple[str, ...]:
    """Raises ValueError.  What restarts again and again is not taken apart each time."""
    return tuple(shlex.split(command))


def _not_executable(text: str) -> Fault:
    return Fault(FaultCode.NOT_EXECUTABLE, text)


def _find(program: str, spec: ProcessSpec) -> tuple[str, os.stat_result | None]:
    """The program's file and what it is.  The first match on the path counts (gotcha G36)."""
    if "/" in program:
        return program, _status(program)
    path = dict(spec.environment).get("PATH") or os.environ.get("PATH") or _FALLBACK_PATH
    for directory in path.split(os.pathsep):
        candidate = os.path.join(directory, program)
        status = _status(candidate)
        if status is not None:
            return candidate, status
    return program, None


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (OSError, ValueError):
        return None
