"""crashsms: crashmailbatch in few words, for mail gateways that send short messages.

Source: compat superlance.md, section 3.
"""

from __future__ import annotations

import sys

from proctor.listeners.loop import Event, asctime
from proctor.listeners.state_monitor import Kind, run


def _line(event: Event) -> str | None:
    if not event.is_unexpected_exit:
        return None
    facts = event.fields
    who = f"[{facts['groupname']}:{facts['processname']}]({facts['pid']})"
    return f"{who} exited unexpectedly {asctime()}"


KIND = Kind(
    program="crashsms",
    purpose="Gathers unexpected exits of processes into short mails without a subject, for a "
    "gateway to text messages.  An event listener for supervisord; subscribe it to "
    "PROCESS_STATE_EXITED and TICK_60.",
    line=_line,
    subject=None,
    # A log does not fit into a text message.
    tail=0,
)


def main(argv: list[str] | None = None) -> int:
    """The command."""
    return run(KIND, argv)


if __name__ == "__main__":
    sys.exit(main())
