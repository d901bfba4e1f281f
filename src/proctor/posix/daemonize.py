"""Going into the background: one fork, a session of our own, nothing kept of the terminal.

The process that the user started ends only when the daemon answers, or with the daemon's own exit
status when it could not begin; so a script may ask at once for what it has started.  Until then the
daemon keeps the caller's stderr, for its last chance to complain.
Source: compat config.md, section 12 (the original's parent does not wait).
"""

from __future__ import annotations

import contextlib
import os


class Background:
    """The way back to whoever started us, until `ready`."""

    def __init__(self, report_fd: int, stderr_fd: int) -> None:
        self._report_fd = report_fd
        self._stderr_fd = stderr_fd

    def borrow_stderr(self) -> None:
        """Write to the caller's stderr until `ready`."""
        os.dup2(self._stderr_fd, 2)

    def ready(self) -> None:
        """Let the caller go with status 0, and forget its terminal."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._report_fd, b"!")
        os.close(self._report_fd)
        os.close(self._stderr_fd)
        _forget_terminal()


def daemonize() -> Background:
    """Return in a child that leads a new session and has no terminal.

    The parent waits for `Background.ready` in the child (or in a child of the child) and ends.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        # No clean-up handlers and no flushing: the child owns everything that is open.
        os._exit(0 if os.read(reading, 1) else _exit_code(child))
    os.close(reading)
    os.setsid()
    background = Background(writing, os.dup(2))
    _forget_terminal()
    return background


def _forget_terminal() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(nowhere, fd)
    if nowhere > 2:
        os.close(nowhere)


def _exit_code(child: int) -> int:
    """That of the child; 1 when a signal ended it."""
    return max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0) or 1
