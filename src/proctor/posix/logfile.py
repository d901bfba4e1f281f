"""LogFile: a regular file that output is appended to, rotated so that no byte is lost or doubled;
and reading such files for others.

1. Everything goes to the end the file has at that moment (one fstat a write), without O_APPEND,
   which splice refuses.  So a copytruncate leaves no hole and two writers do not overwrite.
2. A file that was deleted is made again; one that was renamed is written on until `reopen`.  One
   that was renamed before the first write is left at once (siblings.py).
3. A rotation that fails leaves the log where it is; it is tried again after ROTATION_PAUSE seconds.
4. After output was lost, what follows begins on a line of its own.
5. New files replace old ones (also with no backups), so whoever reads the old one may finish it.
   They keep the mode of the old one (gotcha G59).

A LogFile is used by one thread, the drain thread; the functions at the end by any.
Source: compat logging.md, sections 2, 4, 8 and 9.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress

from proctor.core import rotation
from proctor.core.faults import Fault, FaultCode
from proctor.posix.links import open_trusted

ROTATION_PAUSE = 60.0


def _ignore(_told: object) -> None:
    pass


class LogFile:
    """The log at `path`.  `maxbytes` 0: no limit.  `mode` is for a file that does not exist yet.
    `maxbytes` and `backups` may be changed in the thread that writes.

    `rotations` says how often it rotated the file by itself.

    Raises OSError when it cannot be opened.  Set `complain` to hear why a rotation failed, and
    `replaced` to hear that the `path` of a LogFile is another file now, `settled` how much of what
    was to be written is in the file, or given up.
    """

    def __init__(self, path: str, maxbytes: int, backups: int, mode: int = 0o666) -> None:
        self.name = path
        self.maxbytes = maxbytes
        self.complain: Callable[[str], None] = _ignore
        self.replaced: Callable[[LogFile], None] = _ignore
        self.settled: Callable[[int], None] = _ignore
        self.backups = backups
        self.rotations = 0
        self._rotate_from = 0.0
        self._gap = False
        self.fd = _open(path, mode)
        status = os.fstat(self.fd)
        self.size = status.st_size
        self._mode = stat.S_IMODE(status.st_mode)

    @property
    def poll_fd(self) -> int | None:
        """None: a file that is full has to be asked again."""
        return None

    def write(self, data: bytes) -> int:
        """Append, rotating where a file is full; how many bytes were written.

        Raises OSError when not even the first byte could be.
        """
        done = 0
        while done < len(data):
            try:
                done += self._write_some(data, done)
            except OSError:
                if not done:
                    raise
                break
        self.settled(done)
        return done

    def _write_some(self, data: bytes, start: int) -> int:
        if self.room() is None:
            return os.pwrite(self.fd, memoryview(data)[start:], self.size)
        part = rotation.cut(data, start, self.size, self.maxbytes, self.at_line_start)
        written = 0
        if part.take:
            written = os.pwrite(self.fd, memoryview(data)[start : start + part.take], self.size)
        if part.rotate and written == part.take:
            self.rotate()
        return written

    def room(self) -> int | None:
        """How many bytes fit (may be negative), None without a limit; sets `size` to the true end.

        Ask before each write: a deleted file is made again here, which may raise OSError.
        """
        status = os.fstat(self.fd)
        if status.st_nlink == 0:
            self._replace_by(self._create())
            status = os.fstat(self.fd)
        self.size = status.st_size
        if self._gap:
            self._close_gap()
        if not self.maxbytes or (self._rotate_from and time.monotonic() < self._rotate_from):
            return None
        return self.maxbytes - self.size

    def mark_gap(self) -> None:
        """Something is missing after what was written so far."""
        self._gap = True

    def _close_gap(self) -> None:
        if not self.at_line_start():
            self.size += os.pwrite(self.fd, b"\n", self.size)
        self._gap = False

    def at_line_start(self) -> bool:
        """Whether the file is empty or ends in a newline.  Yes, if we have no right to look."""
        try:
            return self.size == 0 or os.pread(self.fd, 1, self.size - 1) == b"\n"
        except OSError:
            return True

    def rotate(self) -> None:
        """Begin a new file.  When that fails, go on in the old one and say so."""
        try:
            self._move_away()
            self._replace_by(self._create())
            self.rotations += 1
        except OSError as error:
            self._rotate_from = time.monotonic() + ROTATION_PAUSE
            self.complain(f"cannot rotate {self.name}: {error.strerror}")

    def _move_away(self) -> None:
        shifts = rotation.shifts(self._exists, self.backups)
        # Not renamed over: ext4 writes a file that replaces another to the disk, at once and at our
        # expense (measured: twice the CPU for each byte logged).
        if not shifts or shifts[0][1] == self.backups:
            _unless_missing(lambda: os.unlink(self._numbered(self.backups)))
        for old, new in shifts:
            self._rename(old, new)

    def _exists(self, number: int) -> bool:
        return os.path.lexists(self._numbered(number))

    def _rename(self, old: int, new: int) -> None:
        _unless_missing(lambda: os.rename(self._numbered(old), self._numbered(new)))

    def _numbered(self, number: int) -> str:
        return f"{self.name}.{number}" if number else self.name

    def clear(self) -> None:
        """Empty the log; its backups stay.  Raises OSError."""
        try:
            _unless_missing(lambda: os.unlink(self.name))
        except PermissionError:
            # A directory that is not ours to change: empty the file itself.
            os.ftruncate(self.fd, 0)
        else:
            self._replace_by(self._create())

    def reopen(self) -> None:
        """Open the file that has the name now.  Raises OSError, and keeps the old one then."""
        self._replace_by(self._create())

    def has_its_name(self) -> bool:
        """Whether what has the name now is the file that is open.  Raises OSError."""
        try:
            return os.path.samestat(os.stat(self.name), os.fstat(self.fd))
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Let go of the file.  Harmless when done twice."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def _create(self) -> int:
        """A descriptor of the file with our name; made with the old mode if it is not there."""
        existed = os.path.exists(self.name)
        fd = _open(self.name, self._mode)
        if not existed:
            with suppress(OSError):  # a file system without modes
                os.fchmod(fd, self._mode)
        return fd

    def _replace_by(self, fd: int) -> None:
        self.close()
        self.fd = fd
        self.size = os.fstat(fd).st_size
        self._rotate_from = 0.0
        self.replaced(self)


def _open(path: str, mode: int) -> int:
    """For reading too where we may.  Never through a link that somebody else has put there."""
    # O_NONBLOCK is for a FIFO that took the place of the file: opening it must not wait.
    flags = os.O_CREAT | os.O_NOCTTY | os.O_NONBLOCK
    try:
        return open_trusted(path, os.O_RDWR | flags, mode)
    except PermissionError:
        return open_trusted(path, os.O_WRONLY | flags, mode)


def _unless_missing(step: Callable[[], None]) -> None:
    with suppress(FileNotFoundError):
        step()


def end_of(path: str, length: int) -> bytes:
    """The last bytes of the log, its first backup included; b"" where nothing can be read."""
    end = b""
    for name in (path, f"{path}.1"):
        with suppress(Fault):
            end = read_range(name, -(length - len(end)), 0) + end
        if len(end) >= length:
            break
    return end


def read_range(path: str | None, offset: int, length: int) -> bytes:
    """`length` bytes from `offset`, all from there if `length` is 0, the last ones if negative.

    Raises Fault NO_FILE (no such log), BAD_ARGUMENTS, FAILED (cannot be read).
    """
    fd = _open_to_read(path)
    try:
        size = os.fstat(fd).st_size
        if offset < 0:
            if length:
                raise Fault(FaultCode.BAD_ARGUMENTS)
            return _read(fd, max(0, size + offset), size)
        if length < 0:
            raise Fault(FaultCode.BAD_ARGUMENTS)
        return _read(fd, offset, size if length == 0 else min(size, offset + length))
    except OSError as error:
        raise Fault(FaultCode.FAILED) from error
    finally:
        os.close(fd)


def tail_range(path: str | None, offset: int, length: int) -> tuple[bytes, int, bool]:
    """The end of the log: (at most `length` bytes, the log's size, whether it grew past them).

    Ask again with that size as `offset`.  The bytes may lie before `offset` (gotcha G62).  A log
    that is missing or cannot be read gives (b"", 0 or `offset`, False).
    """
    try:
        fd = _open_to_read(path)
    except Fault as fault:
        return b"", 0 if fault.code == FaultCode.NO_FILE else offset, False
    try:
        size = os.fstat(fd).st_size
        overflow = size > offset + length
        if offset >= size and not overflow:
            return b"", size, False
        start = size - length if overflow or offset + length > size else offset
        return _read(fd, max(0, start), size), size, overflow
    except OSError:
        return b"", offset, False
    finally:
        os.close(fd)


def _open_to_read(path: str | None) -> int:
    if not path:
        raise Fault(FaultCode.NO_FILE)
    try:
        fd = open_trusted(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Fault(FaultCode.NO_FILE, path) from error
    except OSError as error:
        raise Fault(FaultCode.FAILED) from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise Fault(FaultCode.FAILED)
    return fd


def _read(fd: int, start: int, end: int) -> bytes:
    """The bytes from `start` up to `end`, or up to the end of the file."""
    parts = []
    while start < end:
        part = os.pread(fd, end - start, start)
        if not part:
            break
        parts.append(part)
        start += len(part)
    return b"".join(parts)
