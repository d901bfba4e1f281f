"""Every deliberate difference between the original and ours that a differential test can see.

Each names the gotcha (or decision) that allows it; the tests refuse any other difference, and any
entry here that no longer is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Difference:
    """Where (`topic` of the test and a pattern for its entries), why, and what ours must look like.

    `ours` is a regular expression, searched in the text of our outcome.
    """

    topic: str
    key: str
    gotcha: str
    reason: str
    ours: str = ""

    def covers(self, topic: str, key: str) -> bool:
        """Whether this entry of this test may differ."""
        return topic == self.topic and fnmatchcase(key, self.key)


DIFFERENCES: tuple[Difference, ...] = ()
