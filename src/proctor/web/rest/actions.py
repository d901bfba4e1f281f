"""/actions: the same for several processes at once, or for all.

Each answers 200 with what became of every process; there is a fault in the result of one that
could not do it.
"""

from __future__ import annotations

from proctor.api.documents import Results
from proctor.core.faults import FaultCode
from proctor.core.names import make_namespec
from proctor.web.parameters import Kind, Parameter
from proctor.web.rest import results
from proctor.web.rest.processes import SIGNAL, WAIT, restarted, signal_of
from proctor.web.routes import Answer, Call, Route

_WHICH = (
    Parameter(
        "names", Kind.TEXTS, "Ids of processes; `group:*` for all of a group.", most=10_000,
        example=["web", "group:*"],
    ),
    Parameter("all", Kind.FLAG, "Every process, instead of `names`.", default=False),
)  # fmt: skip


async def start_many(call: Call) -> Answer:
    """Start these."""
    names, wait = _chosen(call), call.flag("wait")
    if names is None:
        return results.document(await call.service.start_all_processes(wait))
    return await results.of_many(names, lambda name: call.service.start_process(name, wait))


async def stop_many(call: Call) -> Answer:
    """Stop these."""
    names, wait = _chosen(call), call.flag("wait")
    if names is None:
        return results.document(await call.service.stop_all_processes(wait))
    return await results.of_many(names, lambda name: call.service.stop_process(name, wait))


async def restart_many(call: Call) -> Answer:
    """Stop these, then start them; with `all`, everything is down before anything starts."""
    names, wait = _chosen(call), call.flag("wait")
    if names is not None:
        return await results.of_many(names, lambda name: restarted(call.service, name, wait))
    stopped = await call.service.stop_all_processes(True)
    failed = [result for result in stopped if result.status != FaultCode.SUCCESS]
    return results.document([*failed, *await call.service.start_all_processes(wait)])


async def signal_many(call: Call) -> Answer:
    """Signal these."""
    names, signal = _chosen(call), signal_of(call)
    if names is None:
        return results.document(await call.service.signal_all_processes(signal))
    return await results.of_many(names, lambda name: call.service.signal_process(name, signal))


async def clear_many(call: Call) -> Answer:
    """Empty the logs of these."""
    names = _chosen(call)
    if names is None:
        return results.document(await call.service.clear_all_process_logs())
    found = await call.service.view_processes(names)
    ids = [make_namespec(each["group"], each["name"]) for each in found["processes"]]
    return await results.of_many(ids, call.service.clear_process_logs)


def _chosen(call: Call) -> list[str] | None:
    return results.chosen(call.texts("names"), call.flag("all"))


ROUTES = (
    Route(
        "POST", "/api/v1/actions/start", start_many, "Start several processes", Results,
        ("start_process", "start_all_processes"), body=(*_WHICH, WAIT),
    ),
    Route(
        "POST", "/api/v1/actions/stop", stop_many, "Stop several processes", Results,
        ("stop_process", "stop_all_processes"), body=(*_WHICH, WAIT),
    ),
    Route(
        "POST", "/api/v1/actions/restart", restart_many, "Restart several processes", Results,
        ("stop_process", "start_process", "stop_all_processes", "start_all_processes"),
        body=(*_WHICH, WAIT),
    ),
    Route(
        "POST", "/api/v1/actions/signal", signal_many, "Signal several processes", Results,
        ("signal_process", "signal_all_processes"), body=(*_WHICH, SIGNAL),
    ),
    Route(
        "POST", "/api/v1/actions/clear-logs", clear_many, "Empty the logs of several processes",
        Results, ("clear_process_logs", "clear_all_process_logs"), body=_WHICH,
    ),
)  # fmt: skip
