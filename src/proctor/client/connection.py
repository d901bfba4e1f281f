"""HTTP/1.1 towards a daemon, over `unix:///path`, `http://host:port` or `https://host:port`, as
little as it takes.

1. One question at a time per connection; the connection is kept for the next one.
2. A kept connection that the server closed meanwhile is noticed before anything is sent, so a
   request is never sent twice.
3. `_socket` is what `socket` wraps; the wrapper alone costs a sixth of a whole `status`.

Source: compat xmlrpc.md, section 2; supervisorctl.md, section 1.
"""

from __future__ import annotations

import _socket
import binascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from proctor.core.settings import TrustSettings

_CHUNK = 65536


class ProtocolError(Exception):
    """An HTTP answer that is not the one asked for; `status` 0 when it was not HTTP at all."""

    def __init__(self, url: str, status: int, reason: str) -> None:
        self.url, self.status, self.reason = url, status, reason
        super().__init__(f"<ProtocolError for {url}: {status} {reason}>")


class Address:
    """Where a server listens.  Raises ValueError for anything but http://, https:// and unix://."""

    __slots__ = ("host", "path", "port", "secure")

    def __init__(self, serverurl: str) -> None:
        self.path, self.host, self.port = "", "", 80
        self.secure = serverurl.startswith("https://")
        if serverurl.startswith("unix://"):
            self.path = serverurl.removeprefix("unix://")
        elif self.secure or serverurl.startswith("http://"):
            place = serverurl.split("/", 3)[2].rpartition("@")[2]
            # [::1]:9001 has colons of its own.
            bracket = place.rfind("]")
            host, colon, port = place[bracket + 1 :].partition(":")
            self.host = place[1:bracket] if bracket > 0 else host
            self.port = _port(port) if colon else 443 if self.secure else 80
        else:
            raise ValueError(f"Unknown protocol for serverurl {serverurl}")

    def connect(self, trust: TrustSettings | None = None) -> _socket.socket:
        """A connected socket.  Raises OSError, or ValueError for files of `trust`."""
        if self.secure:
            from proctor.client import tls

            return tls.connect(self.host, self.port, trust)
        if self.path:
            sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
            return _connected(sock, self.path)
        failure: OSError | None = None
        for family, kind, protocol, _, where in _socket.getaddrinfo(
            self.host, self.port, 0, _socket.SOCK_STREAM
        ):
            try:
                sock = _connected(_socket.socket(family, kind, protocol), where)
            except OSError as error:
                failure = failure or error
                continue
            # The request goes out in one piece; never wait for an acknowledgement.
            sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            return sock
        raise failure or OSError(f"no address for {self.host}")


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ValueError(f"invalid port {text!r} in serverurl")
    return int(text)


def _connected(sock: _socket.socket, where: object) -> _socket.socket:
    try:
        sock.connect(where)  # type: ignore[arg-type]  # typeshed knows no address of any family
    except BaseException:
        sock.close()
        raise
    return sock


