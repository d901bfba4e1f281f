"""/metrics, /livez, /readyz: what monitors ask for under names that they all know.

They cost something only when they are asked for.  A server with a login asks for it here too.
"""

from __future__ import annotations

import asyncio

from proctor.web import metrics
from proctor.web.parameters import Kind, Parameter
from proctor.web.request import Refusal, Response
from proctor.web.routes import Answer, Call, Route

TEXT = "text/plain"
_HEADERS = (
    ("Content-Type", "text/plain;charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
)


async def get_metrics(call: Call) -> Answer:
    """Raises Refusal 404 when they are switched off."""
    if not call.service.supervisor.settings.metrics:
        raise Refusal(404, "metrics=false in [supervisord]")
    snapshot = await call.service.read_gauges()
    text = await asyncio.get_running_loop().run_in_executor(None, metrics.render, snapshot)
    kind = (("Content-Type", metrics.CONTENT_TYPE), ("Cache-Control", "no-store"))
    return Response(200, kind, text)


async def get_livez(call: Call) -> Answer:
    """Whoever gets an answer knows that the loop runs."""
    return Response(200, _HEADERS, b"ok\n")


async def get_readyz(call: Call) -> Answer:
    """Whether everything that starts by itself is up, or the named processes run."""
    missing = await call.service.look_ready(call.texts("name"))
    text = "".join(f"{line}\n" for line in missing) or "ok\n"
    return Response(503 if missing else 200, _HEADERS, text.encode("utf-8", "replace"))


ROUTES = (
    Route(
        "GET", "/metrics", get_metrics, "Numbers for Prometheus, in its text format", TEXT,
        ("read_gauges",), text="404 with `metrics=false` in `[supervisord]`.",
    ),
    Route("GET", "/livez", get_livez, "Whether the daemon answers", TEXT, ()),
    Route(
        "GET", "/readyz", get_readyz, "Whether everything that starts by itself is up", TEXT,
        ("look_ready",),
        (
            Parameter(
                "name", Kind.TEXTS, "Ask instead whether these run: ids and `group:*`."
            ),
        ),
        text="503 with what is missing, a line each, while it is not. What somebody stopped, and "
        "what has ended and is not to start again, is not missing.",
    ),
)  # fmt: skip
