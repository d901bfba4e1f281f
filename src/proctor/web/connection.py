"""One client: its requests (incoming.py) and the replies to them, one at a time.

1. Requests that are sent ahead wait, bounded, for the answers before them.
2. Waiting for a client is always limited in time; waiting for an answer never is.
3. A reply is written no faster than its client reads; a client that reads nothing is dropped.
"""

from __future__ import annotations

import asyncio
from typing import cast

import h11

from proctor.core.caller import Peer
from proctor.core.settings import ServerSettings
from proctor.posix.peers import peer_of
from proctor.web.deadline import Deadline
from proctor.web.exchange import Exchange, complete_error
from proctor.web.house import House
from proctor.web.incoming import Incoming, is_http
from proctor.web.request import MAX_BODY, REASONS
from proctor.web.tls import Certificates, names_of, shake_hands, why_refused

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(asyncio.Protocol):
    """One client of one server."""

    def __init__(
        self, house: House, settings: ServerSettings, certificates: Certificates | None = None
    ) -> None:
        self.settings = settings
        self.names: tuple[str, ...] = ()
        self._certificates = certificates
        self.client: tuple[str, int] = ("localhost", 0)
        self.peer: Peer | None = None
        self.idle_since = 0.0
        self.body_size = 0
        self.half_closed = False
        self._house = house
        self._limits = house.limits
        self._loop = asyncio.get_running_loop()
        self._incoming = Incoming(self._limits.head)
        self._exchange: Exchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._unsent = 0
        self._lingering = False
        self._deadline = Deadline(self._loop, self._too_late)

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self._exchange is None

    @property
    def answering(self) -> asyncio.Task[None] | None:
        """The answer under way, if it is one that ends by itself."""
        streaming = self._exchange is not None and self._exchange.streaming
        return None if streaming else self._task

    @property
    def gone(self) -> bool:
        """Whether nobody reads what we write."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Drop the connection with whatever it holds."""
        if self._task is not None:
            self._task.cancel()
        self._house.leave(self)
        self._transport.abort()

    async def write(self, data: bytes) -> None:
        """Write, and wait while the client is behind with reading."""
        self._transport.write(data)
        if not self._writable.is_set():
            await self._writable.wait()

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a slot and wait for a request."""
        self._transport = cast(asyncio.Transport, transport)
        if self.settings.file is not None:
            self.peer = peer_of(transport.get_extra_info("socket"), bool(self.settings.peer_roles))
        else:
            # None when the client has left already.
            host, port = (transport.get_extra_info("peername") or ("unknown", 0))[:2]
            self.client = host.removeprefix("::ffff:"), port
        self.idle_since = self._loop.time()
        admitted = self._house.admit(self)
        if self._certificates is not None:
            # Not yet a byte: the first ones belong to the handshake.
            self._transport.pause_reading()
            self._task = self._loop.create_task(self._secure(self._certificates, admitted))
        elif admitted:
            self._limit(self._limits.head_timeout)
        else:
            self._refuse(503)

    async def _secure(self, certificates: Certificates, admitted: bool) -> None:
        """From plain TCP to TLS.  Who gets no slot is not worth a handshake."""
        secure = None
        if admitted:
            timeout = self._limits.head_timeout
            try:
                secure = await shake_hands(self._transport, self, certificates.context, timeout)
            except OSError as error:
                if reason := why_refused(error):
                    where = f"client of [{self.settings.section}] from {self.client[0]}"
                    self._house.complaints.say(f"refused {where}: {reason}")
        self._task = None
        if secure is None:
            self._transport.abort()
            self.connection_lost(None)
            return
        self._transport = secure
        self.names = names_of(secure)
        self._limit(self._limits.head_timeout)

    def data_received(self, data: bytes) -> None:
        """Read on, or keep it for later."""
        if self._lingering:
            return
        if self._exchange is None:
            self._hear(data)
            return
        if not self._exchange.complete:
            self._incoming.hear_body(data)
            self._read()
            return
        self._incoming.ahead += data
        if len(self._incoming.ahead) > self._limits.ahead:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """A client may have said everything and still wait for the answer; a reader of a stream
        that says so is leaving."""
        self.half_closed = True
        exchange = self._exchange
        if exchange is not None and (exchange.streaming or not exchange.complete):
            exchange.disconnect()
        # TLS has no half of an end.
        if self._certificates is not None:
            return False
        return exchange is not None and exchange.complete and not exchange.streaming

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over.  What a call began goes on; a stream hears that nobody listens."""
        self._house.leave(self)
        self._deadline.close()
        self._writable.set()
        if self._exchange is not None:
            self._exchange.disconnect()

    def pause_writing(self) -> None:
        """The client is behind."""
        self._writable.clear()
        self._unsent = self._transport.get_write_buffer_size()
        self._limit(self._limits.write_timeout)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._writable.set()
        if not self._lingering:
            self._limit(None)

    # Reading requests

    def _hear(self, data: bytes) -> None:
        """Bytes of a request that has not begun."""
        had_begun = self._incoming.has_begun
        if not self._incoming.hear(data):
            self._limit(self._limits.idle_timeout)
            return
        if not had_begun:
            # Once, not with every byte: else a trickle of them would hold the connection for days.
            self._limit(self._limits.head_timeout)
        self._read()

    def _read(self) -> None:
        """Take from the parser what it has: a new request, or more of the body of this one."""
        try:
            while not self._lingering:
                event = self._incoming.next_event()
                if isinstance(event, h11.Request):
                    self._begin(event)
                elif isinstance(event, h11.Data) and self._exchange is not None:
                    self._exchange.more(bytes(event.data))
                elif isinstance(event, h11.EndOfMessage) and self._exchange is not None:
                    self._finish_reading(self._exchange)
                    return
                else:
                    break
        except h11.RemoteProtocolError as error:
            self._misunderstood(error)

    def _begin(self, request: h11.Request) -> None:
        exchange = self._exchange = Exchange(self, request)
        self._limit(self._limits.body_timeout)
        self.body_size = int(exchange.headers.get(b"content-length", b"0"))
        if self.body_size > MAX_BODY:
            self._refuse(413)
        elif not self._house.may_bring(self.body_size):
            self._refuse(503)
        else:
            if self._incoming.wants_to_be_told:
                self._transport.write(_CONTINUE)
            self._task = self._loop.create_task(exchange.run(self._house.app, self._house.log))
            self._task.add_done_callback(self._answered)

    def _finish_reading(self, exchange: Exchange) -> None:
        self._limit(None)
        exchange.finish_reading()

    def _answered(self, task: asyncio.Task[None]) -> None:
        """The reply is written: go on with the next request, or say good-bye."""
        exchange, self._exchange, self._task = self._exchange, None, None
        self.body_size = 0
        if self.gone or self._lingering or exchange is None:
            return
        if exchange.failed or task.cancelled():
            self.close()
        elif exchange.keep_alive and exchange.complete:
            self._next()
        else:
            self._linger()

    def _next(self) -> None:
        self.idle_since = self._loop.time()
        if ahead := self._incoming.begin_anew():
            self._transport.resume_reading()
            self._hear(ahead)
        else:
            self._limit(self._limits.idle_timeout)
        if self.half_closed and self._exchange is None:
            self._transport.close()

    # Ends

    def _misunderstood(self, error: h11.RemoteProtocolError) -> None:
        """Not HTTP: no answer at all, as ever.  HTTP with a mistake: its number."""
        if self._exchange is not None:
            self._exchange.disconnect()
        elif is_http(error):
            self._refuse(error.error_status_hint)
        else:
            self._transport.close()

    def _refuse(self, status: int) -> None:
        """Answer from here, without the application, and close."""
        status = status if status in REASONS else 400
        source = f"{self.client[0]}:{self.client[1]}"
        self._house.complaints.say(f"refused request from {source}: {status} {REASONS[status]}")
        self._transport.write(complete_error(status))
        self._linger()

    def _linger(self) -> None:
        """Close so that the client can still read: what it goes on sending is thrown away."""
        self._lingering = True
        self._unsent = self._transport.get_write_buffer_size()
        if self.half_closed or not self._transport.can_write_eof():
            self._transport.close()
        else:
            self._transport.resume_reading()
            self._transport.write_eof()
        self._limit(self._limits.linger)

    # Time

    def _limit(self, seconds: float | None) -> None:
        """Give the client so long from now for what we wait for; None: we do not wait for it."""
        self._deadline.give(seconds)

    def _too_late(self) -> None:
        unsent = self._transport.get_write_buffer_size()
        if unsent:
            if unsent < self._unsent:
                self._unsent = unsent
                self._limit(self._limits.write_timeout)
            else:
                self.close()
        elif self._lingering:
            self.close()
        elif self._exchange is not None:
            self._exchange.disconnect()
            self._refuse(408)
        elif self._incoming.has_begun:
            self._refuse(408)
        else:
            self._transport.close()
