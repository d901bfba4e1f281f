"""Result handlers: what a listener's answer means for its event.

A handler is `handler(event, response)` with the response as bytes: it returns, and the event is
done; raises RejectEvent, and it is to come again; raises anything else, and the listener is not to
be trusted any more.  The standard one accepts `OK`.  Source: compat events.md, section 4;
plugins.md, section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from proctor.core.envelope import ACCEPTED
from proctor.core.values import dataclass
from proctor.duties.pools.pool import Letter

Handler = Callable[["DeliveredEvent", bytes], object]


class Verdict(Enum):
    """What became of an event."""

    PROCESSED = "processed"
    REJECTED = "rejected"
    ERROR = "error"


_PROCESSED, _REJECTED = (Verdict.PROCESSED, ""), (Verdict.REJECTED, "")


@dataclass(frozen=True, slots=True)
class DeliveredEvent:
    """What a handler is told of the event: its serial, its name, and its text by `payload()`."""

    serial: int
    name: str
    text: str

    def payload(self) -> str:
        """What the listener read after the header line."""
        return self.text

    def __str__(self) -> str:
        return self.text


def judge(handler: Handler | None, letter: Letter, response: bytes) -> tuple[Verdict, str]:
    """The verdict of a handler (None: the standard one), and what went wrong with it."""
    if handler is None:
        return _PROCESSED if response == ACCEPTED else _REJECTED
    event = DeliveredEvent(letter.serial, letter.eventname, letter.payload)
    try:
        handler(event, response)
    except Exception as error:  # whatever a plug-in raises is its verdict
        if _is_rejection(error):
            return _REJECTED
        return Verdict.ERROR, repr(error)
    return _PROCESSED


def _is_rejection(error: Exception) -> bool:
    # By name: plug-ins raise the RejectEvent of the compatibility package, which we never import.
    return any(kind.__name__ == "RejectEvent" for kind in type(error).__mro__)
