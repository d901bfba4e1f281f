"""The two ways from a pipe to where output goes.

SplicePath   nobody looks: the kernel moves pages from pipe to file, and no byte is ever in our
             memory, so a daemon that is killed loses none.  Near the limit, tee shows us a copy to
             find the line end at which to rotate.
SeenPath     somebody looks (events, capture, colours), or the target cannot splice: read, decode,
             write.

`move` takes something out of the pipe once: the number of bytes, 0 at the end of the stream,
BlockingIOError when there is nothing.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from proctor.core import rotation
from proctor.core.capture import Decoder, Piece, Text
from proctor.posix import linux
from proctor.posix.courier import Courier
from proctor.posix.logfile import LogFile
from proctor.posix.outbox import Outbox

# As much as the largest pipe an ordinary user may have.
MOST = 1024 * 1024

# How far from the limit bytes begin to be looked at, and how many are then seen at once.
ZONE = 64 * 1024

# As the original (compat logging.md, section 2): it is the size of PROCESS_LOG events too.
READ = 128 * 1024


class SpliceRefused(Exception):
    """This pipe or this file cannot splice: take the SeenPath."""


class Scratch:
    """A pipe to look at bytes that stay in another one.  One serves a whole thread."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)

    def peek(self, source: int) -> bytes:
        """What `source` holds, up to ZONE; b"" at its end.  BlockingIOError if it is empty."""
        count = linux.tee(source, self._write, ZONE)
        return os.read(self._read, count) if count else b""

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self._read)
        os.close(self._write)


class SplicePath:
    """From a pipe to one LogFile, unseen."""

    __slots__ = ("_fd", "_scratch", "file")

    def __init__(self, fd: int, file: LogFile, scratch: Scratch) -> None:
        self.file = file
        self._fd = fd
        self._scratch = scratch

    def move(self) -> int:
        """Move up to MOST bytes.  Raises SpliceRefused, or the OSError of the file."""
        try:
            return self._move()
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOSYS):
                raise SpliceRefused from error
            raise

    def _move(self) -> int:
        room = self.file.room()
        if room is None:
            return self._splice(MOST, 0)
        if room > ZONE:
            return self._splice(min(MOST, room - ZONE), 0)
        return self._move_near_the_limit()

    def _move_near_the_limit(self) -> int:
        data = self._scratch.peek(self._fd)
        if not data:
            return 0
        file = self.file
        part = rotation.cut(data, 0, file.size, file.maxbytes, file.at_line_start)
        moved = 0
        while moved < part.take:
            try:
                moved += self._splice(part.take - moved, moved)
            except OSError:
                if moved:
                    return moved
                raise
        if part.rotate:
            file.rotate()
        # Nothing taken: the line goes into the next file (or on into this one, if that failed).
        return moved or self._move()

    def _splice(self, count: int, further: int) -> int:
        return linux.splice(self._fd, self.file.fd, count, self.file.size + further)

    def must_wait(self) -> bool:
        """Never: nothing is kept here.  A file that fails shows it in `move`."""
        return False

    def has_backlog(self) -> bool:
        """Never."""
        return False

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> int:
        """Close the file; no byte was waiting here."""
        self.file.close()
        return 0

    def give_up(self) -> int:
        """Throw away what waits in the pipe, up to a line end if there is one; how many bytes."""
        data = self._scratch.peek(self._fd)
        self.file.mark_gap()
        return len(os.read(self._fd, data.rfind(b"\n") + 1 or len(data)))


class SeenPath:
    """From a pipe through a decoder to any number of outboxes, and to a courier."""

    def __init__(
        self,
        fd: int,
        outboxes: Sequence[Outbox],
        decoder: Decoder | None,
        courier: Courier | None,
    ) -> None:
        self.outboxes = outboxes
        self._fd = fd
        self._decoder = decoder
        self._courier = courier

    def must_wait(self) -> bool:
        """Whether somebody behind us is full.  They call back when that is over."""
        if self.has_backlog():
            return True
        return self._courier is not None and self._courier.must_wait()

    def has_backlog(self) -> bool:
        """Whether bytes wait for a sink."""
        return any(outbox.waiting for outbox in self.outboxes)

    def move(self) -> int:
        """Read once and pass it on.  A source that fails has ended: a terminal without a child."""
        try:
            data = os.read(self._fd, READ)
        except BlockingIOError:
            raise
        except OSError:
            return 0
        if data:
            self._pass_on(self._decoder.feed(data) if self._decoder else [Text(data)])
        return len(data)

    def flush(self) -> None:
        """Pass on what the decoder holds back."""
        if self._decoder is not None:
            self._pass_on(self._decoder.flush())

    def give_up(self) -> int:
        """Throw away what waits for sinks that fail; the number of bytes."""
        return sum(outbox.give_up() for outbox in self.outboxes if outbox.failing)

    def close(self) -> int:
        """Close the sinks; the number of bytes that still waited for one."""
        return sum(outbox.close() for outbox in self.outboxes)

    def _pass_on(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            if isinstance(piece, Text):
                for outbox in self.outboxes:
                    outbox.send(piece.data)
        if self._courier is not None and pieces:
            self._courier.send(pieces)
