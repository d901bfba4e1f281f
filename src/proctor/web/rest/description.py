"""/openapi.json: the API described for tools."""

from __future__ import annotations

from proctor.web.routes import JSON, Answer, Call, Route


async def get_openapi(call: Call) -> Answer:
    """Made anew each time: who wants it wants it once."""
    from proctor.web.openapi import document

    return document(call.routes)


ROUTES = (
    Route("GET", "/api/v1/openapi.json", get_openapi, "This description, as OpenAPI 3.1", JSON, ()),
)
