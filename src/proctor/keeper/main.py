"""DOOR: the keeper's own process.

Command line (posix/keeper_launch.py makes it; the process that the user started execs into it, so
that its pid stays the one users see):

    python -I -S -X utf8 .../proctor/keeper/main.py --socket FD --daemon PID -- COMMAND ...

FD is the keeper's end of a stream socket pair, PID the child that already holds the other end and
goes on as the daemon.  COMMAND starts the daemon again when it ended without `bye`: it runs with
the keeper's environment plus PROCTOR_KEEPER_FD=<number of an inherited descriptor>, the daemon's
end of a fresh pair, for keeper_launch.inherited_keeper().  The other words between the two are in
protocol.py.

The file is run by its path, isolated and without `site`: no .pth file, no PYTHONPATH and no user
site can put foreign code into the parent of everything, it starts faster and stays smaller.  So it
finds its own package itself, wherever that is installed, editable or not; it comes last on
sys.path so that it can shadow nothing.  `-X utf8`: arguments and environment are passed on byte
for byte whatever the locale.

Exit code: that of `bye`; that of the first daemon when it ended before `hello` (128 + n for signal
n); 1 when all programs had to be stopped without a daemon; 2 for a wrong command line.
"""

from __future__ import annotations

import os
import sys

if __package__ in (None, ""):
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def main(arguments: list[str]) -> int:
    """Keep.  Returns when the daemon has said bye, with the code to exit with."""
    import resource
    import signal
    import socket

    from proctor.keeper.loop import Keeper
    from proctor.keeper.spawner import Spawner

    try:
        socket_flag, fd, daemon_flag, pid, dashes, *command = arguments
        if (socket_flag, daemon_flag, dashes) != ("--socket", "--daemon", "--") or not command:
            raise ValueError("unknown arguments")
        sock = socket.socket(fileno=int(fd))
        daemon_pid = int(pid)
    except (ValueError, OSError) as error:
        print(f"usage: --socket FD --daemon PID -- COMMAND ... ({error})", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Three pipes for each child: our own limit is no business of theirs, and theirs must not be
    # ours.
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    spawner = Spawner(dict(os.environb), alone=True, open_files=(soft, hard))
    return Keeper(daemon_pid, sock, command, spawner).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
