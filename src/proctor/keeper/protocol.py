"""The words between keeper and daemon: one stream socket, JSON messages, descriptors beside them.

A message on the wire: its length (4 bytes), how many descriptors it carries (1 byte), then the
JSON `[kind, {field: value}]`.  Text is UTF-8 with surrogateescape inside Python, so any bytes a
command line or an environment may hold survive the way.

    daemon to keeper                  keeper to daemon
    hello(protocol)                   held(key pid note started status ended streams signalled
                                        usage birth foreign) + fds
                                      descriptor(name) + 1 fd
                                      welcome(protocol pid restarts last_status predecessor
                                        says_begun)
    spawn(id order) [+ socket]        spawned(id pid at streams birth) + fds
                                      spawn_failed(id step errno at)
    signal(key pid signum to_group)   signal_failed(key pid errno at)
    signal_tree(key pid signum)       tree(key pid left at)
    acknowledge(key pid)              exited(key pid status usage at)
    hold(name) + 1 fd, release(name)  reaped_unknown(pid status)
    adopt(key pid birth note started tree)
    pipes(key pid streams) + fds
    reexec(command)                   reexeced(pid says_begun), reexec_refused(reason)
    bye(code)                         complaint(text)
    succeed(note seconds) + 1 fd      begun(), retire(pid), return(reason): on that fd
    healthy()

`hello` is answered by all `held` and `descriptor` messages and one `welcome` that ends
them.  `streams` says which of stdin, stdout and stderr the descriptors are, as a text of the
letters i, o and e.  `at`, `started` and `ended` are CLOCK_MONOTONIC seconds, the same clock in
both processes.  `status` is the number waitpid(2) gives, -1 when nobody can tell, `usage` what
children.Reaper tells.  `signalled` are pairs: a signal that was sent to the child, and when that
was last.  `birth` is identity.py's.  `held` and `spawned` of a child whose order named a tree have
a field `tree` besides (Tree.words in trees.py); `left` are those that come from a child that ended,
[] at last.  A field that the other end does not know is ignored.

`succeed` is the last word of a daemon that stands aside (succession.py); `note` reaches the one
that follows it as `predecessor`, None for all others, which says `healthy` within `seconds`.  A
keeper that says `begun` when there is a successor says so beforehand, with `says_begun`.

`adopt` hands over a process that is no child of the keeper's (`foreign`), `pipes` our ends of its
pipes.  `reexec` asks the keeper to go on as the program of this command line (renewal.py).

Rules of the wire:
1. Nobody waits for the other: both ends are non-blocking and buffer what cannot be sent.
2. Descriptors of one message travel in one sendmsg(2) and arrive with or before its bytes.  Linux
   returns the descriptors of one sendmsg per recvmsg, so the n-th message with descriptors owns
   the n-th batch. A batch that the kernel cut short (the receiver's table is full) never shifts
   the others.
"""

from __future__ import annotations

import errno
import os
import struct

from proctor.keeper.thin import dumps, loads, sockets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROTOCOL = 1
ENVIRONMENT_VARIABLE = "PROCTOR_KEEPER_FD"

_HEAD = struct.Struct("!IB")
_LONGEST = 16 * 1024 * 1024
_PIECE = 64 * 1024
# A hundred orders at once would leave a keeper 0.25 MiB larger than thirty do.
_CHUNK = 16 * 1024
_MOST_FDS = 16
_FD_SIZE = struct.calcsize("i")
_CLOEXEC = getattr(sockets, "MSG_CMSG_CLOEXEC", 0)


class BrokenWireError(Exception):
    """What arrives is no message: the stream cannot be understood from here on."""


