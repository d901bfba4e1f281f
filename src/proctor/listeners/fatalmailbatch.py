"""fatalmailbatch: processes that were given up, gathered into one mail per interval.

Source: compat superlance.md, section 3.
"""

from __future__ import annotations

import sys

from proctor.listeners.loop import Event, asctime
from proctor.listeners.state_monitor import Kind, run


def _line(event: Event) -> str | None:
    if event.name != "PROCESS_STATE_FATAL":
        return None
    facts = event.fields
    who = f"{facts['groupname']}:{facts['processname']}"
    return f"{asctime()} -- Process {who} failed to start too many times"


KIND = Kind(
    program="fatalmailbatch",
    purpose="Gathers processes that supervisord gave up starting and mails them once per "
    "interval.  An event listener; subscribe it to PROCESS_STATE_FATAL and TICK_60.",
    line=_line,
    subject="Fatal start alert from supervisord",
)


def main(argv: list[str] | None = None) -> int:
    """The command."""
    return run(KIND, argv)


if __name__ == "__main__":
    sys.exit(main())
