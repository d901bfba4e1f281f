"""pidproxy: run a command that leaves its pid in a file, and pass signals on to that pid.

For programs such as mysqld_safe, whose parent stays in the foreground but is deaf to signals.
Source: compat config.md, section 17.  Where the original looks every five seconds whether the
command has ended, we wait for it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

_USAGE = """\
usage: {program} <pidfile> <command> [arguments]

Runs the command and waits for its end.  Signals (TERM HUP INT USR1 USR2 QUIT) go to the process
whose pid is in the pidfile; after TERM, INT and QUIT this program ends.
"""
_FORWARDED = ("SIGTERM", "SIGHUP", "SIGINT", "SIGUSR1", "SIGUSR2", "SIGQUIT")
_LAST = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def main(argv: list[str] | None = None) -> int:
    """The command: 0 after the end of what it ran, whatever its status; 1 for wrong usage."""
    program, *arguments = sys.argv if argv is None else argv
    if len(arguments) < 2:
        print(_USAGE.format(program=program), end="")
        return 1
    pidfile, *command = arguments
    for name in _FORWARDED:
        signal.signal(getattr(signal, name), _forwarder(pidfile))
    # No search along PATH: a relative command is relative to where we are.
    path = os.path.abspath(command[0])
    try:
        child = os.posix_spawn(path, command, os.environ)
    except OSError as error:
        print(f"{program}: cannot run {path}: {error.strerror}", file=sys.stderr)
        return 127
    os.waitpid(child, 0)
    return 0


def _forwarder(pidfile: str) -> Callable[[int, FrameType | None], None]:
    def forward(signum: int, frame: FrameType | None) -> None:
        try:
            with open(pidfile) as file:
                pid = int(file.read())
            if not 0 < pid < 2**31:
                raise ValueError("not the pid of one process")
        except (OSError, ValueError):
            print(f"Can't read child pidfile {pidfile}!", flush=True)
            return
        failed = _kill(pid, signum)
        if signum in _LAST:
            sys.exit(1 if failed else 0)

    return forward


def _kill(pid: int, signum: int) -> bool:
    """Whether the signal was refused, after a line that says why."""
    try:
        os.kill(pid, signum)
    except OSError as error:
        print(f"Can't signal child {pid}: {error.strerror}!", flush=True)
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