class Message:
    """One message: its kind, its fields and the descriptors that came with it.

    Whoever handles it takes descriptors with `take`; `close` closes the rest.  `cut` is True when
    descriptors were lost on the way because this process has too many open.
    """

    __slots__ = ("cut", "fds", "fields", "kind")

    def __init__(self, kind: str, fields: dict[str, object], fds: list[int], cut: bool) -> None:
        self.kind = kind
        self.fields = fields
        self.fds = fds
        self.cut = cut

    def take(self) -> list[int]:
        """All descriptors; they are the caller's to close from now on."""
        taken, self.fds = self.fds, []
        return taken

    def close(self) -> None:
        """Close what nobody took."""
        close_all(self.take())


class _Piece:
    """Bytes to send, the descriptors that go with the first one, and what to close afterwards."""

    __slots__ = ("data", "fds", "used_up")

    def __init__(self) -> None:
        self.data = bytearray()
        self.fds: tuple[int, ...] = ()
        self.used_up: list[int] = []


class Frozen:
    """What was on its way when a keeper left for its successor; bytes as text of latin-1.

    `out` are pieces: data, descriptors, what to close afterwards; `batches` are descriptors that
    came and have no message yet, and whether they were cut.
    """

    def __init__(
        self,
        *,
        out: list[tuple[str, list[int], list[int]]],
        arrived: str,
        batches: list[tuple[list[int], bool]],
    ) -> None:
        self.out = out
        self.arrived = arrived
        self.batches = batches

    def fds(self) -> list[int]:
        """Every descriptor that is mentioned, perhaps more than once."""
        going = [fd for _, fds, used_up in self.out for fd in (*fds, *used_up)]
        return going + [fd for fds, _ in self.batches for fd in fds]


