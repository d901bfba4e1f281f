"""SpawnPlan and what may come of it: the words in which the heart asks for a child.

Plain data, so that a plan can be sent to the keeper, and so that the rules never touch the system.
"""

from __future__ import annotations

from proctor.core.values import dataclass


@dataclass(frozen=True, slots=True)
class SpawnPlan:
    """Everything a child needs, already resolved.

    `key` names the child towards the keeper ("group:process").  `environment` is added to the
    supervisor's own.  `uid` None: do not switch user; else `gid` and `groups` are set with it.
    `no_new_privs`: neither it nor what comes of it can gain rights by a set-user-ID program.
    `tree`: all that comes from it is to be found again under this name ("" = it need not be).
    `socket_fd`: a listening socket for fd 0 (FastCGI) instead of a stdin pipe. `note` is kept by
    the keeper and given back on recovery; the keeper never reads it.
    """

    key: str
    filename: str
    argv: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    directory: str | None = None
    umask: int | None = None
    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] = ()
    redirect_stderr: bool = False
    no_new_privs: bool = False
    socket_fd: int | None = None
    note: str = ""
    tree: str = ""


@dataclass(frozen=True, slots=True)
class SpawnFailure:
    """No child came to be: the step ("pipe", "fork", ...) and the errno it failed with."""

    step: str
    errno: int


@dataclass(frozen=True, slots=True)
class ChildPipes:
    """Our ends of a new child's pipes; the receiver owns and closes them.

    `stdin` is None for a FastCGI child; `stderr` is None when it is redirected into stdout; all are
    None when they are lost.  All three are non-blocking.
    """

    stdin: int | None
    stdout: int | None
    stderr: int | None
