"""How an upgrade goes, as it is told to clients and from one daemon to the next."""

from __future__ import annotations

import json
from enum import Enum

from proctor.core.values import dataclass


class Stage(Enum):
    """Where an upgrade is.  UNKNOWN: whoever answers knows of none with this ticket."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class UpgradeNews:
    """One upgrade.  `ticket` names it; `old` and `new` are versions of Proctor; `reason` says why
    it failed."""

    ticket: str
    stage: Stage
    old: str
    new: str = ""
    reason: str = ""

    def as_struct(self) -> dict[str, object]:
        """For XML-RPC and JSON."""
        return {
            "ticket": self.ticket,
            "stage": self.stage.value,
            "from": self.old,
            "to": self.new,
            "reason": self.reason,
        }

    def to_text(self) -> str:
        """As `from_text` reads it."""
        return json.dumps(self.as_struct())

    @classmethod
    def from_text(cls, text: str) -> UpgradeNews:
        """Raises ValueError, KeyError or TypeError for anything else."""
        told = json.loads(text)
        return cls(told["ticket"], Stage(told["stage"]), told["from"], told["to"], told["reason"])
