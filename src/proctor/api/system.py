"""The daemon itself: who it is, how it is, and its end."""

from __future__ import annotations

from proctor.api.configuration import ConfigurationRoom
from proctor.core.events import RemoteCommunication
from proctor.core.states import SupervisorState
from proctor.core.upgrades import UpgradeNews
from proctor.core.version import PROCTOR_VERSION

API_VERSION = "3.0"


class System(ConfigurationRoom):
    """Questions and orders that concern no single process."""

    async def get_api_version(self) -> str:
        """The version of this interface that clients check."""
        self._require_running()
        return API_VERSION

    async def get_supervisor_version(self) -> str:
        """The version of Supervisor that we stand for."""
        self._require_running()
        return self.context.version

    async def get_identification(self) -> str:
        """The configured identifier."""
        self._require_running()
        return self.context.configuration.value.daemon.identifier

    async def get_warnings(self) -> list[str]:
        """What is wrong with how the daemon was set up, a line each; works in any state.

        Now: servers that others can reach and that ask for no login (scenarios.md, section 1, rule
        2).
        """
        return self._warnings()

    async def get_state(self) -> SupervisorState:
        """What the daemon is doing: RUNNING, anything else is refused with SHUTDOWN_STATE."""
        self._require_running()
        return self.supervisor.mood

    async def get_pid(self) -> int:
        """The pid that users know us by."""
        self._require_running()
        return self.context.pid

    async def shutdown(self) -> bool:
        """Begin to stop everything, then end."""
        self._require_running()
        self.context.shutdown()
        return True

    async def restart(self) -> bool:
        """Begin to stop everything, then start again from the files.

        They are read first: CANT_REREAD when they have mistakes, or ask for another user or a
        server address that is taken, and nothing stops (gotcha G9).
        """
        self._require_running()
        new = await self._reread()
        self._require_running()
        self.context.restart(new)
        return True

    async def get_proctor_version(self) -> str:
        """Our own version."""
        self._require_running()
        return PROCTOR_VERSION

    async def upgrade(self) -> UpgradeNews:
        """Make room for the version that is installed now; no program notices.

        Answers when that version was tried out; the hand-over follows at once.  Ask `upgraded` with
        the ticket how it went.  Raises FAILED with the reason when nothing came of it.
        """
        self._require_running()
        return await self.context.upgrade()

    async def upgraded(self, ticket: str) -> UpgradeNews:
        """How an upgrade went; PENDING as long as that is open."""
        self._require_running()
        return self.context.upgrade_told(ticket)

    async def send_remote_comm_event(self, type: str, data: str) -> bool:
        """Publish a message to whoever listens for REMOTE_COMMUNICATION.  Works in any state."""
        self.supervisor.bus.publish(RemoteCommunication(type, data))
        return True
