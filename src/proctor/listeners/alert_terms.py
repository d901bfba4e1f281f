"""What alerts are made of: kinds, rules that say whose trouble is told, and notices.

Times are seconds since the epoch.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from proctor.core.names import make_namespec
from proctor.core.values import dataclass

# What a notice is about: its life, its memory and its health are troubles of their own, and one may
# end while another goes on.
LIFE = "life"


class Kind(StrEnum):
    """What can be told."""

    EXITED = "exited"
    FLAPPING = "flapping"
    FATAL = "fatal"
    MEMORY = "memory"
    HEALTH = "health"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of every day, in local time, as minutes since midnight; they may span midnight."""

    begin: int
    end: int

    def ends(self, now: float) -> float | None:
        """When the quiet hours that hold now will end; None when they do not hold."""
        at = datetime.fromtimestamp(now)
        minute = at.hour * 60 + at.minute
        inside = self.begin <= minute < self.end
        if self.begin > self.end:
            inside = minute >= self.begin or minute < self.end
        if not inside:
            return None
        end = at.replace(hour=self.end // 60, minute=self.end % 60, second=0, microsecond=0)
        if self.end <= minute:
            end += timedelta(days=1)
        # By way of local time, so that it is right on the days when clocks change.
        return max(end.timestamp(), now + 1)


@dataclass(frozen=True, slots=True)
class Rule:
    """Whose trouble of which kind is told, and how it is gathered."""

    name: str
    programs: tuple[str, ...] = ("*",)
    kinds: frozenset[Kind] = frozenset(Kind)
    batch: float = 10.0
    quiet: Quiet | None = None

    def covers(self, process: str) -> bool:
        """Whether a pattern fits `group:name`, the group, or the short name."""
        group, _, name = process.partition(":")
        names = (process, group, make_namespec(group, name))
        return any(fnmatchcase(each, glob) for each in names for glob in self.programs)


@dataclass(frozen=True, slots=True)
class Patience:
    """Flapping is `failures` within `window`; steady and remind as in the options."""

    failures: int = 5
    window: float = 600.0
    steady: float = 10.0
    remind: float = 14400.0


@dataclass(slots=True)
class Notice:
    """One thing to tell.  `facts` are what the daemon said about it; None: not asked yet.

    `queued` is when its batch window began, `when` when it happened, `since` when the incident
    began; `uptime` is in seconds, None when nobody knows.
    """

    rule: str
    process: str
    kind: str
    queued: float
    when: float
    since: float
    count: int
    restarts: int
    about: str = LIFE
    uptime: float | None = None
    detail: str = ""
    facts: dict[str, str] | None = None
