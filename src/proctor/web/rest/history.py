"""/why and /history of a process, from the journal."""

from __future__ import annotations

import time
from typing import cast

from proctor.api.documents import ExplanationView, RunList, RunView
from proctor.web.parameters import Kind, Parameter
from proctor.web.routes import Answer, Call, Route


async def get_why(call: Call) -> Answer:
    """Why it is as it is."""
    explanation = await call.service.why(call.text("name"))
    return cast(ExplanationView, explanation.as_struct())


async def get_history(call: Call) -> Answer:
    """Its runs."""
    runs = await call.service.history(call.text("name"), 0.0, call.number("limit"))
    now = time.time()
    document: RunList = {"runs": [cast(RunView, run.as_struct(now)) for run in runs]}
    return document


ROUTES = (
    Route(
        "GET", "/api/v1/processes/{name}/why", get_why,
        "Why a process is in its state, and what led to it", ExplanationView, ("why",),
    ),
    Route(
        "GET", "/api/v1/processes/{name}/history", get_history,
        "The latest runs of a process, or of `group:*`; oldest first", RunList, ("history",),
        (
            Parameter(
                "limit", Kind.WHOLE, "At most so many runs.", default=100, low=1, high=1000
            ),
        ),
    ),
)  # fmt: skip
