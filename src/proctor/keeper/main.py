"""DOOR: the keeper's own process.

Command line (posix/keeper_launch.py makes it; the process that the user started execs into it, so
that its pid stays the one users see):

    python -I -S -X utf8 .../proctor/keeper/main.py --socket FD --daemon PID -- COMMAND ...
    python -I -S -X utf8 .../proctor/keeper/main.py --socket FD --beside PID -- COMMAND ...
    python -I -S -X utf8 .../proctor/keeper/main.py --state FD
    python -I -S -X utf8 .../proctor/keeper/main.py --check-state

FD is the keeper's end of a stream socket pair, PID the child that already holds the other end and
goes on as the daemon.  COMMAND starts the daemon again when it ended without `bye`: it runs with
the keeper's environment plus PROCTOR_KEEPER_FD=<number of an inherited descriptor>, the daemon's
end of a fresh pair, for keeper_launch.inherited_keeper().  The other words between the two are in
protocol.py.  With --beside the daemon is not our child but our parent: its keeper is gone.
--state is for a keeper that becomes this program: FD holds its state (renewal.py); --check-state
says, by exit status 0, that the state on standard input would do.

The file is run by its path, isolated and without `site`: no .pth file, no PYTHONPATH and no user
site can put foreign code into the parent of everything, it starts faster and stays smaller.  So it
finds its own package itself, wherever that is installed, editable or not; it comes last on
sys.path so that it can shadow nothing.  `-X utf8`: arguments and environment are passed on byte
for byte whatever the locale.

Exit code: that of `bye`; that of the first daemon when it ended before `hello` (128 + n for signal
n); 1 when everything had to be stopped without a daemon, or there are none and it cannot be
started; 2 for a wrong command line.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing for real costs the keeper 0.6 MB
    from proctor.keeper.spawner import Spawner
    from proctor.keeper.state import State

if __package__ in (None, ""):
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def main(arguments: list[str]) -> int:
    """Keep.  Returns when the daemon has said bye, with the code to exit with."""
    from proctor.keeper import state as states
    from proctor.keeper.ear import say
    from proctor.keeper.renewal import CHECK, RESUME

    try:
        match arguments:
            case [flag] if flag == CHECK:
                states.read(0)
                import proctor.keeper.loop  # noqa: F401

                return 0
            case [flag, fd] if flag == RESUME:
                return _resume(states.read(int(fd)))
            case ["--socket", fd, ("--daemon" | "--beside") as flag, pid, "--", first, *rest]:
                return _begin(int(fd), int(pid), [first, *rest], beside=flag == "--beside")
            case _:
                raise ValueError("unknown arguments")
    except (ValueError, TypeError, KeyError, OSError) as error:
        say(f"cannot keep anything with {' '.join(arguments)}: {error}")
        return 2


def _begin(fd: int, pid: int, command: list[str], beside: bool) -> int:
    import resource
    import time

    from proctor.keeper.daemon import Daemon
    from proctor.keeper.loop import Keeper
    from proctor.keeper.thin import sockets

    sock = sockets.socket(fileno=fd)
    watch = os.pidfd_open(pid) if beside else None
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    keeper = Keeper(command, _spawner(limits))
    keeper.meet(Daemon(pid, sock, time.monotonic(), watch), first=not beside)
    return keeper.run()


def _resume(state: State) -> int:
    from proctor.keeper.loop import Keeper

    soft, hard = state.open_files or (0, 0)
    keeper = Keeper(state.command, _spawner((soft, hard)))
    keeper.resume(state)
    return keeper.run()


def _spawner(limits: tuple[int, int]) -> Spawner:
    import resource

    from proctor.keeper.spawner import Spawner
    from proctor.keeper.thin import signals

    signals.signal(signals.SIGTTOU, signals.SIG_IGN)
    # Three pipes for each child: our own limit is no business of theirs, and theirs must not be
    # ours.
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    return Spawner(dict(os.environb), alone=True, open_files=limits)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
