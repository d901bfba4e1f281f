"""TLS for one server: its certificates now, and the handshake of a connection.

The handshake comes after a connection has got its slot, so who never finishes one takes no more
than any other idle client.  Renewed certificates count for connections from then on.
Source: issue on the control plane; scenarios.md, section 1, rule 2.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from proctor.config.certificates import server_context
from proctor.core.settings import TlsSettings

if TYPE_CHECKING:
    from ssl import SSLContext


class Certificates:
    """What a server shows.  Raises OSError when the files cannot be used."""

    def __init__(self, settings: TlsSettings) -> None:
        self._settings = settings
        self.context: SSLContext = server_context(settings)

    def renew(self, settings: TlsSettings | None) -> None:
        """Read the files again, from where the configuration says now.  Raises OSError.

        May be called in a thread: whoever is connecting goes on with what there was.
        """
        self._settings = settings or self._settings
        self.context = server_context(self._settings)


async def shake_hands(
    transport: asyncio.Transport,
    protocol: asyncio.Protocol,
    context: SSLContext,
    seconds: float,
) -> asyncio.Transport:
    """The transport to go on with.  Raises OSError when the client did not manage.

    `protocol` is told of data, but of the end only when this was a success.
    """
    loop = asyncio.get_running_loop()
    secure = await loop.start_tls(
        transport, protocol, context, server_side=True, ssl_handshake_timeout=seconds
    )
    return cast(asyncio.Transport, secure)


def why_refused(error: OSError) -> str:
    """Why we refused a client that wanted TLS; "" for one that left, dawdled or spoke otherwise."""
    match getattr(error, "reason", None):
        case "PEER_DID_NOT_RETURN_A_CERTIFICATE":
            return "it showed no certificate, and client_ca= asks for one"
        case "CERTIFICATE_VERIFY_FAILED":
            return f"its certificate: {getattr(error, 'verify_message', '')}"
        case "UNSUPPORTED_PROTOCOL":
            return "its version of TLS is older than 1.2"
        case "NO_SHARED_CIPHER":
            return "there is no cipher that both know"
        case _:
            return ""


def names_of(transport: asyncio.Transport) -> tuple[str, ...]:
    """The names in the client's certificate, its subject's first; none when it showed none."""
    certificate = transport.get_extra_info("peercert") or {}
    subject = [
        value
        for pairs in certificate.get("subject", ())
        for key, value in pairs
        if key == "commonName"
    ]
    others = [value for key, value in certificate.get("subjectAltName", ()) if key != "IP Address"]
    return tuple(dict.fromkeys([*subject, *others]))
