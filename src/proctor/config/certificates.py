"""Certificates: the files of a TLS server to an SSLContext, or to the reason why not.

Called by `world.py` to judge a configuration and by `web/tls.py` to serve with it, so that both
have one opinion.  ssl is loaded here and nowhere else in the daemon, and only for who wants TLS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proctor.core.settings import TlsSettings

if TYPE_CHECKING:
    from ssl import SSLContext


def server_context(tls: TlsSettings) -> SSLContext:
    """TLS 1.2 or newer with this certificate; clients are asked for one if there is a client CA.

    Reads the files.  Raises OSError (ssl.SSLError is one) with a text that `why_not` makes good.
    """
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A key with a passphrase would ask for it on a terminal that nobody looks at.
    context.load_cert_chain(tls.certfile, tls.keyfile or None, password=lambda: "")
    if tls.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(tls.client_ca)
    return context


def why_not(error: Exception) -> str:
    """The reason in plain words."""
    if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
        return str(error.strerror)
    reason = str(getattr(error, "reason", None) or error)
    words = {
        "KEY_VALUES_MISMATCH": "the key does not belong to the certificate",
        "NO_START_LINE": "it is not in PEM format",
        "BAD_PASSWORD_READ": "the key has a passphrase; give it without one",
        "BAD_DECRYPT": "the key has a passphrase; give it without one",
        "PEM_LIB": "it is not in PEM format, or the key is missing",
    }
    key = reason.upper().replace(" ", "_")
    return words.get(key, reason)


def problem_of(tls: TlsSettings) -> tuple[str, str] | None:
    """(option, reason) for the first of the three that cannot be used; None when all can."""
    for option, path in (
        ("certfile", tls.certfile),
        ("keyfile", tls.keyfile),
        ("client_ca", tls.client_ca),
    ):
        try:
            if path is not None:
                with open(path, "rb"):
                    pass
        except OSError as error:
            return option, why_not(error)
    for option, part in (("certfile", tls._replace(client_ca=None)), ("client_ca", tls)):
        try:
            server_context(part)
        except (OSError, ValueError) as error:
            return option, why_not(error)
    return None
