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
        was_waiting = bool(self._waiting)
        self._waiting += data
        if not was_waiting and not self._send():
            raise Fault(FaultCode.NO_FILE)

    def close(self) -> None:
        """Close the pipe; what waits is lost."""
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        self._host.when_writable(fd, None)
        self._waiting.clear()
        with contextlib.suppress(OSError):
            os.close(fd)

    def _send(self) -> bool:
        """Write what fits; False when the other end is closed."""
        if self._fd is None:
            return False
        try:
            written = os.write(self._fd, self._waiting)
        except BlockingIOError:
            written = 0
        except OSError:
            self.close()
            return False
        del self._waiting[:written]
        self._host.when_writable(self._fd, self._go_on if self._waiting else None)
        return True

    def _go_on(self) -> None:
        self._send()
