"""Complaints: what goes wrong with places for output, said once an interval and not once a line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

INTERVAL = 60.0


@dataclass(slots=True)
class _Trouble:
    said_at: float
    lost: int = 0


class Complaints:
    """`say` gets each text.  Places go by their names, so a restarted program is not a new one."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._troubles: dict[str, _Trouble] = {}
        self._said: dict[str, float] = {}

    def failed(self, name: str, error: OSError) -> None:
        """Nothing can be written to `name` now."""
        now = time.monotonic()
        trouble = self._troubles.get(name)
        if trouble is None:
            trouble = self._troubles[name] = _Trouble(now)
        elif now - trouble.said_at < INTERVAL:
            return
        trouble.said_at = now
        lost = f" ({trouble.lost} bytes lost so far)" if trouble.lost else ""
        self._say(f"cannot write to {name}: {error.strerror}; will try again{lost}")

    def lost(self, name: str, count: int) -> None:
        """Output for `name` was given up.  How much in all is told when it works again."""
        if name not in self._troubles:
            self._troubles[name] = _Trouble(time.monotonic())
            self._say(f"{name} takes no more output; some is lost")
        self._troubles[name].lost += count

    def works(self, name: str) -> None:
        """Something was written to `name`."""
        trouble = self._troubles.pop(name, None) if self._troubles else None
        if trouble is not None:
            self._say(f"can write to {name} again; {trouble.lost} bytes lost")

    def rarely(self, text: str) -> None:
        """Say this, but not again within the interval."""
        now = time.monotonic()
        if now - self._said.get(text, -INTERVAL) >= INTERVAL:
            self._said[text] = now
            self._say(text)
