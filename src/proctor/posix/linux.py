"""The calls Python lacks, with a plain answer where the system lacks them too.

tee(2) has no binding in os; F_SETPIPE_SZ and F_GETPIPE_SZ exist on Linux only.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
import sys
import termios
from collections.abc import Callable

HAS_SPLICE = sys.platform == "linux"

# What a pipe holds where nobody can tell.
DEFAULT_PIPE_SIZE = 65536


def _load_tee() -> Callable[[int, int, int, int], int] | None:
    if not HAS_SPLICE:
        return None
    function = ctypes.CDLL(None, use_errno=True).tee
    function.restype = ctypes.c_ssize_t
    function.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_size_t, ctypes.c_uint)
    return lambda source, target, count, flags: int(function(source, target, count, flags))


_tee = _load_tee()


def tee(source: int, target: int, count: int) -> int:
    """Copy up to `count` bytes from pipe to pipe without taking them; 0 at the end of the stream.

    Never waits: BlockingIOError when the source is empty or the target is full.
    """
    if _tee is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    moved = _tee(source, target, count, os.SPLICE_F_NONBLOCK)
    if moved < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return moved


def splice(source: int, target: int, count: int, offset: int) -> int:
    """Move up to `count` bytes from a pipe into a file at `offset`; 0 at the end of the stream.

    BlockingIOError when the pipe is empty; EINVAL where the file or the source cannot do it.
    """
    flags = os.SPLICE_F_NONBLOCK | os.SPLICE_F_MOVE
    return os.splice(source, target, count, offset_dst=offset, flags=flags)


def give_back_memory() -> None:
    """Return to the system what the allocator keeps for later: after a start, half a megabyte.

    Does nothing where the C library has no malloc_trim(3).
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def pipe_size(fd: int) -> int:
    """How many bytes the pipe can hold; the usual size for what is not a pipe."""
    if not HAS_SPLICE:
        return DEFAULT_PIPE_SIZE
    try:
        return fcntl.fcntl(fd, fcntl.F_GETPIPE_SZ)
    except OSError:
        return DEFAULT_PIPE_SIZE


def grow_pipe(fd: int, size: int) -> int:
    """Ask for a pipe of `size` bytes; the size it has afterwards (the system may refuse)."""
    if HAS_SPLICE:
        try:
            return fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, size)
        except OSError:
            pass
    return pipe_size(fd)


def bytes_waiting(fd: int) -> int:
    """How many bytes can be read from a pipe right now; 0 where nobody can tell."""
    try:
        answer = fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4)
    except OSError:
        return 0
    return int(struct.unpack("i", answer)[0])
