"""sd_notify: tell a service manager (systemd) how we are, by datagrams to the socket it named.

Never waits and never fails: a service manager that does not listen is no reason not to work.
Source: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import socket
from collections.abc import MutableMapping
from contextlib import suppress

_ADDRESS, _USEC, _PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"


class Notifier:
    """`watchdog` is after how many seconds without a sign of life we are taken for dead, 0 = never.

    Without an address nobody is told anything.
    """

    def __init__(self, environment: dict[str, str], pid: int) -> None:
        self._environment = environment
        self._address = environment.get(_ADDRESS, "")
        usec = environment.get(_USEC, "")
        is_ours = environment.get(_PID, str(pid)) == str(pid)
        self.watchdog = int(usec) / 1e6 if usec.isdecimal() and is_ours and self._address else 0.0

    def tell(self, *assignments: str) -> None:
        """Send lines such as READY=1, together."""
        if not self._address.startswith(("/", "@")):
            return
        path = self._address
        address = "\0" + path[1:] if path.startswith("@") else path
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto("\n".join(assignments).encode(), address)

    def leave(self, environ: MutableMapping[str, str]) -> None:
        """Let the program this process is about to exec find it again."""
        environ.update(self._environment)


def inherit(environ: MutableMapping[str, str], pid: int) -> Notifier:
    """The one for `pid`, the process that the service manager knows.

    Takes its variables out of `environ`, so that no child sees them.
    """
    names = (_ADDRESS, _USEC, _PID)
    return Notifier({name: environ.pop(name) for name in names if name in environ}, pid)
