"""A program that leaves nothing out: children of every kind that outlive a careless stop.

    family.py FOLDER PORT [stubborn] [dies]

It starts a child in the background, one that called setsid(2), and one that was forked twice and
listens on PORT.  Each writes FOLDER/<name>.pid when it stands: main, background, session, double;
without double when the port is taken.  `stubborn`: the children ignore SIGTERM.  `dies`: main ends
with status 3 as soon as all of them stand.  A child runs for two minutes at most.
"""

import os
import signal
import socket
import sys
import time

FOLDER, PORT, WORDS = sys.argv[1], int(sys.argv[2]), sys.argv[3:]


def note(name: str) -> None:
    path = os.path.join(FOLDER, name)
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(str(os.getpid()))
    os.rename(path + ".new", path + ".pid")


def child(name: str, *, session: bool = False, twice: bool = False, listens: bool = False) -> None:
    if os.fork():
        return
    if session or twice:
        os.setsid()
    if twice and os.fork():
        os._exit(0)
    if "stubborn" in WORDS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if listens:
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", PORT))
        server.listen()
    note(name)
    time.sleep(120)
    os._exit(0)


def main() -> None:
    child("background")
    child("session", session=True)
    child("double", twice=True, listens=True)
    note("main")
    while "dies" not in WORDS or not os.path.exists(os.path.join(FOLDER, "double.pid")):
        time.sleep(0.01)
    sys.exit(3)


if __name__ == "__main__":
    main()
