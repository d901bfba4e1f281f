"""How the keeper comes to be, and how a daemon that was started by it finds it.

The process the user started becomes the keeper, so that the pid in its shell, in the pidfile and
in the service manager stays right; its child goes on as the daemon, with all that is loaded and
bound already.  The command line of the keeper is described in keeper/main.py.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from collections.abc import MutableMapping
from contextlib import suppress

from proctor.keeper import main as keeper_main
from proctor.keeper.protocol import ENVIRONMENT_VARIABLE
from proctor.posix.last_words import tell

_PR_SET_CHILD_SUBREAPER = 36

# ctypes is too large for the keeper itself; what prctl sets survives the exec.
_ADOPT_THEN_EXEC = f"""\
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl({_PR_SET_CHILD_SUBREAPER}, 1, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def split_off_daemon(restart_command: list[str]) -> socket.socket:
    """Fork: the parent becomes the keeper, the child returns with the socket to it and goes on as
    the daemon.

    Call it with one thread and before the event loop is made.  `restart_command` starts the daemon
    again (first the path of an executable).  Raises OSError when there is no keeper, in the
    process that called.
    """
    ours, theirs = socket.socketpair()
    # Nothing may be lost or kill the keeper before its handlers stand; it unblocks them itself.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, AttributeError):  # its reader is gone; it was closed from the start
            stream.flush()
    try:
        daemon = os.fork()
    except OSError:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        raise
    if daemon:
        ours.close()
        _become_keeper(theirs, daemon, restart_command)
    theirs.close()
    os.setpgid(0, 0)
    # We are now in the background of the terminal; writing to it must not stop us.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return ours


def start_beside(
    restart_command: list[str], open_files: tuple[int, int]
) -> tuple[socket.socket, int]:
    """Start a keeper for the daemon that calls, whose own is gone; the socket to it and its pid.

    It is our child, ours to reap.  `open_files` is the limit that children are to have.  Raises
    OSError.
    """
    ours, theirs = socket.socketpair()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    options = ["--socket", str(theirs.fileno()), "--beside", str(os.getpid()), "--"]
    become = [*keeper_program(), *options, *restart_command]
    command = [sys.executable, "-I", "-S", "-c", _ADOPT_THEN_EXEC, *become]
    with theirs:
        theirs.set_inheritable(True)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (open_files[0], limits[1]))
            pid = os.posix_spawn(
                command[0],
                command,
                os.environ,
                setpgroup=0,
                # It is known by its pid at once: what comes before it hears anything waits.
                setsigmask=signal.valid_signals(),
                setsigdef=[signal.SIGPIPE],
            )
        except OSError:
            ours.close()
            raise
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    return ours, pid


def keeper_command(fd: int, daemon: int, restart_command: list[str]) -> list[str]:
    """The command line of the keeper, see keeper/main.py."""
    options = ["--socket", str(fd), "--daemon", str(daemon), "--", *restart_command]
    return [*keeper_program(), *options]


def keeper_program(python: str = sys.executable) -> list[str]:
    """The keeper as it is installed now, for KeeperHost.reexec_keeper or with a command line."""
    return [python, "-I", "-S", "-X", "utf8", os.path.abspath(keeper_main.__file__)]


def inherited_keeper(environ: MutableMapping[str, str]) -> socket.socket | None:
    """The socket to the keeper that started this daemon, None when there is none: then nobody
    holds anything.

    Takes the variable out of `environ`, so that no child sees it.  Raises OSError or ValueError
    when the variable names no socket: better no daemon than two.
    """
    number = environ.pop(ENVIRONMENT_VARIABLE, None)
    if number is None:
        return None
    sock = socket.socket(fileno=int(number))
    sock.set_inheritable(False)
    return sock


def leave_to_next(sock: socket.socket, environ: MutableMapping[str, str]) -> None:
    """Let the program this process is about to exec inherit the keeper (see inherited_keeper)."""
    sock.set_inheritable(True)
    environ[ENVIRONMENT_VARIABLE] = str(sock.fileno())


def adopt_orphans() -> bool:
    """Become the parent of whatever loses its own below us (PR_SET_CHILD_SUBREAPER).

    It survives an exec.  False where the system has nothing of the kind; process 1 needs it not.
    """
    if sys.platform != "linux":
        return False
    import ctypes

    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return bool(prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def _become_keeper(sock: socket.socket, daemon: int, restart_command: list[str]) -> None:
    """Does not return.

    If the exec fails the daemon sees the end of its socket before it has started anything.
    """
    try:
        adopt_orphans()
        sock.set_inheritable(True)
        command = keeper_command(sock.fileno(), daemon, restart_command)
        os.execv(command[0], command)
    except OSError as error:
        tell(f"cannot start the keeper: {error}")
    finally:
        os._exit(1)
