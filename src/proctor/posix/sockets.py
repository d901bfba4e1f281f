"""Listening sockets: the HTTP servers' own, and those that FastCGI programs inherit.

How a unix socket comes to be (gotcha G56, scenarios section 1 rule 1):

1. The directory is locked (flock, no file is left behind), so that of two daemons starting at the
   same moment one sees the other.  Anybody may lock /tmp, so we do not wait for ever.
2. What stands at the path is asked: whoever accepts a connection is alive and is left alone.  A
   dead socket, a dangling link and an empty file (a popular answer on the web is to `touch` the
   socket) are removed; any other file is not ours to delete.
3. The umask gives the mode at birth: there is no moment in which others may connect.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import stat
import time
from collections.abc import Callable, Iterator

from proctor.core.settings import ServerSettings
from proctor.core.spec import SocketSpec

IN_USE = (
    "Another program is already listening on a port that one of our HTTP servers is configured"
    " to use.  Shut this program down first before starting supervisord."
)
DEFAULT_UNIX_MODE = 0o700
LOCK_TIMEOUT = 2.0


class CannotListen(Exception):
    """No server socket: the text is the original's, to be shown with exit status 2.

    Notes (`__notes__`) say what the original does not, a line each.
    """


def open_server(
    settings: ServerSettings, note: Callable[[str], None] = lambda text: None
) -> socket.socket:
    """The listening, non-blocking socket of one HTTP server.  Raises CannotListen.

    An empty host listens everywhere without any look-up (gotcha G53).  `note` hears of a stale
    socket that had to go; the original says that on stderr.
    """
    try:
        if settings.file is not None:
            sock = _listen_unix(settings.file, settings.mode, socket.SOMAXCONN, note)
        else:
            sock = _listen_tcp(settings.host, settings.port, socket.SOMAXCONN)
    except OSError as error:
        refused = CannotListen(_open_error(error))
        refused.add_note(f"the address is {_address(settings)}")
        raise refused from error
    if settings.file is not None and settings.owner is not None:
        _give_away(settings.file, settings.owner, sock)
    sock.setblocking(False)
    return sock


def take_over(settings: ServerSettings, sock: socket.socket) -> socket.socket:
    """Go on with a socket that listens there already, with mode and owner as they are configured
    now.  Raises CannotListen.
    """
    if settings.file is not None:
        with contextlib.suppress(OSError):
            os.chmod(settings.file, settings.mode)
        if settings.owner is not None:
            _give_away(settings.file, settings.owner, sock)
    sock.setblocking(False)
    return sock


def check_free(settings: ServerSettings) -> None:
    """Whether `open_server` would find somebody else there.  Raises CannotListen."""
    if settings.file is not None:
        if os.path.exists(settings.file) and _answers(settings.file):
            raise CannotListen(IN_USE)
        return
    try:
        _listen_tcp(settings.host, settings.port, 1).close()
    except OSError as error:
        raise CannotListen(_open_error(error)) from error


def open_fastcgi(spec: SocketSpec) -> socket.socket:
    """The listening, blocking socket that a FastCGI program gets as fd 0.  Raises OSError.

    Source: compat process.md, section 9.
    """
    backlog = socket.SOMAXCONN if spec.backlog is None else spec.backlog
    scheme, _, place = spec.url.partition("://")
    if scheme != "unix":
        host, _, port = place.rpartition(":")
        return _listen_tcp(host, int(port), backlog)
    mode = DEFAULT_UNIX_MODE if spec.mode is None else spec.mode
    sock = _listen_unix(place, mode, backlog)
    try:
        if spec.owner is not None:
            os.chown(place, *spec.owner, follow_symlinks=False)
    except OSError:
        sock.close()
        raise
    return sock


def identity(path: str) -> tuple[int, int] | None:
    """What is at `path` now, so that one can later tell whether it is still the same file."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def remove(path: str, expected: tuple[int, int] | None) -> None:
    """Unlink our socket file, unless somebody else has put theirs there meanwhile."""
    if expected is not None and identity(path) == expected:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _listen_tcp(host: str, port: int, backlog: int) -> socket.socket:
    # The protocol is named because asyncio switches Nagle's algorithm off only then; accepted
    # sockets inherit the option anyway.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if host == "::":
            # Every interface, for both versions, whatever the system's default is.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Clients that vanish without a word would hold their log streams for ever.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.bind((host, port))
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock


def _listen_unix(
    path: str, mode: int, backlog: int, note: Callable[[str], None] | None = None
) -> socket.socket:
    with _locked_directory(os.path.dirname(path) or "."):
        _clear_the_way(path, note)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        old_umask = os.umask(0o777 & ~mode)
        try:
            sock.bind(path)
            sock.listen(backlog)
        except OSError:
            sock.close()
            raise
        finally:
            os.umask(old_umask)
    return sock


@contextlib.contextmanager
def _locked_directory(directory: str) -> Iterator[None]:
    """Hold an exclusive lock on a directory; go on without where that is not possible soon."""
    try:
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        yield
        return
    try:
        deadline = time.monotonic() + LOCK_TIMEOUT
        while not _lock(handle) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    """Whether there is nothing to wait for: we have it, or cannot have it here at all."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def _clear_the_way(path: str, note: Callable[[str], None] | None) -> None:
    """Remove what is dead at `path`.  Raises EADDRINUSE or EEXIST for what must stay.

    Without `note` nobody is asked: the original unlinks the socket of a FastCGI program always.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if (stat.S_ISREG(found.st_mode) and found.st_size > 0) or stat.S_ISDIR(found.st_mode):
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    if note is not None:
        if _answers(path):
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), path)
        note(f"Unlinking stale socket {path}")
    os.unlink(path)


def _answers(path: str) -> bool:
    """Whether anybody listens at `path`.  When that cannot be known, the answer is yes."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        # A full backlog must not make us wait: EAGAIN means that somebody is there.
        probe.setblocking(False)
        try:
            probe.connect(path)
        except OSError as error:
            return error.errno not in (errno.ECONNREFUSED, errno.ENOENT, errno.ENOTSOCK)
    return True


def _give_away(path: str, owner: tuple[int, int], sock: socket.socket) -> None:
    try:
        os.chown(path, *owner, follow_symlinks=False)
    except OSError as error:
        sock.close()
        remove(path, identity(path))
        text = (
            f'Not permitted to chown {path} to uid/gid {owner}; adjust "sockchown" value in'
            " config file or on command line to values that the current user"
            f" ({_user_name()}) can successfully chown"
        )
        raise CannotListen(text) from error


def _user_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _address(settings: ServerSettings) -> str:
    if settings.file is not None:
        return f"unix://{settings.file}"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host or "*"
    return f"{host}:{settings.port}"


def _open_error(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return IN_USE
    if error.errno is None:
        return f"Cannot open an HTTP server: socket.error reported {error}"
    name = errno.errorcode.get(error.errno)
    number = f"errno.{name} ({error.errno})" if name else str(error.errno)
    return f"Cannot open an HTTP server: socket.error reported {number}"
