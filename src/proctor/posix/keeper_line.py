"""The line to the keeper, on the daemon's loop: what is said goes out soon, what comes in is heard.

The first message of a round of the loop goes out at once, for a restart waits for it; those that
follow it in the same round go out together.  Whoever takes leave says and hears everything to
its end first, for a bounded time.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import time
from collections.abc import Callable, Mapping, Sequence

from proctor.keeper.protocol import BrokenWireError, Wire, close_all
from proctor.posix.last_words import tell

_AT_ONCE = 64
_STALLED = 0.01
_LAST_WORDS = 5.0


class KeeperGone(ConnectionError):
    """There is no keeper, and with it nobody who would start another daemon."""


class KeeperLine:
    """`handlers` hear the messages of their kind, `nonsense` those of any other.

    `broken(error)` is told when there is no keeper any more; `lost` says so, too, and is True as
    well once we took leave.  `connect` it first.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        handlers: Mapping[str, Callable[..., None]],
        nonsense: Callable[..., None],
        broken: Callable[[Exception], None],
    ) -> None:
        self._loop = loop
        self._handlers = handlers
        self._nonsense = nonsense
        self._broken = broken
        self._wire: Wire
        self._sock: socket.socket
        self._flushing = False
        self.lost = True

    def connect(self, sock: socket.socket) -> None:
        """Talk on this socket from now on."""
        self._sock, self._wire = sock, Wire(sock)
        self._flushing, self.lost = False, False
        self._loop.add_reader(sock, self._listen)

    def send(self, kind: str, fields: Mapping[str, object], fds: Sequence[int] = ()) -> bool:
        """Send soon, and close the descriptors then.  False when there is no keeper."""
        if self.lost:
            close_all(fds)
            return False
        self._wire.queue(kind, fields, fds)
        self._wire.close_after(fds)
        if not self._flushing:
            self._flushing = True
            self._wire.flush()
            self._loop.call_soon(self._flush)
        return True

    def finish(self) -> None:
        """Say what is left to say and hang up.  Waits up to 5 seconds."""
        self._let_loop_go()
        until = time.monotonic() + _LAST_WORDS
        while not self._wire.flush() and time.monotonic() < until:
            self._wait()
        self.lost = True
        self._wire.close()

    def leave(self, complain: Callable[[str], None]) -> socket.socket:
        """Stop talking, with nothing half said or half heard; the socket stays open.

        Waits up to 5 seconds; `complain` hears of what went wrong.
        """
        self._let_loop_go()
        until = time.monotonic() + _LAST_WORDS
        try:
            while time.monotonic() < until:
                if self._wire.flush() and not self._wire.in_the_middle:
                    break
                self._wait()
                for message in self._wire.receive():
                    message.close()
        except (OSError, BrokenWireError) as error:
            complain(f"cannot take leave of the keeper: {error}")
        self.lost = True
        return self._sock

    def close(self) -> None:
        """Close the socket."""
        self._wire.close()

    def _let_loop_go(self) -> None:
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)

    def _flush(self) -> None:
        self._flushing = False
        if self.lost:
            return
        self._loop.remove_writer(self._sock)
        if self._wire.flush():
            return
        self._flushing = True
        if self._wire.stalled:
            self._loop.call_later(_STALLED, self._flush)
        else:
            self._loop.add_writer(self._sock, self._flush)

    def _wait(self) -> None:
        poll = select.poll()
        wanted = select.POLLIN | (select.POLLOUT if self._wire.backlog else 0)
        poll.register(self._sock, wanted)
        poll.poll(100)

    def _listen(self) -> None:
        try:
            messages = self._wire.receive(_AT_ONCE)
        except ConnectionError as error:
            self._let_loop_go()
            self._wire.close()
            self.lost = True
            self._broken(error)
            return
        except (OSError, BrokenWireError) as error:
            # It lives, and would start another daemon: with a second keeper beside it everything
            # would be there twice. As after a kill -9 the next daemon goes on, on a fresh line.
            tell(f"cannot understand the keeper: {error}")
            os._exit(1)
        for message in messages:
            try:
                self._handlers.get(message.kind, self._nonsense)(message, **message.fields)
            except Exception as error:
                # What one child's owner does wrong must not keep the others from hearing theirs.
                context = {"message": f"hearing {message.kind!r}", "exception": error}
                self._loop.call_exception_handler(context)
            finally:
                message.close()
