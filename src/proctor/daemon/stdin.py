"""InputChannel: bytes on their way to a child's stdin.

What the pipe does not take at once waits here, up to a bound, and goes on when the pipe has room
again; nothing polls.
"""

from __future__ import annotations

import contextlib
import os

from proctor.core.faults import Fault, FaultCode
from proctor.daemon.host import Host

# A child that never reads must not fill the daemon's memory.
MAX_WAITING = 8 * 1024 * 1024


class InputChannel:
    """Our end of a child's stdin; owns the descriptor."""

    def __init__(self, host: Host, fd: int) -> None:
        self._host = host
        self._fd: int | None = fd
        self._waiting = bytearray()

    @property
    def waiting(self) -> int:
        """Bytes that the pipe has not taken yet."""
        return len(self._waiting)

    def write(self, data: bytes) -> None:
        """Send `data`, now or as soon as there is room.

        Raises Fault NO_FILE when the child has closed its end, FAILED when too much waits already.
        """
        if self._fd is None:
            raise Fault(FaultCode.NO_FILE)
        if len(self._waiting) + len(data) > MAX_WAITING:
            raise Fault(FaultCode.FAILED, "the process does not read its stdin")
        if self._waiting:
            self._waiting += data
            return
        written = self._write(data)
        if written is None:
            raise Fault(FaultCode.NO_FILE)
        if written < len(data):
            self._waiting += memoryview(data)[written:]
            self._host.when_writable(self._fd, self._go_on)

    def copy(self) -> int | None:
        """A copy of the descriptor, None when the child has closed its end."""
        return None if self._fd is None else os.dup(self._fd)

    def close(self) -> None:
        """Close the pipe; what waits is lost."""
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        self._host.when_writable(fd, None)
        self._waiting.clear()
        with contextlib.suppress(OSError):
            os.close(fd)

    def _write(self, data: bytes | bytearray) -> int | None:
        """How many bytes the pipe took; None when the other end is closed."""
        assert self._fd is not None, "nothing is written to a closed pipe"
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError:
            self.close()
            return None

    def _go_on(self) -> None:
        written = self._write(self._waiting) if self._fd is not None else None
        if written is None or self._fd is None:
            return
        del self._waiting[:written]
        if not self._waiting:
            self._host.when_writable(self._fd, None)
