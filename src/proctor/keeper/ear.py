"""How the keeper hears signals, and the one way it speaks to a person."""

from __future__ import annotations

import os
import select
import time

from proctor.keeper.thin import signals

STOPPING = frozenset({signals.SIGTERM, signals.SIGINT, signals.SIGQUIT})
# What a pipe takes without waiting once it polls writable, and a terminal with a little room.
POLITE = 512
PASSED_ON = STOPPING | {signals.SIGHUP, signals.SIGUSR1, signals.SIGUSR2}


def hear_signals() -> int:
    """Handlers for all signals we care about; the descriptor on which their numbers arrive."""
    ear, mouth = os.pipe()
    for fd in (ear, mouth):
        os.set_blocking(fd, False)
    signals.set_wakeup_fd(mouth, warn_on_full_buffer=False)
    for signum in (*PASSED_ON, signals.SIGCHLD):
        signals.signal(signum, lambda *_: None)
    # The launcher blocked them, so that none is lost between its fork and this line.
    signals.pthread_sigmask(signals.SIG_SETMASK, ())
    return ear


def say(text: str) -> None:
    """One line on stderr, unless that would block."""
    line = f"proctor keeper: {text}\n".encode("utf-8", "backslashreplace")[:POLITE]
    write_politely(line, 0.0)


def write_politely(data: bytes, patience: float) -> None:
    """On stderr, as much as it takes within `patience` seconds.

    Whatever became of it (its reader gone, its disk full, a terminal that stands still) is worth
    neither an exception nor a process that hangs.
    """
    until = time.monotonic() + patience
    writable = select.poll()
    writable.register(2, select.POLLOUT)
    try:
        while data and writable.poll(max(0.0, until - time.monotonic()) * 1000):
            data = data[os.write(2, data[:POLITE]) :]
    except OSError:
        return
