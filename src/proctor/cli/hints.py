"""What may be wrong when a server cannot be talked to, for people who see only a library's words.

Loaded when something went wrong; ssl is not loaded for it, so its errors are known by their names.
"""

from __future__ import annotations

from proctor.core.faults import Fault, FaultCode

NO_FILE = "no configuration file was found; name one with -c, or a server with -s"

# What the library calls an answer that is not TLS, an end without a word, and words about us.
_NOT_TLS = "WRONG_VERSION_NUMBER"
_END = "UNEXPECTED_EOF_WHILE_READING"
_REFUSALS = (
    "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "TLSV1_ALERT_UNKNOWN_CA",
    "SSLV3_ALERT_BAD_CERTIFICATE",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
)
_USE_HTTP = "if the server does not speak TLS, use http://"
_SHOW_ONE = (
    "the server may want a certificate that it trusts: certfile= and keyfile= in [supervisorctl]"
)


def hint_for(error: Exception, serverurl: str) -> str:
    """What to try, in one line; "" when there is nothing to say beyond the error itself."""
    if type(error).__name__ == "SSLCertVerificationError":
        return _of_certificate(str(getattr(error, "verify_message", "")))
    reset = isinstance(error, ConnectionResetError)
    reason = getattr(error, "reason", None)
    if reason == _NOT_TLS:
        return _USE_HTTP
    if reason in _REFUSALS:
        return _SHOW_ONE
    # Who is refused for want of a certificate mostly sees no more than the end.
    if reason == _END or (reset and serverurl.startswith("https://")):
        return f"{_SHOW_ONE}; {_USE_HTTP}"
    if reset and serverurl.startswith("http://"):
        return "if the server speaks TLS (certfile= in [inet_http_server]), use https://"
    if isinstance(error, PermissionError) and serverurl.startswith("unix://"):
        return "the socket belongs to another user: see chmod= and chown= in [unix_http_server]"
    return ""


def meaning_of(error: Exception) -> str:
    """What an error of the library means, in one line; "" when it says that itself."""
    if isinstance(error, Fault) and error.code == FaultCode.SHUTDOWN_STATE:
        return "supervisord is shutting down, or stops everything to begin again"
    if isinstance(error, ConnectionResetError):
        return (
            "supervisord has closed the connection without an answer: it has ended, or was killed;"
            " what was asked for may have been done all the same"
        )
    return ""


def with_hint(error: Exception, serverurl: str, *, guessed: bool) -> str:
    """The error's own text, and what to try.  `guessed`: nobody said which server."""
    hint = NO_FILE if guessed else hint_for(error, serverurl)
    return f"{error}; {hint}" if hint else str(error)


def _of_certificate(message: str) -> str:
    if "mismatch" in message or "not valid for" in message:
        return "use a name that is in the server's certificate"
    if "expired" in message or "not yet valid" in message:
        return "the server needs a new certificate, or a clock is wrong"
    return "name the authority of the server's certificate with cafile= in [supervisorctl]"
