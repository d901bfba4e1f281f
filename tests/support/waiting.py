"""Waiting for something to become true.  Nothing in the tests sleeps for a fixed time and hopes.

How long is no judgement on speed: it only bounds how long a test that fails takes.  So it is the
same for all, and far beyond what the slowest machine needs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

GENEROUS = 100.0


def until(
    condition: Callable[[], T], what: str | Callable[[], str], seconds: float = GENEROUS
) -> T:
    """Ask `condition` until it answers something true, and return that answer.

    Fails with `what` (a text, or a function that describes the state at the end) after `seconds`.
    An AssertionError or OSError inside the condition counts as "not yet".
    """
    deadline = time.monotonic() + seconds
    pause = 0.01
    while True:
        trouble: Exception | None = None
        try:
            answer = condition()
            if answer:
                return answer
        except (AssertionError, OSError) as error:
            trouble = error
        if time.monotonic() > deadline:
            told = what() if callable(what) else what
            raise AssertionError(f"after {seconds:g} s still not: {told}") from trouble
        time.sleep(pause)
        # Whoever waits long leaves the processor to what it waits for.
        pause = min(pause * 1.1, 0.1)
