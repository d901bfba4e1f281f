"""docs/reference/http-api.md: the manual of the HTTP interface, made of the route table.

What is not in a row (events, metrics, how to ask at all) is written in `http-api.head.md` beside
it; here the tables are made that stand below that.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from typing import Literal, Union, get_args, get_origin, get_type_hints
from typing import is_typeddict as is_document

from proctor.api import documents
from proctor.api.access import right
from proctor.api.documents import described
from proctor.web.parameters import Parameter
from proctor.web.rest.all import ROUTES
from proctor.web.routes import Route


def tables() -> str:
    """Every route, then every document, in Markdown."""
    lines = ["## Routes", ""]
    for tag in dict.fromkeys(route.tag for route in ROUTES):
        lines += [f"### {tag.capitalize()}", ""]
        for route in (each for each in ROUTES if each.tag == tag):
            lines += [*_route(route), ""]
    lines += ["## Documents", ""]
    for kind in _documents():
        lines += [*_document(kind), ""]
    return "\n".join(lines).rstrip() + "\n"


def _route(route: Route) -> Iterator[str]:
    yield f"**`{route.method} {route.path}`** {route.summary}."
    if route.text:
        yield f"{route.text}"
    yield ""
    answer = route.answers if isinstance(route.answers, str) else route.answers.__name__
    yield f"- answers `{answer}`; needs {right(route.verbs)}"
    yield from (f"- query {_parameter(row)}" for row in route.query)
    yield from (f"- body {_parameter(row)}" for row in route.body or ())


def _parameter(row: Parameter) -> str:
    kind = row.kind.value if not row.choices else " or ".join(f"`{each}`" for each in row.choices)
    if row.required:
        rest = "required"
    else:
        rest = "optional" if row.default is None else f"default `{_json(row.default)}`"
    return f"`{row.name}` ({kind}, {rest}): {row.text}"


def _json(value: object) -> str:
    return value if isinstance(value, str) and value else json.dumps(value)


def _documents() -> Iterator[type]:
    for value in vars(documents).values():
        if is_document(value):
            yield value


def _document(kind: type) -> Iterator[str]:
    yield f"### {kind.__name__}"
    yield ""
    yield " ".join((kind.__doc__ or "").split())
    yield ""
    yield "| Field | Type | |"
    yield "|---|---|---|"
    for name, hint in get_type_hints(kind, include_extras=True).items():
        inner, text = described(hint)
        yield f"| `{name}` | {_type(inner)} | {text} |"


def _type(hint: object) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(each) for each in arguments)
    if origin is Literal:
        return " or ".join(f"`{_json(each)}`" for each in arguments)
    if origin is list:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"object of {_type(arguments[1])}"
    assert isinstance(hint, type)
    return _PLAIN.get(hint, hint.__name__)


_PLAIN: dict[type, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "boolean",
    object: "anything",
    type(None): "null",
}
