"""/why, /history and /output of a process, and the history of all, from the journal."""

from __future__ import annotations

import time
from typing import cast

from proctor.api.documents import ExplanationView, RunList, RunOutputView, RunView
from proctor.web.parameters import Kind, Parameter
from proctor.web.routes import Answer, Call, Route


async def get_why(call: Call) -> Answer:
    """Why it is as it is."""
    explanation = await call.service.why(call.text("name"))
    return cast(ExplanationView, explanation.as_struct())


async def get_history(call: Call) -> Answer:
    """Its runs."""
    return await _runs(call, call.text("name"))


async def list_history(call: Call) -> Answer:
    """The runs of all processes."""
    return await _runs(call, "")


async def _runs(call: Call, name: str) -> RunList:
    since = float(call.number("since"))
    runs = await call.service.history(name, since, call.number("limit"))
    now = time.time()
    return {"runs": [cast(RunView, run.as_struct(now)) for run in runs]}


async def get_run_output(call: Call) -> Answer:
    """What a run wrote."""
    name, run, channel = call.text("name"), call.number("run"), call.text("channel")
    found = await call.service.run_output(name, run, channel)
    return cast(RunOutputView, found.as_struct())


_WHICH = (
    Parameter(
        "since", Kind.WHOLE, "Only runs that went on then or later, by seconds since 1970.",
        default=0, low=0, high=2**53,
    ),
    Parameter("limit", Kind.WHOLE, "At most so many runs.", default=100, low=1, high=1000),
)  # fmt: skip


ROUTES = (
    Route(
        "GET", "/api/v1/processes/{name}/why", get_why,
        "Why a process is in its state, and what led to it", ExplanationView, ("why",),
    ),
    Route(
        "GET", "/api/v1/processes/{name}/history", get_history,
        "The latest runs of a process, or of `group:*`; oldest first", RunList, ("history",),
        _WHICH,
    ),
    Route(
        "GET", "/api/v1/history", list_history, "The latest runs of all processes; oldest first",
        RunList, ("history",), _WHICH,
    ),
    Route(
        "GET", "/api/v1/processes/{name}/output", get_run_output,
        "What a run of a process wrote, at most its last MiB", RunOutputView, ("run_output",),
        (
            Parameter(
                "run", Kind.WHOLE,
                "0 for the latest run, -1 for the one before; else a number that `history` tells.",
                default=0, low=-(2**53), high=2**53,
            ),
            Parameter(
                "channel", Kind.TEXT, "Which of the two.", default="stdout",
                choices=("stdout", "stderr"),
            ),
        ),
    ),
)  # fmt: skip
