"""The standard library's XML-RPC proxy over our connection, for plug-ins and scripts that expect
`xmlrpc.client` objects and its Fault.  Nothing of ours uses it.
"""

from __future__ import annotations

from xmlrpc.client import ProtocolError as StandardProtocolError
from xmlrpc.client import ServerProxy, Transport

from proctor.client.connection import Address, Connection, ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SupervisorTransport(Transport):
    """Speaks to `http://` and `unix://` servers.  The host of the proxy's own URL is ignored.

    Raises ValueError at once for any other kind of URL.  Source: compat plugins.md, section 5.
    """

    def __init__(
        self,
        username: str | None = None,
        password: str | None = None,
        serverurl: str | None = None,
    ) -> None:
        super().__init__()
        self.username, self.password, self.serverurl = username, password, serverurl
        self.verbose = False
        url = serverurl or ""
        Address(url)
        self._link = Connection(url, username, password)

    def request(
        self, host: object, handler: str, request_body: object, verbose: bool = False
    ) -> tuple[Any, ...]:
        """One call; `handler` is the path.  Raises OSError, standard Fault and ProtocolError."""
        body = request_body if isinstance(request_body, bytes) else str(request_body).encode()
        try:
            content = self._link.post(handler, body)
        except ProtocolError as error:
            raise StandardProtocolError(error.url, error.status, error.reason, {}) from error
        parser, unmarshaller = self.getparser()
        parser.feed(content)
        parser.close()
        return unmarshaller.close()

    def close(self) -> None:
        """Drop the connection; the next call opens another."""
        self._link.close()


def server_proxy(serverurl: str, username: str | None, password: str | None) -> ServerProxy:
    """A proxy of all namespaces of a server."""
    transport = SupervisorTransport(username, password, serverurl)
    return ServerProxy("http://127.0.0.1", transport=transport)
