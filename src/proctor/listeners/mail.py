"""Mail by a sendmail command (crashmail, httpok, memmon) or by SMTP (the batch tools).

Neither may write to our standard output, which belongs to the event protocol, nor wait for ever.
Source: compat superlance.md, sections 1 and 3; S11, S12.
"""

from __future__ import annotations

import subprocess
import sys

from proctor.core.values import dataclass
from proctor.listeners.loop import say

_PATIENCE = 120
_SMTP_PATIENCE = 30

_MIME = (
    "MIME-Version: 1.0\n"
    'Content-Type: text/plain; charset="utf-8"\n'
    "Content-Transfer-Encoding: 8bit\n"
)


def letter(recipient: str, subject: str, body: str) -> str:
    """A mail with its headers, for a sendmail command.

    Only a text that is not ASCII says what it is made of: the others stay as they always were.
    """
    mime = "" if body.isascii() else _MIME
    return f"To: {recipient}\nSubject: {subject}\n{mime}\n{body}"


def send_by_command(command: str, message: str) -> None:
    """Hand a `letter` to a shell command.  A failure is a line in the log, never an error."""
    try:
        done = subprocess.run(
            command,
            shell=True,
            input=message.encode("utf-8", "surrogateescape"),
            # Some mailers report success in words; READY and RESULT must stay alone on stdout.
            stdout=sys.stderr.fileno(),
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"Error sending email: {error}")
        return
    if done.returncode:
        say(f"Error sending email: {command!r} ended with status {done.returncode}")


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server, and who writes to whom.  `host` may be `host:port`."""

    host: str
    sender: str
    recipients: tuple[str, ...]
    subject: str | None
    user: str = ""
    password: str = ""
    tls: bool = False

    def send(self, body: str) -> None:
        """Send one mail.  Raises OSError (smtplib's errors are such, too) if nobody gets it."""
        # Half of a listener's memory, and most of them never send this way.
        import smtplib
        from email.mime.text import MIMEText
        from email.utils import formatdate, make_msgid

        message = MIMEText(body.encode("utf-8", "replace").decode())
        if self.subject is not None:
            message["Subject"] = self.subject
        message["From"] = self.sender
        message["To"] = ", ".join(self.recipients)
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid()
        with smtplib.SMTP(self.host, timeout=_SMTP_PATIENCE) as server:
            if self.tls:
                server.starttls()
            if self.user and self.password:
                server.login(self.user, self.password)
            refused = server.sendmail(self.sender, self.recipients, message.as_string())
        for address, (code, reason) in refused.items():
            why = f"{code} {reason.decode('utf-8', 'replace')}"
            say(f"Error sending email: {address} refused: {why}")
