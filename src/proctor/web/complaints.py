"""One line in the log for what was refused, however often somebody tries.

Without a bound a hostile client could fill the disk with our own complaints about it.
"""

from __future__ import annotations

import time

from proctor.daemon.activity_log import ActivityLog

INTERVAL = 1.0


class Complaints:
    """At most one line per interval; the next one tells how many were left out."""

    def __init__(self, log: ActivityLog) -> None:
        self._log = log
        self._silent_until = 0.0
        self._unsaid = 0

    def say(self, text: str) -> None:
        """Log a refusal at WARN.  The log escapes what strangers wrote."""
        now = time.monotonic()
        if now < self._silent_until:
            self._unsaid += 1
            return
        more = f" (and {self._unsaid} more before)" if self._unsaid else ""
        self._silent_until, self._unsaid = now + INTERVAL, 0
        self._log.warn(text[:500] + more)
