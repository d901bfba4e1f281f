"""Remains: what is to be done about those that come from a process when it has ended itself.

Rules:
1. They are asked to end by the process's stop signal, unless a stop has asked them already.
2. Who is there after stopwaitsecs (counted from the stop, if there was one) gets SIGKILL, again
   every second.
3. Who is there a second after the third SIGKILL is given up, and named.

Only for kill_mode=tree; the other modes leave them alone, as the original does.
"""

from __future__ import annotations

from proctor.core.spec import StopPolicy
from proctor.core.values import dataclass

SIGKILL = 9
_KILLS = 3
_BETWEEN = 1.0


@dataclass(slots=True)
class Remains:
    """Facts in, the signal to send out: 0 = none, None = give up.  `deadline`: when to `tick`."""

    stop: StopPolicy
    deadline: float = 0.0
    kills: int = 0

    def begin(self, now: float, stopping: bool, due: float | None) -> int:
        """The process has ended; `stopping`: it was asked to, and would be killed at `due`."""
        self.deadline = now + self.stop.stopwaitsecs if due is None else max(now, due)
        return 0 if stopping and self.stop.stopasgroup else self.stop.stopsignal

    def tick(self, now: float) -> int | None:
        """The deadline was reached, and somebody is left."""
        if self.kills == _KILLS:
            return None
        self.kills += 1
        self.deadline = now + _BETWEEN
        return SIGKILL