class Wire:
    """One end of the socket.  Owns the socket; never blocks.

    `backlog` is how many bytes wait to be sent, `received` how many have ever arrived.
    """

    def __init__(self, sock: sockets.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.stalled = False
        self._out: list[_Piece] = []
        self._in = bytearray()
        self._batches: list[tuple[list[int], bool]] = []
        self.backlog = 0
        self.received = 0

    @property
    def in_the_middle(self) -> bool:
        """Whether part of a message has arrived and the rest has not."""
        return bool(self._in)

    def queue(self, kind: str, fields: Mapping[str, object], fds: Iterable[int] = ()) -> None:
        """Put a message into the buffer.

        The descriptors must stay open until `close_after` says.
        """
        carried = tuple(fds)
        body = dumps([kind, fields]).encode("ascii")
        if len(body) > _LONGEST:
            raise ValueError(f"a message of {len(body)} bytes is too long")
        if not self._out or (carried and self._out[-1].fds) or len(self._out[-1].data) > _PIECE:
            self._out.append(_Piece())
        piece = self._out[-1]
        piece.data += _HEAD.pack(len(body), len(carried)) + body
        self.backlog += _HEAD.size + len(body)
        if carried:
            piece.fds = carried

    def close_after(self, fds: Iterable[int]) -> None:
        """Close these descriptors as soon as no queued message needs them any more."""
        if self._out:
            self._out[-1].used_up += fds
        else:
            close_all(fds)

    def flush(self) -> bool:
        """Send what can be sent; True when nothing is left.

        `stalled` is True when the system refuses more descriptors in flight (ETOOMANYREFS): then
        writability says nothing, try again a little later.
        """
        self.stalled = False
        while self._out:
            piece = self._out[0]
            try:
                sent = self._send(piece)
            except (BlockingIOError, InterruptedError):
                return False
            except OSError as error:
                if error.errno in (errno.ETOOMANYREFS, errno.ENOBUFS, errno.ENOMEM):
                    self.stalled = True
                    return False
                # The other end is gone; receive() reports it, and nobody is left to hear the rest.
                self.drop()
                return True
            piece.fds = ()
            del piece.data[:sent]
            self.backlog -= sent
            if not piece.data:
                close_all(self._out.pop(0).used_up)
        return True

    def freeze(self) -> Frozen:
        """What is on its way, for `thaw` in another program."""
        return Frozen(
            out=[(bytes(p.data).decode("latin-1"), list(p.fds), p.used_up) for p in self._out],
            arrived=bytes(self._in).decode("latin-1"),
            batches=list(self._batches),
        )

    def thaw(self, frozen: Frozen) -> None:
        """Go on with what was on its way."""
        for text, fds, used_up in frozen.out:
            piece = _Piece()
            piece.data += text.encode("latin-1")
            piece.fds, piece.used_up = tuple(fds), list(used_up)
            self._out.append(piece)
            self.backlog += len(piece.data)
        self._in += frozen.arrived.encode("latin-1")
        self._batches.extend((list(fds), cut) for fds, cut in frozen.batches)

    def drop(self) -> None:
        """Forget everything that was to be sent."""
        self.backlog = 0
        while self._out:
            close_all(self._out.pop().used_up)

    def receive(self, most: int = 1) -> list[Message]:
        """The messages of at most `most` system calls; [] when nothing more has arrived.

        Raises ConnectionError at the end of the stream (messages before it were returned by earlier
        calls) and BrokenWireError on nonsense.
        """
        messages: list[Message] = []
        for _ in range(most):
            try:
                if not self._read():
                    if messages:
                        break
                    raise ConnectionResetError(errno.ECONNRESET, "the other end is gone")
            except (BlockingIOError, InterruptedError):
                break
            messages += self._parse()
        return messages

    def close(self) -> None:
        """Close the socket and everything that waits in the buffers."""
        self.drop()
        while self._batches:
            close_all(self._batches.pop()[0])
        self.sock.close()

    def _send(self, piece: _Piece) -> int:
        if not piece.fds:
            return self.sock.send(piece.data)
        rights = struct.pack(f"{len(piece.fds)}i", *piece.fds)
        return self.sock.sendmsg([piece.data], [(sockets.SOL_SOCKET, sockets.SCM_RIGHTS, rights)])

    def _read(self) -> bool:
        """One recvmsg; False at the end of the stream."""
        space = sockets.CMSG_SPACE(_MOST_FDS * _FD_SIZE)
        data, ancillary, flags, _ = self.sock.recvmsg(_CHUNK, space, _CLOEXEC)
        fds: list[int] = []
        for level, kind, payload in ancillary:
            if (level, kind) == (sockets.SOL_SOCKET, sockets.SCM_RIGHTS):
                count = len(payload) // _FD_SIZE
                fds += struct.unpack_from(f"{count}i", payload)
        cut = bool(flags & sockets.MSG_CTRUNC)
        if fds or cut:
            if not _CLOEXEC:
                for fd in fds:
                    os.set_inheritable(fd, False)
            self._batches.append((fds, cut))
        self._in += data
        self.received += len(data)
        return bool(data)

    def _parse(self) -> list[Message]:
        messages = []
        start = 0
        while len(self._in) - start >= _HEAD.size:
            length, count = _HEAD.unpack_from(self._in, start)
            if length > _LONGEST:
                raise BrokenWireError(f"a message of {length} bytes is announced")
            end = start + _HEAD.size + length
            if len(self._in) < end:
                break
            messages.append(self._message(bytes(self._in[start + _HEAD.size : end]), count))
            start = end
        del self._in[:start]
        return messages

    def _message(self, body: bytes, count: int) -> Message:
        """What was framed; nonsense becomes a message of an unknown kind, so complained about."""
        fds: list[int] = []
        cut = False
        if count:
            fds, cut = self._batches.pop(0) if self._batches else ([], True)
        try:
            kind, fields = loads(body)
        except (ValueError, TypeError, RecursionError):
            kind, fields = "", {}
        if not isinstance(kind, str) or not isinstance(fields, dict):
            kind, fields = "", {}
        return Message(kind, fields, fds, cut or len(fds) != count)


def close_all(fds: Iterable[int]) -> None:
    """Close descriptors; what the system says about it changes nothing for us."""
    for fd in fds:
        try:
            os.close(fd)
        except OSError:
            continue
