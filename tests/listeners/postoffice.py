"""A real SMTP server on loopback, with what it received."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from support.rpc import free_port
from support.waiting import GENEROUS

USER, PASSWORD = "alarm", "sesame"


# Without slots: aiosmtpd looks at every attribute, and those of 3.11.2 include a broken one.
@dataclass
class PostOffice:
    """`host` is for `-H`.  So many mails are refused first as `refusals` says; those to `unknown`
    always."""

    host: str = ""
    refusals: int = 0
    unknown: str = ""
    letters: list[str] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    users: list[str] = field(default_factory=list)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Whether there is such a box."""
        if address == self.unknown:
            return "550 no such box"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """A mail has come."""
        if self.refusals:
            self.refusals -= 1
            return "451 come back later"
        assert isinstance(envelope.content, bytes)
        self.recipients.append(list(envelope.rcpt_tos))
        self.encrypted.append(session.ssl is not None)
        # Last, since tests wait for it in another thread.
        self.letters.append(envelope.content.decode().replace("\r\n", "\n"))
        return "250 OK"

    def login(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        """Whether that user may."""
        assert isinstance(data, LoginPassword)
        self.users.append(data.login.decode())
        right = data == LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)


@contextlib.contextmanager
def post_office(
    context: ssl.SSLContext | None = None, *, strict: bool = False
) -> Iterator[PostOffice]:
    """Serves meanwhile; with a context it offers STARTTLS and logins, `strict` demands them."""
    office = PostOffice()
    secure: dict[str, Any] = {
        "tls_context": context,
        "require_starttls": strict,
        "auth_required": strict,
        "authenticator": office.login,
    }
    port = free_port()
    office.host = f"127.0.0.1:{port}"
    options = secure if context else {}
    controller = Controller(
        office, hostname="127.0.0.1", port=port, ready_timeout=GENEROUS, **options
    )
    controller.start()
    try:
        yield office
    finally:
        controller.stop()
