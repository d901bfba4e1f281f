"""/daemon: the daemon itself and its end; and what one can tell its listeners."""

from __future__ import annotations

from typing import cast

from proctor.api.documents import DaemonView, Done, UpgradeNewsView
from proctor.web.parameters import Kind, Parameter
from proctor.web.rest import results
from proctor.web.routes import Answer, Call, Route


async def get_daemon(call: Call) -> Answer:
    """Who it is and how it is."""
    return await call.service.view_daemon()


async def shutdown(call: Call) -> Answer:
    """Stop everything and end."""
    await call.service.shutdown()
    return results.DONE


async def restart(call: Call) -> Answer:
    """Stop everything and begin again."""
    await call.service.restart()
    return results.DONE


async def upgrade(call: Call) -> Answer:
    """Make room for the version that is installed now."""
    return cast(UpgradeNewsView, (await call.service.upgrade()).as_struct())


async def get_upgrade(call: Call) -> Answer:
    """How an upgrade went."""
    return cast(UpgradeNewsView, (await call.service.upgraded(call.text("ticket"))).as_struct())


async def clear_daemon_log(call: Call) -> Answer:
    """Empty its log."""
    await call.service.clear_log()
    return results.DONE


async def send_event(call: Call) -> Answer:
    """Tell event listeners something."""
    await call.service.send_remote_comm_event(call.text("type"), call.text("data"))
    return results.DONE


ROUTES = (
    Route("GET", "/api/v1/daemon", get_daemon, "The daemon itself", DaemonView, ("view_daemon",)),
    Route(
        "POST", "/api/v1/daemon/shutdown", shutdown, "Begin to stop everything, then end", Done,
        ("shutdown",), body=(),
    ),
    Route(
        "POST", "/api/v1/daemon/restart", restart,
        "Begin to stop everything, then start again from the files", Done, ("restart",), body=(),
    ),
    Route(
        "POST", "/api/v1/daemon/upgrade", upgrade,
        "Hand over to the version that is installed now; no program notices", UpgradeNewsView,
        ("upgrade",), body=(),
    ),
    Route(
        "GET", "/api/v1/daemon/upgrade/{ticket}", get_upgrade, "How an upgrade went",
        UpgradeNewsView, ("upgraded",),
    ),
    Route(
        "DELETE", "/api/v1/daemon/log", clear_daemon_log, "Empty the daemon's own log", Done,
        ("clear_log",),
    ),
    Route(
        "POST", "/api/v1/events", send_event,
        "Tell event listeners that hear REMOTE_COMMUNICATION something", Done,
        ("send_remote_comm_event",),
        body=(
            Parameter("type", Kind.TEXT, "What it is about.", required=True),
            Parameter("data", Kind.TEXT, "What to tell.", default=""),
        ),
    ),
)  # fmt: skip
