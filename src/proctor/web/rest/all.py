"""ROUTES: every row of the JSON API, and the application that answers them."""

from __future__ import annotations

import dataclasses

from proctor.api.service import Service
from proctor.core.faults import Fault, FaultCode
from proctor.web import problem
from proctor.web.complaints import Complaints
from proctor.web.request import Request, Response
from proctor.web.rest import (
    actions,
    configuration,
    daemon,
    description,
    events,
    groups,
    history,
    logs,
    monitoring,
    processes,
)
from proctor.web.routes import JSON, Route, Router
from proctor.web.slots import Slots


def _tagged(tag: str, routes: tuple[Route, ...]) -> tuple[Route, ...]:
    return tuple(dataclasses.replace(route, tag=tag) for route in routes)


ROUTES: tuple[Route, ...] = (
    *_tagged("daemon", daemon.ROUTES),
    *_tagged("processes", processes.ROUTES),
    *_tagged("actions", actions.ROUTES),
    *_tagged("groups", groups.ROUTES),
    *_tagged("configuration", configuration.ROUTES),
    *_tagged("history", history.ROUTES),
    *_tagged("logs", logs.ROUTES),
    *_tagged("monitoring", monitoring.ROUTES),
    *_tagged("description", description.ROUTES),
    *_tagged("events", events.ROUTES),
)


class Rest:
    """The JSON API over one Service."""

    def __init__(self, service: Service, complaints: Complaints) -> None:
        self._service = service
        self._router = Router(ROUTES)
        self._slots = Slots()
        self._complaints = complaints

    async def answer(self, request: Request) -> Response:
        """The reply; a Fault becomes a problem document.  Raises Refusal."""
        try:
            answer = await self._router.call(self._service, request, self._slots)
        except Fault as fault:
            if fault.code == FaultCode.FORBIDDEN:
                self._complaints.say(f"refused {request.source}: {fault.detail}")
            return problem.of_fault(fault)
        if isinstance(answer, Response):
            return answer
        return Response(200, _HEADERS, problem.as_json(answer))


_HEADERS = (
    ("Content-Type", JSON),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
)
