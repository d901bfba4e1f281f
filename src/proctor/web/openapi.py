"""OpenAPI 3.1, made of the route table and the documents.  Nothing is written down twice.

Loaded only when somebody asks for /api/v1/openapi.json.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from typing import Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from proctor.api.access import right
from proctor.api.documents import Problem, described
from proctor.core.version import PROCTOR_VERSION
from proctor.web.parameters import Kind, Parameter
from proctor.web.problem import CONTENT_TYPE
from proctor.web.routes import JSON, Route

Schema = dict[str, object]

_DESCRIPTION = (
    "Everything supervisorctl can do, and more.  Requests that change something must be sent as"
    " application/json, also without a body.  See docs/reference/http-api.md for the messages of"
    " streams."
)


def document(routes: Iterable[Route]) -> Schema:
    """The whole description of these routes."""
    routes = tuple(routes)
    components: dict[str, Schema] = {}
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, components)
    _schema(Problem, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Proctor",
            "version": PROCTOR_VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "security": [{}, {"basic": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
            "responses": {"Refused": _refused()},
        },
    }


def _refused() -> Schema:
    reference = {"$ref": "#/components/schemas/Problem"}
    return {"description": "Why it was refused.", "content": {CONTENT_TYPE: {"schema": reference}}}


def _operation(route: Route, components: dict[str, Schema]) -> Schema:
    operation: Schema = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "description": f"{route.text}  Needs: {right(route.verbs)}.".strip(),
    }
    if parameters := [*_in_path(route), *map(_in_query, route.query)]:
        operation["parameters"] = parameters
    if route.method != "GET":
        operation["requestBody"] = _body(route.body or ())
    operation["responses"] = {"200": _answer(route, components), "default": _REFUSED}
    return operation


_REFUSED = {"$ref": "#/components/responses/Refused"}


def _in_path(route: Route) -> Iterator[Schema]:
    for segment in route.segments:
        if segment.startswith("{"):
            schema: Schema = {"type": "string", "minLength": 1}
            if segment == "{channel}":
                schema = {"type": "string", "enum": ["stdout", "stderr"]}
            yield {"name": segment[1:-1], "in": "path", "required": True, "schema": schema}


def _in_query(row: Parameter) -> Schema:
    told: Schema = {
        "name": row.name,
        "in": "query",
        "description": row.text,
        "required": row.required,
        "schema": _value(row),
    }
    if row.kind is Kind.TEXTS:
        told |= {"style": "form", "explode": False}
    return told


def _body(rows: tuple[Parameter, ...]) -> Schema:
    required = [row.name for row in rows if row.required]
    schema: Schema = {
        "type": "object",
        "properties": {row.name: {**_value(row), "description": row.text} for row in rows},
        "additionalProperties": False,
    }
    if required:
        schema["required"] = required
    return {"required": bool(required), "content": {JSON: {"schema": schema}}}


def _value(row: Parameter) -> Schema:
    """The schema of a parameter; what `parameters.py` checks, in other words."""
    text: Schema = {"type": "string"}
    if row.choices:
        text["enum"] = list(row.choices)
    elif row.most is not None and row.kind is not Kind.TEXTS:
        text["maxLength"] = row.most
    match row.kind:
        case Kind.TEXT:
            schema = text
        case Kind.TEXT_OR_WHOLE:
            schema = {**text, "type": ["string", "integer"]}
        case Kind.TEXTS:
            schema = {"type": "array", "items": text}
            if row.most is not None:
                schema["maxItems"] = row.most
        case _:
            schema = {"type": row.kind.value}
    if row.low is not None:
        schema["minimum"] = int(row.low)
    if row.high is not None:
        schema["maximum"] = int(row.high)
    if row.default is not None:
        schema["default"] = row.default
    if row.example is not None:
        schema["examples"] = [row.example]
    return schema


def _answer(route: Route, components: dict[str, Schema]) -> Schema:
    if isinstance(route.answers, str):
        kind = "object" if route.answers == JSON else "string"
        content: Schema = {route.answers: {"schema": {"type": kind}}}
    else:
        content = {JSON: {"schema": _schema(route.answers, components)}}
    return {"description": route.summary, "content": content}


def _schema(hint: object, components: dict[str, Schema]) -> Schema:
    """The schema of a type; documents become components of their own."""
    origin, arguments = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        assert isinstance(hint, type)
        if hint.__name__ not in components:
            components[hint.__name__] = {}  # Before its fields: a document may hold itself.
            components[hint.__name__] = _document(hint, components)
        return {"$ref": f"#/components/schemas/{hint.__name__}"}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(each, components) for each in arguments]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0], components)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1], components)}
    assert isinstance(hint, type)
    return {} if hint is object else {"type": _NAMES[hint]}


_NAMES: dict[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


def _document(kind: type, components: dict[str, Schema]) -> Schema:
    properties: dict[str, object] = {}
    required = []
    for name, hint in get_type_hints(kind, include_extras=True).items():
        inner, text = described(hint)
        schema = _schema(inner, components)
        properties[name] = {**schema, "description": text} if text else schema
        if get_origin(hint) is not NotRequired:
            required.append(name)
    return {
        "type": "object",
        "description": " ".join((kind.__doc__ or "").split()),
        "properties": properties,
        "required": required,
    }
