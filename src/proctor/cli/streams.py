"""The standard streams of a command: closed, full, of another encoding, or read by nobody."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from io import TextIOWrapper


def prepare_streams() -> None:
    """A stream that is closed leads nowhere; what cannot be shown or read as text is escaped."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  (until the end)
        text: TextIOWrapper = getattr(sys, name)
        if text.errors in ("strict", "surrogateescape"):
            is_unicode = text.encoding.lower().startswith("utf")
            text.reconfigure(errors="surrogateescape" if is_unicode else "backslashreplace")


def survive_the_reader(command: Callable[[], int]) -> int:
    """The exit status of a command; 1 when its output, or a terminal's input, cannot go on."""
    try:
        status = command()
        _flush()
    except OSError as error:
        # Whoever reads our output has seen enough (`| head`), or more serious.
        if not isinstance(error, BrokenPipeError):
            with suppress(OSError):
                print(f"Error: cannot go on: {error.strerror}", file=sys.stderr, flush=True)
        give_up(1, 2)
        return 1
    return status


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # it was closed from the start
            stream.flush()


def give_up(*fds: int) -> None:
    """Let what is written there lead nowhere; the interpreter flushes again when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for fd in fds:
        os.dup2(nowhere, fd)
    os.close(nowhere)
