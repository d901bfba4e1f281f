"""The connection to an `https://` server.  Loaded only for such a URL: ssl costs a whole `status`.

Without a cafile the authorities that this machine trusts are asked, or those that the variable
SSL_CERT_FILE names.  The name in the URL must be one of the certificate.
"""

from __future__ import annotations

import select
import socket
import ssl

from proctor.core.settings import TRUST_OF_THE_MACHINE, TrustSettings


def connect(host: str, port: int, trust: TrustSettings | None) -> ssl.SSLSocket:
    """A connected socket.  Raises OSError, or ValueError for files that cannot be used."""
    context = _context(trust or TRUST_OF_THE_MACHINE)
    sock = socket.create_connection((host, port))
    try:
        # The request goes out in one piece; never wait for an acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return context.wrap_socket(sock, server_hostname=host)
    except BaseException:
        sock.close()
        raise


def _context(trust: TrustSettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if trust.cafile:
            context.load_verify_locations(trust.cafile)
        if trust.certfile:
            context.load_cert_chain(trust.certfile, trust.keyfile)
    except OSError as error:
        files = ", ".join(filter(None, trust))
        raise ValueError(f"cannot use {files}: {error.strerror or error}") from error
    return context


def is_quiet(sock: ssl.SSLSocket) -> bool:
    """Whether nothing has come since the last answer, not even an end."""
    return not sock.pending() and not select.select([sock], (), (), 0)[0]
