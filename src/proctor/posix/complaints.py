"""Complaints: what goes wrong with places for output, said once an interval and not once a line."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable

from proctor.core.values import dataclass

INTERVAL = 60.0


@dataclass(slots=True)
class _Trouble:
    """`told`: the last line about it said that something is wrong."""

    said_at: float = -math.inf
    told: bool = False
    lost: int = 0

    def may_be_told(self) -> bool:
        """Whether the last line is so long ago; if so, it is told now."""
        now = time.monotonic()
        if now - self.said_at < INTERVAL:
            return False
        self.said_at, self.told = now, True
        return True


class Complaints:
    """`say` gets each text.  Places go by their names, so a restarted program is not a new one."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._troubles: defaultdict[str, _Trouble] = defaultdict(_Trouble)
        self._said: dict[str, float] = {}

    def failed(self, name: str, error: OSError) -> None:
        """Nothing can be written to `name` now."""
        trouble = self._troubles[name]
        if trouble.may_be_told():
            lost = f" ({trouble.lost} bytes lost so far)" if trouble.lost else ""
            self._say(f"cannot write to {name}: {error.strerror}; will try again{lost}")

    def lost(self, name: str, count: int) -> None:
        """Output for `name` was given up.  How much in all is told when it works again."""
        trouble = self._troubles[name]
        if not trouble.told and trouble.may_be_told():
            self._say(f"{name} takes no more output; some is lost")
        trouble.lost += count

    def works(self, name: str) -> None:
        """Something was written to `name`."""
        trouble = self._troubles.get(name)
        if trouble is not None and trouble.told:
            self._say(f"can write to {name} again; {trouble.lost} bytes lost")
            trouble.told, trouble.lost = False, 0

    def rarely(self, text: str) -> None:
        """Say this, but not again within the interval."""
        now = time.monotonic()
        if now - self._said.get(text, -INTERVAL) >= INTERVAL:
            self._said[text] = now
            self._say(text)
