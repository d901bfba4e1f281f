"""A line in the main log for each change that somebody outside asked for: who, what, and its fate.

`audit: alice from 10.0.0.7:51034: stop_process web: OK`.  Written when it is decided, so a waiting
call leaves its line when the wait is over.  Nothing is throttled; what was sent to a program, and
every other value that may be a secret, is left out.  What the daemon does by itself and what
signals ask for has lines of its own.  Source: scenarios.md, section 1, rule 9.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from proctor.api.access import caller
from proctor.core.caller import How
from proctor.core.faults import Fault
from proctor.core.info import ActionResult
from proctor.daemon.activity_log import ActivityLog


class Entry:
    """What became of it; `answered` tells, until then it is not finished."""

    fate = "given up by the caller"

    def answered(self, answer: object) -> None:
        """It was done, at least for some."""
        results = answer if isinstance(answer, list) else ()
        fates = Counter(each.description for each in results if isinstance(each, ActionResult))
        self.fate = ", ".join(f"{number} {fate}" for fate, number in fates.items()) or "OK"


@contextmanager
def audited(log: ActivityLog, what: str) -> Iterator[Entry]:
    """Around the doing of `what`: the line is written whichever way the block is left."""
    entry = Entry()
    if caller().how in (How.DAEMON, How.SIGNAL):
        yield entry
        return
    try:
        yield entry
    except Fault as fault:
        entry.fate = fault.text
        raise
    except Exception as error:
        entry.fate = f"failed: {type(error).__name__}"
        raise
    finally:
        log.info(f"audit: {caller().described()}: {what[:200]}: {entry.fate[:500]}")
