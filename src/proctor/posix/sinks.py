"""Sinks: where output can go, besides the regular files of logfile.py.

1. `write` never waits.  It takes what there is room for and says how much that was; whoever called
   keeps the rest and asks again when `poll_fd` is writable (None: after a while).
2. A stream gets a file description of its own where the system allows it, so that making it
   non-blocking does not change the terminal or pipe of anybody else.
3. `/dev/stdout` and its relatives are duplicated where a new description would be wrong: a regular
   file would get a second offset (gotcha G20), a socket cannot be opened by name.
4. Only regular files are rotated (gotcha G19).
"""

from __future__ import annotations

import os
import re
import select
import socket
import stat
import time
from collections.abc import Callable
from typing import Protocol

from proctor.keeper.ear import POLITE
from proctor.posix.links import open_trusted
from proctor.posix.logfile import LogFile

_FD_PATH = re.compile(r"/dev/(?:fd/(\d+)|(stdin|stdout|stderr))|/proc/self/fd/(\d+)")
_STANDARD = {"stdin": 0, "stdout": 1, "stderr": 2}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# A line without an end is passed on to syslog in parts of this size.
_SYSLOG_LINE = 8192


class Sink(Protocol):
    """A place for output, used by the drain thread."""

    @property
    def name(self) -> str:
        """What people call it: its path."""

    @property
    def poll_fd(self) -> int | None:
        """What polls writable when there is room again; None: ask again after a while."""

    def write(self, data: bytes) -> int:
        """Take a prefix of `data`, perhaps nothing; its length.  Raises OSError if it is broken."""

    def clear(self) -> None:
        """Empty it, if it keeps anything.  Raises OSError."""

    def reopen(self) -> None:
        """Open it anew by its name.  When that fails it stays as it was; raises OSError."""

    def close(self) -> None:
        """Let go of it.  Harmless when done twice."""


def open_sink(path: str, maxbytes: int, backups: int, mode: int = 0o666) -> LogFile | StreamSink:
    """The right sink for what is at `path`; a regular file is made if nothing is there.

    Raises OSError.  Never waits, not even for a FIFO that nobody reads.
    """
    limited = maxbytes > 0 and path != "/dev/null"
    note = f"{path} cannot be rotated, only regular files can" if limited else ""
    alias = aliased_fd(path)
    if alias is not None:
        return StreamSink(path, lambda: _own_description(alias), note)
    try:
        kind = os.stat(path).st_mode
    except FileNotFoundError:
        kind = stat.S_IFREG
    if stat.S_ISREG(kind) or stat.S_ISDIR(kind):
        return LogFile(path, maxbytes, backups, mode)
    return StreamSink(path, lambda: _open_special(path), note)


def aliased_fd(path: str) -> int | None:
    """N for `/dev/fd/N` and the other names of our own descriptors."""
    match = _FD_PATH.fullmatch(path)
    if match is None:
        return None
    return _STANDARD[match[2]] if match[2] else int(match[1] or match[3])


def _open_special(path: str) -> int:
    # A FIFO is opened for both ends: nobody need read it yet, and readers may come and go.  What
    # nobody has read when we close it is gone.
    access = os.O_RDWR if stat.S_ISFIFO(os.stat(path).st_mode) else os.O_WRONLY
    return open_trusted(path, access | os.O_NONBLOCK | os.O_NOCTTY)


