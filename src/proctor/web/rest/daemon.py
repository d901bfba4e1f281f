"""/daemon, /configuration: the daemon itself, its end, and the files it was configured by."""

from __future__ import annotations

from proctor.api.documents import ConfigurationList, DaemonView, Done, Reread
from proctor.web.parameters import Kind, Parameter
from proctor.web.routes import Answer, Call, Route


async def get_daemon(call: Call) -> Answer:
    """Who it is and how it is."""
    return await call.service.view_daemon()


async def shutdown(call: Call) -> Answer:
    """Stop everything and end."""
    await call.service.shutdown()
    return _DONE


async def restart(call: Call) -> Answer:
    """Stop everything and begin again."""
    await call.service.restart()
    return _DONE


async def clear_daemon_log(call: Call) -> Answer:
    """Empty its log."""
    await call.service.clear_log()
    return _DONE


async def send_event(call: Call) -> Answer:
    """Tell event listeners something."""
    await call.service.send_remote_comm_event(call.text("type"), call.text("data"))
    return _DONE


async def get_configuration(call: Call) -> Answer:
    """What is configured."""
    document: ConfigurationList = {"processes": await call.service.get_all_config_info()}
    return document


async def reread(call: Call) -> Answer:
    """Read the files again."""
    added, changed, removed = await call.service.reload_config()
    document: Reread = {"added": added, "changed": changed, "removed": removed}
    return document


_DONE: Done = {"ok": True}

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
    Route(
        "GET", "/api/v1/configuration", get_configuration,
        "What is configured for every process, active or not", ConfigurationList,
        ("get_all_config_info",),
    ),
    Route(
        "POST", "/api/v1/configuration/reread", reread,
        "Read the files again; which groups differ from what is active.  Nothing is touched yet",
        Reread, ("reload_config",), body=(),
    ),
)  # fmt: skip