class Connection:
    """Asks one server.  `serverurl` may be wrong: only the first question finds out."""

    def __init__(
        self,
        serverurl: str,
        username: str | None,
        password: str | None,
        trust: TrustSettings | None = None,
    ) -> None:
        self.serverurl = serverurl
        self._trust = trust
        self._login = _basic(username or "", password or "") if username else b""
        self._reader: _Reader | None = None
        # What the last answer to a call said to be wrong with the daemon.
        self.warning = ""

    def post(self, path: str, body: bytes) -> bytes:
        """The body of the answer to an XML-RPC request.  Raises ProtocolError, OSError, ValueError
        (a server URL that cannot be)."""
        extra = b"Content-Type: text/xml\r\nContent-Length: %d\r\n" % len(body)
        answer, content = self._ask(self._head(b"POST", path, extra) + body)
        self.warning = answer.warning
        if answer.status != 200:
            raise ProtocolError(self._name(path), answer.status, answer.reason)
        return content

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of the answer to a GET.  Raises ProtocolError, OSError, ValueError."""
        answer, content = self._ask(self._head(b"GET", path, b""))
        return answer.status, content

    def _ask(self, request: bytes) -> tuple[_Answer, bytes]:
        """The answer and its body, over the connection that is kept if there is one."""
        reader = self._kept() or self._open()
        try:
            answer = reader.ask(request)
            content = b"".join(answer.pieces())
        except BaseException:
            # Also after Ctrl-C: the rest of this answer must not be taken for the next one's.
            self.close()
            raise
        if answer.closes:
            self.close()
        return answer, content

    def stream(self, path: str) -> Stream:
        """Start an endless GET on a connection of its own.  Raises ProtocolError, OSError."""
        reader = _Reader(Address(self.serverurl).connect(self._trust))
        try:
            answer = reader.ask(self._head(b"GET", path, b"Accept: */*\r\n"))
        except BaseException:
            reader.sock.close()
            raise
        if answer.status != 200:
            reader.sock.close()
            raise ProtocolError(self.serverurl + path, answer.status, answer.reason)
        return Stream(answer)

    def close(self) -> None:
        """Drop the kept connection; the next question opens another."""
        if self._reader is not None:
            self._reader.sock.close()
            self._reader = None

    def _open(self) -> _Reader:
        self._reader = _Reader(Address(self.serverurl).connect(self._trust))
        return self._reader

    def _kept(self) -> _Reader | None:
        if self._reader is None:
            return None
        if Address(self.serverurl).secure:
            from proctor.client import tls

            if tls.is_quiet(self._reader.sock):  # type: ignore[arg-type]  # what `connect` made
                return self._reader
            self.close()
            return None
        try:
            self._reader.sock.recv(1, _socket.MSG_PEEK | _socket.MSG_DONTWAIT)
        except BlockingIOError:
            return self._reader
        except OSError:
            pass
        self.close()
        return None

    def _head(self, method: bytes, path: str, extra: bytes) -> bytes:
        return (
            b"%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Proctor\r\n%s%s\r\n"
            % (method, path.encode("ascii"), self._host(), self._login, extra)
        )  # fmt: skip

    def _host(self) -> bytes:
        address = Address(self.serverurl)
        if address.path:
            return b"localhost"
        name = f"[{address.host}]" if ":" in address.host else address.host
        return f"{name}:{address.port}".encode("idna" if not name.isascii() else "ascii")

    def _name(self, path: str) -> str:
        address = Address(self.serverurl)
        return f"{address.host or '127.0.0.1'}{path}"


def _basic(username: str, password: str) -> bytes:
    secret = f"{username}:{password}".encode(errors="surrogateescape")
    return b"Authorization: Basic " + binascii.b2a_base64(secret, newline=False) + b"\r\n"


class Stream:
    """An endless answer.  Iterate for its pieces, until the server or `close` ends it."""

    def __init__(self, answer: _Answer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._answer.pieces()
        except OSError:
            pass  # cut off in the middle of a chunk: what has no end cannot be incomplete
        finally:
            self._answer.reader.sock.close()

    def close(self) -> None:
        """End it, from another thread than the one that iterates; harmless when it ended."""
        try:  # noqa: SIM105  (contextlib costs a millisecond)
            self._answer.reader.sock.shutdown(_socket.SHUT_RDWR)
        except OSError:
            pass  # the server was quicker


class _Reader:
    """A socket, and the bytes of it that nobody has asked for yet."""

    def __init__(self, sock: _socket.socket) -> None:
        self.sock = sock
        self.rest = b""

    def line(self) -> bytes:
        while b"\n" not in self.rest:
            self.rest += self._more()
        line, self.rest = self.rest.split(b"\n", 1)
        return line.rstrip(b"\r")

    def some(self, most: int = _CHUNK) -> bytes:
        """At least a byte, at most `most`; b"" at the end."""
        data = self.rest or self.sock.recv(_CHUNK)
        self.rest = data[most:]
        return data[:most]

    def ask(self, question: bytes) -> _Answer:
        try:  # noqa: SIM105  (contextlib costs a millisecond)
            self.sock.sendall(question)
        except ConnectionError:
            pass  # it may have answered before it had heard all; if not, reading fails, too
        return self._answer()

    def _answer(self) -> _Answer:
        words = self.line().decode("latin-1").split(None, 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdecimal():
            raise ProtocolError("server", 0, "not an HTTP answer")
        headers: dict[str, str] = {}
        while line := self.line():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        reason = words[2] if len(words) > 2 else ""
        return _Answer(self, words[0], int(words[1]), reason, headers)

    def _more(self) -> bytes:
        data = self.sock.recv(_CHUNK)
        if not data:
            raise ConnectionResetError("the server closed the connection without an answer")
        return data


class _Answer:
    """Status and headers of an answer; the body is read by `pieces`, once."""

    def __init__(
        self, reader: _Reader, version: str, status: int, reason: str, headers: dict[str, str]
    ) -> None:
        self.reader, self.status, self.reason = reader, status, reason
        self.warning = headers.get("proctor-warning", "")
        self._chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        length = headers.get("content-length", "")
        self._length = int(length) if length.isdecimal() else None
        token = headers.get("connection", "").lower()
        unbounded = self._length is None and not self._chunked
        old = version == "HTTP/1.0" and token != "keep-alive"
        self.closes = unbounded or old or token == "close"

    def pieces(self) -> Iterator[bytes]:
        """The body as it arrives.  Raises ConnectionResetError when it is cut short."""
        if self._chunked:
            while size := int(self.reader.line().split(b";")[0], 16):
                yield from self._bounded(size)
                self.reader.line()
            while self.reader.line():
                pass  # trailers
        elif self._length is not None:
            yield from self._bounded(self._length)
        else:
            while data := self.reader.some():
                yield data

    def _bounded(self, left: int) -> Iterator[bytes]:
        while left:
            data = self.reader.some(left)
            if not data:
                raise ConnectionResetError("the server closed the connection in an answer")
            left -= len(data)
            yield data
