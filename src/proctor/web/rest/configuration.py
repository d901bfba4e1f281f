"""/configuration: what is configured, what the files say differently, and taking that over."""

from __future__ import annotations

from typing import cast

from proctor.api.documents import ConfigurationList, PlanView, Reread
from proctor.core.changes import Plan
from proctor.web.routes import Answer, Call, Route


async def get_configuration(call: Call) -> Answer:
    """What is configured."""
    document: ConfigurationList = {"processes": await call.service.get_all_config_info()}
    return document


async def reread(call: Call) -> Answer:
    """Read the files again."""
    added, changed, removed = await call.service.reload_config()
    document: Reread = {"added": added, "changed": changed, "removed": removed}
    return document


async def diff(call: Call) -> Answer:
    """What `apply` would do."""
    return _view(await call.service.diff())


async def apply(call: Call) -> Answer:
    """Take over what differs."""
    return _view(await call.service.apply())


def _view(plan: Plan) -> PlanView:
    return cast(PlanView, plan.as_struct())


ROUTES = (
    Route(
        "GET", "/api/v1/configuration", get_configuration,
        "What is configured for every process, active or not", ConfigurationList,
        ("get_all_config_info",),
    ),
    Route(
        "GET", "/api/v1/configuration/diff", diff,
        "Read the files and say what `apply` would do; nothing is changed", PlanView, ("diff",),
    ),
    Route(
        "POST", "/api/v1/configuration/apply", apply,
        "Read the files and take over what differs, and nothing else; answers when it is done",
        PlanView, ("apply",), body=(),
    ),
    Route(
        "POST", "/api/v1/configuration/reread", reread,
        "Read the files again; which groups differ from what is active.  Nothing is touched yet",
        Reread, ("reload_config",), body=(),
    ),
)  # fmt: skip
