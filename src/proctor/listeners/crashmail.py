"""crashmail: a mail for every process that exits unexpectedly.

Source: compat superlance.md, section 2; S1 (`-p` counts), S2 (no address, no mail).
"""

from __future__ import annotations

import sys

from proctor.core.values import dataclass
from proctor.listeners import mail
from proctor.listeners.commandline import Parser
from proctor.listeners.logtail import log_tail
from proctor.listeners.loop import Event, asctime, is_among, is_supervised, listen, say


@dataclass(frozen=True, slots=True)
class CrashMail:
    """The listener; its fields are its options."""

    programs: list[str]
    any: bool
    header: str | None
    sendmail: str
    email: str | None
    tail: int

    def handle(self, event: Event) -> None:
        """Mail if this is a crash that we are to report."""
        if not event.is_unexpected_exit:
            return
        facts = event.fields
        name, group = facts["processname"], facts["groupname"]
        if self.programs and not self.any and not is_among(self.programs, group, name):
            return
        say("unexpected exit, mailing")
        if not self.email:
            return
        body = (
            f"Process {name} in group {group} exited unexpectedly (pid {facts['pid']})"
            f" from state {facts['from_state']}{log_tail(group, name, self.tail)}"
        )
        # Without a header the subject begins with a blank; filters may depend on it.
        prefix = f"{self.header}:" if self.header else ""
        message = mail.letter(self.email, f"{prefix} {name} crashed at {asctime()}", body)
        mail.send_by_command(self.sendmail, message)
        say(f"Mailed:\n\n{message}")


def _parser() -> Parser:
    parser = Parser(
        "crashmail",
        "Sends a mail when a process exits with a code that is not among its exitcodes.  An event "
        "listener for supervisord; subscribe it to PROCESS_STATE_EXITED.",
    )
    parser.several("-p --program", "programs", "NAME", "only this process or group:process")
    parser.switch("-a --any", "any", "every process; the default, and stronger than -p")
    header = "put this, and a colon, in front of the subject"
    parser.single("-o --optionalheader", "header", "TEXT", header)
    parser.mail_options()
    return parser


def main(argv: list[str] | None = None) -> int:
    """The command.  Raises SystemExit, too."""
    chosen, _ = _parser().parse_args(sys.argv[1:] if argv is None else argv[1:])
    if not is_supervised():
        say("crashmail must be run as a supervisor event listener")
        return 0
    listen(CrashMail(**vars(chosen)).handle)


if __name__ == "__main__":
    sys.exit(main())
