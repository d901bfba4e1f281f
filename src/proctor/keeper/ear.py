"""How the keeper hears signals, and the one way it speaks to a person."""

from __future__ import annotations

import os
import select

from proctor.keeper.thin import signals

STOPPING = frozenset({signals.SIGTERM, signals.SIGINT, signals.SIGQUIT})
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
    line = f"proctor keeper: {text}\n".encode("utf-8", "backslashreplace")[:512]
    try:
        writable = select.poll()
        writable.register(2, select.POLLOUT)
        if writable.poll(0):
            os.write(2, line)
    except OSError:
        return
