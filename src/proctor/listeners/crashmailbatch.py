"""crashmailbatch: unexpected exits, gathered into one mail per interval.

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
    who = f"{facts['groupname']}:{facts['processname']} (pid {facts['pid']})"
    return f"{asctime()} -- Process {who} died unexpectedly"


KIND = Kind(
    program="crashmailbatch",
    purpose="Gathers unexpected exits of processes and mails them once per interval.  An event "
    "listener for supervisord; subscribe it to PROCESS_STATE_EXITED and TICK_60.",
    line=_line,
    subject="Crash alert from supervisord",
)


def main(argv: list[str] | None = None) -> int:
    """The command."""
    return run(KIND, argv)


if __name__ == "__main__":
    sys.exit(main())
