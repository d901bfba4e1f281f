"""/groups: the active groups; make one active, take one away, act on all of its processes."""

from __future__ import annotations

from proctor.api.documents import Done, GroupList, GroupView, Results
from proctor.core.faults import FaultCode
from proctor.web.rest import results
from proctor.web.rest.processes import SIGNAL, WAIT, signal_of
from proctor.web.routes import Answer, Call, Route


async def list_groups(call: Call) -> Answer:
    """All of them."""
    groups: GroupList = {"groups": await call.service.view_groups()}
    return groups


async def get_group(call: Call) -> Answer:
    """One of them."""
    return await call.service.view_group(call.text("name"))


async def add_group(call: Call) -> Answer:
    """Make it active."""
    await call.service.add_process_group(call.text("name"))
    return results.DONE


async def remove_group(call: Call) -> Answer:
    """Take it away."""
    await call.service.remove_process_group(call.text("name"))
    return results.DONE


async def update_group(call: Call) -> Answer:
    """Bring it in line with the configuration as last read."""
    return results.document(await call.service.update_process_group(call.text("name")))


async def start_group(call: Call) -> Answer:
    """Start its processes."""
    name, wait = call.text("name"), call.flag("wait")
    return results.document(await call.service.start_process_group(name, wait))


async def stop_group(call: Call) -> Answer:
    """Stop its processes."""
    name, wait = call.text("name"), call.flag("wait")
    return results.document(await call.service.stop_process_group(name, wait))


async def restart_group(call: Call) -> Answer:
    """Stop its processes, then start them."""
    name, wait = call.text("name"), call.flag("wait")
    stopped = await call.service.stop_process_group(name, True)
    failed = [result for result in stopped if result.status != FaultCode.SUCCESS]
    started = await call.service.start_process_group(name, wait)
    return results.document([*failed, *started])


async def signal_group(call: Call) -> Answer:
    """Signal its processes."""
    answer = await call.service.signal_process_group(call.text("name"), signal_of(call))
    return results.document(answer)


ROUTES = (
    Route("GET", "/api/v1/groups", list_groups, "All active groups", GroupList, ("view_groups",)),
    Route(
        "GET", "/api/v1/groups/{name}", get_group, "One active group", GroupView, ("view_group",)
    ),
    Route(
        "PUT", "/api/v1/groups/{name}", add_group, "Make a group of the configuration active",
        Done, ("add_process_group",),
    ),
    Route(
        "DELETE", "/api/v1/groups/{name}", remove_group,
        "Take away a group whose processes all rest", Done, ("remove_process_group",),
    ),
    Route(
        "POST", "/api/v1/groups/{name}/update", update_group,
        "Bring an active group in line with what was read last; only what differs is stopped",
        Results, ("update_process_group",), body=(),
    ),
    Route(
        "POST", "/api/v1/groups/{name}/start", start_group, "Start the processes of a group",
        Results, ("start_process_group",), body=(WAIT,),
    ),
    Route(
        "POST", "/api/v1/groups/{name}/stop", stop_group, "Stop the processes of a group",
        Results, ("stop_process_group",), body=(WAIT,),
    ),
    Route(
        "POST", "/api/v1/groups/{name}/restart", restart_group,
        "Stop the processes of a group, then start them", Results,
        ("stop_process_group", "start_process_group"), body=(WAIT,),
    ),
    Route(
        "POST", "/api/v1/groups/{name}/signal", signal_group, "Signal the processes of a group",
        Results, ("signal_process_group",), body=(SIGNAL,),
    ),
)  # fmt: skip
