"""A daemon without a mind: hands its end of the keeper's socket to the test and tells what it
hears.

Run as `relay.py PATH`: connects to the unix socket PATH, sends its pid with the keeper's socket,
then one line for every signal it gets.  While PATH.broken exists it makes PATH.failed and ends
with status 3.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

from proctor.posix.keeper_launch import inherited_keeper, split_off_daemon


def main(path: str) -> int:
    sock = inherited_keeper(os.environ)
    if os.path.exists(path + ".broken"):
        with open(path + ".failed", "w"):
            return 3
    if sock is None:
        sock = split_off_daemon([sys.executable, os.path.abspath(__file__), path])
    control = socket.socket(socket.AF_UNIX)
    control.connect(path)
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2):
        signal.signal(signum, lambda number, _frame: control.send(b"%d\n" % number) and None)
    socket.send_fds(control, [b"%d\n" % os.getpid()], [sock.fileno()])
    while True:
        signal.pause()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
