"""The route table of the JSON API: path, method, verb, handler, what goes in and what comes out.

1. Whatever is answered is a row here.  Dispatch, 404, 405 with Allow, and OpenAPI are made of it.
2. A row names the verbs of the Service that its handler asks; who may ask for these is in
   `api/access.py`, and OpenAPI tells it from there.
3. In a path `{name}` stands for one segment, percent-encoded; a literal segment goes before it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

from proctor.core.values import dataclass
from proctor.web import guard
from proctor.web.parameters import Parameters, read_body, read_query
from proctor.web.request import Refusal, Request, Response
from proctor.web.slots import Slots

if TYPE_CHECKING:
    from proctor.api.service import Service

JSON = "application/json"
STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Call:
    """A request as its handler sees it: everything is there and of the right type."""

    service: Service
    request: Request
    path: Mapping[str, str]
    query: Mapping[str, object]
    body: Mapping[str, object]
    slots: Slots
    routes: tuple[Route, ...]

    def text(self, name: str) -> str:
        """A text of the path, the query or the body."""
        value = self._get(name)
        assert isinstance(value, str)
        return value

    def number(self, name: str) -> int:
        """A whole number."""
        value = self._get(name)
        assert isinstance(value, int)
        return value

    def flag(self, name: str) -> bool:
        """Yes or no."""
        return bool(self._get(name))

    def texts(self, name: str) -> list[str] | None:
        """A list of texts; None when it was not given."""
        value = self._get(name)
        assert value is None or isinstance(value, list)
        return value

    def maybe(self, name: str) -> str | None:
        """A text; None when it was not given."""
        value = self._get(name)
        assert value is None or isinstance(value, str)
        return value

    def _get(self, name: str) -> object:
        for values in (self.path, self.query, self.body):
            if name in values:
                return values[name]
        raise AssertionError(f"the route has no row for {name}")


# A document, or a whole reply.
Answer = Mapping[str, object] | Response
Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """One row.  `answers` is the type of the document, or the media type of anything else.

    `verbs` are those of the Service that it asks.  `body` None: it takes none.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answers: type | str
    verbs: tuple[str, ...]
    query: Parameters = ()
    body: Parameters | None = None
    tag: str = ""
    text: str = ""

    @property
    def segments(self) -> tuple[str, ...]:
        """The parts of its path."""
        return tuple(self.path.strip("/").split("/"))

    @property
    def name(self) -> str:
        """Unique among all: `start_process` and so on, from its handler."""
        return self.handler.__name__


class Router:
    """Finds the route of a request, and reads its parameters."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._by_length: dict[int, list[tuple[tuple[str, ...], Route]]] = {}
        for route in self.routes:
            rows = self._by_length.setdefault(len(route.segments), [])
            rows.append((route.segments, route))

    def find(self, request: Request) -> tuple[Route, dict[str, str]]:
        """The route, and the values of its path.  Raises Refusal 404, 405."""
        parts = [unquote(part) for part in request.raw_path.strip("/").split("/")]
        found = [
            (route, values)
            for segments, route in self._by_length.get(len(parts), ())
            if (values := _match(segments, parts)) is not None
        ]
        if not found:
            raise Refusal(404, "there is nothing at this path; see /api/v1/openapi.json")
        fewest = min(len(values) for _, values in found)
        found = [each for each in found if len(each[1]) == fewest]
        for route, values in found:
            if _allows(route, request.method):
                return route, values
        methods = sorted({route.method for route, _ in found})
        if any(_allows(route, "HEAD") for route, _ in found):
            methods.append("HEAD")
        raise Refusal(405, headers=(("Allow", ", ".join(methods)),))

    async def call(self, service: Service, request: Request, slots: Slots) -> Answer:
        """Let the handler answer.  Raises Refusal 400, 404, 405, 411, 413, 415, and Fault."""
        route, path = self.find(request)
        body: Mapping[str, object] = {}
        if route.method != "GET":
            guard.check_write(request)
            body = read_body(route.body or (), await _json(request))
        query = read_query(route.query, request.query)
        return await route.handler(Call(service, request, path, query, body, slots, self.routes))


def _allows(route: Route, method: str) -> bool:
    # The head of a stream without its end is no use to anybody, and would hold the connection.
    return method == route.method or (
        method == "HEAD" and route.method == "GET" and route.answers != STREAM
    )


def _match(segments: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for segment, part in zip(segments, parts, strict=True):
        if segment.startswith("{"):
            if not part:
                return None
            values[segment[1:-1]] = part
        elif segment != part:
            return None
    return values


async def _json(request: Request) -> bytes:
    """The body of a request that changes something.

    Its type has to be JSON, also when there is nothing in it: a form of another site cannot have
    it sent (scenarios.md, section 1, rule 3).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise Refusal(415, f"send it with Content-Type: {JSON}, also an empty body")
    if "content-length" not in request.headers and "transfer-encoding" not in request.headers:
        return b""
    return await request.body()
