"""The base of crashmailbatch, fatalmailbatch and crashsms: gather lines, mail them at ticks.

1. Each tick of the chosen kind adds its seconds to a counter.  When the counter reaches the
   interval, it starts again at nothing and what has gathered goes out as one mail; so the interval
   runs from the last time, not from the first line, and is rounded up to ticks.
2. A mail that fails keeps its lines for the next interval (S11).  Of these there are at most
   `MOST_LINES`: the oldest go first, and the log says how many.
3. Logs are read when the line is written, before a restart adds to them; one per program.

Source: compat superlance.md, section 3.
"""

from __future__ import annotations

import optparse
import re
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import field

from proctor.core.values import dataclass
from proctor.listeners.commandline import add_log_tail
from proctor.listeners.logtail import DEFAULT_BYTES, log_tail
from proctor.listeners.loop import Event, is_supervised, listen, say
from proctor.listeners.mail import Smtp

MOST_LINES = 1000
MOST_TAILS = 20

_SHOWN = 76


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes one of the commands: which events it reports and in which words."""

    program: str
    purpose: str
    line: Callable[[Event], str | None]
    subject: str | None
    tail: int = DEFAULT_BYTES


@dataclass(slots=True)
class StateMonitor:
    """Gathers lines between two mails; `interval` is in minutes."""

    kind: Kind
    smtp: Smtp
    interval: float
    tick: str
    tail: int
    _waited: float = 0.0
    _lines: deque[str] = field(default_factory=deque)
    _tails: dict[tuple[str, str], str] = field(default_factory=dict)

    def handle(self, event: Event) -> None:
        """Note a line, or let time pass, or neither."""
        line = self.kind.line(event)
        if line is not None:
            say(line)
            self._note(line, event.fields)
        if event.name == self.tick:
            self._waited += tick_seconds(self.tick) / 60
            if self._waited >= self.interval:
                self._waited = 0.0
                self._flush()

    def _note(self, line: str, facts: dict[str, str]) -> None:
        self._lines.append(line)
        program = facts["groupname"], facts["processname"]
        self._tails.pop(program, None)
        self._tails[program] = log_tail(*program, self.tail)
        if len(self._tails) > MOST_TAILS:
            del self._tails[next(iter(self._tails))]

    def _flush(self) -> None:
        if not self._lines:
            return
        text = "\n".join(self._lines)
        failure = self._send(text + "".join(self._tails.values()))
        if failure:
            say(f"Error sending email: {failure}")
        recipients = ", ".join(self.smtp.recipients)
        short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        say(
            f"Sending notification email:\nTo: {recipients}\nFrom: {self.smtp.sender}\n"
            f"Subject: {self.smtp.subject}\nBody:\n{short}"
        )
        if failure:
            self._keep()
        else:
            self._lines.clear()
            self._tails.clear()

    def _send(self, text: str) -> str:
        try:
            self.smtp.send(text)
        except (OSError, ValueError) as error:
            return str(error)
        return ""

    def _keep(self) -> None:
        excess = len(self._lines) - MOST_LINES
        if excess > 0:
            say(f"Too many messages are waiting: {excess} of the oldest are lost")
        for _ in range(excess):
            self._lines.popleft()


def tick_seconds(name: str) -> int:
    """60 for TICK_60.  Raises SystemExit for a name that is none."""
    if not re.fullmatch(r"TICK_\d+", name):
        sys.exit(f"Invalid TICK event name: {name}")
    return int(name.removeprefix("TICK_"))


def _parser(kind: Kind) -> optparse.OptionParser:
    parser = optparse.OptionParser(prog=kind.program, description=kind.purpose)
    add = parser.add_option
    add("-i", "--interval", type="float", default=1.0, help="minutes between two mails (1)")
    add("-t", "--toEmail", help="who gets the mails; several are separated by commas")
    add("-f", "--fromEmail", help="who they come from")
    add("-s", "--subject", default=kind.subject, help=f"their subject ({kind.subject or 'none'})")
    add("-H", "--smtpHost", default="localhost", help="mail server, host or host:port (localhost)")
    add("-e", "--tickEvent", default="TICK_60", help="event that counts the time (TICK_60)")
    add("-u", "--userName", default="", help="log in to the mail server as this user")
    add("-p", "--password", default="", help="with this password")
    add("--tls", action="store_true", default=False, help="encrypt the connection (STARTTLS)")
    add_log_tail(parser, kind.tail)
    return parser


def run(kind: Kind, argv: list[str] | None = None) -> int:
    """One of the commands, from its command line on.  Raises SystemExit, too."""
    parser = _parser(kind)
    chosen, _ = parser.parse_args(sys.argv[1:] if argv is None else argv[1:])
    if not chosen.toEmail or not chosen.fromEmail:
        parser.print_help()
        return 1
    tick_seconds(chosen.tickEvent)
    if not is_supervised():
        say("Must run as a supervisor event listener")
        return 1
    recipients = tuple(word.strip() for word in chosen.toEmail.split(",") if word.strip())
    smtp = Smtp(
        chosen.smtpHost,
        chosen.fromEmail,
        recipients,
        chosen.subject,
        chosen.userName,
        chosen.password,
        chosen.tls,
    )
    monitor = StateMonitor(kind, smtp, chosen.interval, chosen.tickEvent, chosen.tail)
    listen(monitor.handle)
