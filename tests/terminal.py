"""A terminal with somebody at it: runs a command, types, and waits for what it shows."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from support.waiting import GENEROUS

CTRL_C = "\x03"
CTRL_D = "\x04"
CTRL_U = "\x15"


class Terminal:
    """`shown` is everything on the screen so far, with plain newlines."""

    def __init__(self, pid: int, fd: int) -> None:
        self._pid, self._fd = pid, fd
        self._seen = 0
        self._bytes = b""
        self.code: int | None = None

    @property
    def shown(self) -> str:
        """The screen so far."""
        return self._bytes.decode(errors="replace").replace("\r\n", "\n")

    def type(self, text: str) -> None:
        """Press these keys."""
        os.write(self._fd, text.encode())

    def until(self, text: str, seconds: float = GENEROUS) -> str:
        """Wait until a text shows up behind all that was waited for before; what came up to it."""
        deadline = time.monotonic() + seconds
        while text not in self.shown[self._seen :]:
            assert time.monotonic() < deadline, f"no {text!r} in {self.shown[self._seen :]!r}"
            assert self._read(0.5), f"ended without {text!r}: {self.shown[self._seen :]!r}"
        start = self._seen
        self._seen = self.shown.index(text, start) + len(text)
        return self.shown[start : self._seen]

    def look(self) -> bool:
        """Read what there is by now; False when the command has ended."""
        return self._read(0.05)

    def end(self, seconds: float = GENEROUS) -> int:
        """Wait for the end of the command; its exit code, or minus the signal that ended it."""
        deadline = time.monotonic() + seconds
        while self._read(0.5):
            assert time.monotonic() < deadline, f"still runs: {self.shown[-500:]!r}"
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self.code

    def interrupt(self) -> int:
        """Press Ctrl-C, and again when nothing happens; the exit code of the command.

        Python's readline misses a signal that comes between the prompt and its first wait for a
        key; a signal too many would end the interpreter while it ends by itself.
        """
        for _ in range(10):
            before = len(self._bytes)
            self.type(CTRL_C)
            if not self._read(3) or len(self._bytes) > before:
                break
        return self.end()

    def _read(self, seconds: float) -> bool:
        """Read what there is; False at the end."""
        if not select.select([self._fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # EIO: the other side is gone
            return False
        self._bytes += data
        return bool(data)

    def close(self) -> None:
        """End the command, if it is still there."""
        os.close(self._fd)
        if self.code is None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


@contextmanager
def terminal(command: Sequence[str], env: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """Run a command in a terminal of 80 columns; it is ended with the block."""
    environment = {**os.environ, "TERM": "dumb", "COLUMNS": "80", "LINES": "24", **(env or {})}
    pid, fd = pty.fork()
    if pid == 0:
        # Whoever started the tests in the background has switched Ctrl-C off for all below.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execvpe(command[0], list(command), environment)
    screen = Terminal(pid, fd)
    try:
        yield screen
    finally:
        screen.close()
