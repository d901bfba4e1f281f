"""/processes: look at them, start, stop, restart, signal and feed one of them.

`{name}` is the `id` of a process; for the actions `group:*` too.
"""

from __future__ import annotations

from proctor.api.documents import Done, ProcessConfiguration, ProcessList, ProcessView, Results
from proctor.api.service import Service
from proctor.core.faults import Fault, FaultCode
from proctor.core.info import ActionResult
from proctor.core.states import ProcessState
from proctor.web.parameters import Kind, Parameter
from proctor.web.rest import results
from proctor.web.routes import Answer, Call, Route

WAIT = Parameter(
    "wait", Kind.FLAG, "Answer when it is done, and tell how it went.", default=True
)  # fmt: skip
SIGNAL = Parameter(
    "signal", Kind.TEXT_OR_WHOLE, "Name or number: HUP, SIGUSR1, 15.", required=True, most=20,
    example="HUP",
)  # fmt: skip
_USAGE = Parameter(
    "usage", Kind.FLAG, "Also tell what they use at the moment.", default=False
)  # fmt: skip
_STATES = tuple(state.name for state in ProcessState)


async def list_processes(call: Call) -> Answer:
    """All processes, or some of them."""
    states = call.texts("state")
    return await call.service.view_processes(call.texts("name"), states, call.flag("usage"))


async def get_process(call: Call) -> Answer:
    """One process."""
    return await call.service.view_process(call.text("name"), call.flag("usage"))


async def get_process_configuration(call: Call) -> Answer:
    """The effective configuration of one process."""
    return await call.service.view_configuration(call.text("name"))


async def start_process(call: Call) -> Answer:
    """Start it."""
    wait = call.flag("wait")
    return await results.of_one(
        call.text("name"), lambda name: call.service.start_process(name, wait)
    )


async def stop_process(call: Call) -> Answer:
    """Stop it."""
    wait = call.flag("wait")
    return await results.of_one(
        call.text("name"), lambda name: call.service.stop_process(name, wait)
    )


async def restart_process(call: Call) -> Answer:
    """Stop it if it runs, then start it."""
    wait = call.flag("wait")
    return await results.of_one(call.text("name"), lambda name: restarted(call.service, name, wait))


async def signal_process(call: Call) -> Answer:
    """Send it a signal."""
    signal = signal_of(call)
    return await results.of_one(
        call.text("name"), lambda name: call.service.signal_process(name, signal)
    )


async def send_stdin(call: Call) -> Answer:
    """Write to its stdin."""
    await call.service.send_process_stdin(call.text("name"), call.text("data"))
    return results.DONE


async def clear_process_logs(call: Call) -> Answer:
    """Empty its logs."""
    await call.service.clear_process_logs(call.text("name"))
    return results.DONE


async def restarted(service: Service, name: str, wait: bool) -> bool | list[ActionResult]:
    """Stop what runs and start it again; `wait` is about the start.  Raises Fault."""
    try:
        stopped = await service.stop_process(name, True)
    except Fault as fault:
        if fault.code != FaultCode.NOT_RUNNING:
            raise
        stopped = True
    started = await service.start_process(name, wait)
    if isinstance(started, bool) or isinstance(stopped, bool):
        return started
    failed = [result for result in stopped if result.status != FaultCode.SUCCESS]
    return [*failed, *started]


def signal_of(call: Call) -> str | int:
    """The signal of a body."""
    value = call.body["signal"]
    assert isinstance(value, (str, int))
    return value


ROUTES = (
    Route(
        "GET", "/api/v1/processes", list_processes, "All processes", ProcessList,
        ("view_processes",),
        (
            Parameter("name", Kind.TEXTS, "Only these: ids and `group:*`, separated by commas."),
            Parameter("state", Kind.TEXTS, "Only those in these states.", choices=_STATES),
            _USAGE,
        ),
    ),
    Route(
        "GET", "/api/v1/processes/{name}", get_process, "One process", ProcessView,
        ("view_process",), (_USAGE,),
    ),
    Route(
        "GET", "/api/v1/processes/{name}/configuration", get_process_configuration,
        "The effective configuration of one process", ProcessConfiguration,
        ("view_configuration",),
    ),
    Route(
        "POST", "/api/v1/processes/{name}/start", start_process, "Start a process", Results,
        ("start_process",), body=(WAIT,),
    ),
    Route(
        "POST", "/api/v1/processes/{name}/stop", stop_process, "Stop a process", Results,
        ("stop_process",), body=(WAIT,),
    ),
    Route(
        "POST", "/api/v1/processes/{name}/restart", restart_process,
        "Stop a process if it runs, then start it", Results, ("stop_process", "start_process"),
        body=(WAIT,),
    ),
    Route(
        "POST", "/api/v1/processes/{name}/signal", signal_process, "Send a process a signal",
        Results, ("signal_process",), body=(SIGNAL,),
    ),
    Route(
        "POST", "/api/v1/processes/{name}/stdin", send_stdin, "Write to the stdin of a process",
        Done, ("send_process_stdin",),
        body=(Parameter("data", Kind.TEXT, "Text, sent as UTF-8.", required=True),),
    ),
    Route(
        "DELETE", "/api/v1/processes/{name}/logs", clear_process_logs,
        "Empty both logs of a process", Done, ("clear_process_logs",),
    ),
)  # fmt: skip
