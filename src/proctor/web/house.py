"""What all connections of a daemon share, and how much of it each of them may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from proctor.core.values import dataclass
from proctor.daemon.activity_log import ActivityLog
from proctor.web.complaints import Complaints
from proctor.web.request import AsgiApp

if TYPE_CHECKING:
    from proctor.web.connection import Connection


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, bytes and numbers of connections."""

    head: int = 64 * 1024
    ahead: int = 256 * 1024
    bodies: int = 64 * 1024 * 1024
    connections: int = 512
    kept_for_unix: int = 64
    per_peer: int = 256
    # Long: interactive clients, also the original's, do not expect to be cut off.
    idle_timeout: float = 3600.0
    head_timeout: float = 30.0
    body_timeout: float = 60.0
    write_timeout: float = 60.0
    linger: float = 2.0


class House(Protocol):
    """What all connections share."""

    app: AsgiApp
    log: ActivityLog
    limits: Limits
    complaints: Complaints

    def admit(self, newcomer: Connection) -> bool:
        """Whether there is a slot for it."""

    def may_bring(self, size: int) -> bool:
        """Whether there is memory for a body of this size."""

    def leave(self, connection: Connection) -> None:
        """Its slot is free again."""
