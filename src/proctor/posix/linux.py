"""The calls Python lacks, with a plain answer where the system lacks them too.

tee(2) has no binding in os; F_SETPIPE_SZ and F_GETPIPE_SZ exist on Linux only.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import sys
import termios
from collections.abc import Callable
from functools import lru_cache

HAS_SPLICE = sys.platform == "linux"

# What a pipe holds where nobody can tell.
DEFAULT_PIPE_SIZE = 65536


@lru_cache(maxsize=1)
def _load_tee() -> Callable[[int, int, int, int], int] | None:
    """Where a file is about to be rotated for the first time: ctypes takes 0.3 MB.

    None also where ctypes cannot be loaded, so that output then takes the other way.
    """
    if not HAS_SPLICE:
        return None
    try:
        import ctypes
    except ImportError:
        return None
    function = ctypes.CDLL(None, use_errno=True).tee
    function.restype = ctypes.c_ssize_t
    function.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_size_t, ctypes.c_uint)

    def tee_or_raise(source: int, target: int, count: int, flags: int) -> int:
        moved = int(function(source, target, count, flags))
        if moved < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return moved

    return tee_or_raise


def tee(source: int, target: int, count: int) -> int:
    """Copy up to `count` bytes from pipe to pipe without taking them; 0 at the end of the stream.

    Never waits: BlockingIOError when the source is empty or the target is full.
    """
    call = _load_tee()
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    return call(source, target, count, os.SPLICE_F_NONBLOCK)


def splice(source: int, target: int, count: int, offset: int) -> int:
    """Move up to `count` bytes from a pipe into a file at `offset`; 0 at the end of the stream.

    BlockingIOError when the pipe is empty; EINVAL where the file or the source cannot do it.
    """
    flags = os.SPLICE_F_NONBLOCK | os.SPLICE_F_MOVE
    return os.splice(source, target, count, offset_dst=offset, flags=flags)


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
