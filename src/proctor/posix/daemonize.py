"""Going into the background: one fork, a session of our own, nothing kept of the terminal.

Source: compat config.md, section 12.  All errors of the configuration, the servers and the plug-ins
are reported before this, on the caller's stderr.
"""

from __future__ import annotations

import os


def daemonize() -> None:
    """Return in a child that leads a new session; the parent ends with status 0 at once."""
    if os.fork() > 0:
        # No clean-up handlers and no flushing: the child owns everything that is open.
        os._exit(0)
    os.setsid()


def forget_terminal() -> None:
    """Let descriptors 0, 1 and 2 lead nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(nowhere, fd)
    if nowhere > 2:
        os.close(nowhere)