def _own_description(fd: int) -> int:
    """A descriptor for what `fd` is: a new non-blocking description if it can and may be had."""
    kind = os.fstat(fd).st_mode
    if stat.S_ISFIFO(kind) or stat.S_ISCHR(kind):
        try:
            return os.open(f"/dev/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError:
            pass  # Not ours, or a terminal that is gone: write politely through a duplicate.
    return os.dup(fd)


class StreamSink:
    """A pipe, a terminal, a socket, a device, or whatever our own stdout is.

    `note` is what the user should be told about it, once.
    """

    def __init__(self, name: str, open_it: Callable[[], int], note: str = "") -> None:
        self.name = name
        self.note = note
        self._open_it = open_it
        self._fd = -1
        self._socket: socket.socket | None = None
        self._stale = False
        self._open()

    @property
    def poll_fd(self) -> int | None:
        """The stream itself."""
        return self._fd

    def write(self, data: bytes) -> int:
        """As many bytes as there is room for."""
        if self._stale:
            self._open()
        try:
            return self._send(data)
        except BlockingIOError:
            return 0

    def clear(self) -> None:
        """What went into a stream cannot be taken back."""

    def reopen(self) -> None:
        """Open it by its name again, at the next write: somebody may be polling it now."""
        self._stale = True

    def _open(self) -> None:
        fd = self._open_it()
        self.close()
        self._fd, self._stale = fd, False
        kind = os.fstat(fd).st_mode
        self._send = self._write_politely
        if stat.S_ISSOCK(kind):
            self._socket = socket.socket(fileno=fd)
            self._send = self._send_to_socket
        elif stat.S_ISREG(kind) or not os.get_blocking(fd):
            self._send = self._write_at_once

    def close(self) -> None:
        """Let go of the stream."""
        if self._socket is not None:
            self._socket.detach()
            self._socket = None
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _write_at_once(self, data: bytes) -> int:
        return os.write(self._fd, data)

    def _send_to_socket(self, data: bytes) -> int:
        # The flag is for this call only: others share the socket, and may expect it to wait.
        assert self._socket is not None, "chosen by reopen together with the socket"
        return self._socket.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def _write_politely(self, data: bytes) -> int:
        """A blocking description that we share: only when it has room, and only a little."""
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        if not poll.poll(0):
            return 0
        return os.write(self._fd, memoryview(data)[:POLITE])


class SyslogSink:
    """The system's log: a line for each line, `<prefix> <line>` if there is a prefix.

    Lines are dropped where nobody listens or the socket is full: syslog is allowed to lose.
    """

    def __init__(self, ident: str, prefix: str = "", address: str = "/dev/log") -> None:
        self.name = "syslog"
        self.lost = 0
        self._head = f"{ident}: {prefix} " if prefix else f"{ident}: "
        self._address = address
        self._socket: socket.socket | None = None
        self._partial = b""

    @property
    def poll_fd(self) -> int | None:
        """None: it is never full."""
        return None

    def write(self, data: bytes) -> int:
        """Send what are whole lines now; the rest waits for its end."""
        lines = (self._partial + data).split(b"\n")
        self._partial = lines.pop()
        if len(self._partial) >= _SYSLOG_LINE:
            lines.append(self._partial)
            self._partial = b""
        for line in lines:
            self._send(line)
        return len(data)

    def clear(self) -> None:
        """The system's log is not ours to empty."""

    def reopen(self) -> None:
        """Connect anew at the next line."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def close(self) -> None:
        """Send a last line that has no end, and disconnect."""
        partial, self._partial = self._partial, b""
        if partial:
            self._send(partial)
        self.reopen()

    def _send(self, line: bytes) -> None:
        text = self._head + line.decode("utf-8", "replace").rstrip("\r")
        # 14: facility user, priority info.
        packet = f"<14>{_syslog_time()} {text}".encode()
        for _attempt in range(2):  # The second is for a syslog daemon that was restarted.
            try:
                self._connected().send(packet, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
                return
            except BlockingIOError:
                break
            except OSError:
                self.reopen()
        self.lost += 1

    def _connected(self) -> socket.socket:
        if self._socket is None:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                connection.connect(self._address)
            except OSError:
                connection.close()
                raise
            self._socket = connection
        return self._socket


def _syslog_time() -> str:
    now = time.localtime()
    return f"{_MONTHS[now.tm_mon - 1]} {now.tm_mday:2d} {time.strftime('%H:%M:%S', now)}"
