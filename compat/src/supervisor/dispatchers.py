"""What result handlers raise, and the standard one."""

from __future__ import annotations

from supervisor.absent import absent

__getattr__ = absent(__name__)


class RejectEvent(Exception):
    """Raised by a result handler: the event is to come again."""


def default_handler(event: object, response: bytes) -> None:
    """Accept `OK`.  Raises RejectEvent for anything else."""
    if response != b"OK":
        raise RejectEvent(response)
