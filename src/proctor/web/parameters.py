"""Parameters of the JSON API: what a query or a body may hold, as values.

The same row reads a request and describes it in OpenAPI, so that the two cannot differ.  Whatever
is not in a row is refused by name: a misspelt `wiat` must not be taken for "yes, wait".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from urllib.parse import parse_qsl

from proctor.core.values import dataclass
from proctor.web.request import Refusal


class Kind(Enum):
    """Types of values, by their names in JSON Schema."""

    TEXT = "string"
    WHOLE = "integer"
    NUMBER = "number"
    FLAG = "boolean"
    TEXTS = "array"
    TEXT_OR_WHOLE = "string or integer"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value.  `default` None: absent is told as None, unless it is `required`.

    `choices` bound texts (also those of a list), `low` and `high` numbers, `most` the length of a
    text or a list.
    """

    name: str
    kind: Kind
    text: str
    required: bool = False
    default: object = None
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    most: int | None = None
    example: object = None


Parameters = tuple[Parameter, ...]


def read_query(rows: Parameters, query: str) -> dict[str, object]:
    """The values of a query.  Raises Refusal 400."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        raise Refusal(400, "too many query parameters") from None
    by_name = {row.name: row for row in rows}
    found: dict[str, object] = {}
    for name, text in pairs:
        row = _row(by_name, name, "query parameter")
        if row.kind is Kind.TEXTS:
            listed = found.setdefault(name, [])
            assert isinstance(listed, list)
            listed += [each for each in text.split(",") if each]
        elif name in found:
            raise Refusal(400, f"the query parameter {name} was given twice")
        else:
            found[name] = _from_text(row, text)
    return _complete(rows, found)


def read_body(rows: Parameters, body: bytes) -> dict[str, object]:
    """The members of a body; an empty one counts as {}.  Raises Refusal 400."""
    try:
        # RecursionError is what hostile depth ends in.
        value = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise Refusal(400, "the body is not JSON") from None
    if not isinstance(value, dict):
        raise Refusal(400, "the body must be a JSON object")
    by_name = {row.name: row for row in rows}
    for name in value:
        _row(by_name, name, "member of the body")
    return _complete(rows, value)


def _row(by_name: Mapping[str, Parameter], name: str, what: str) -> Parameter:
    row = by_name.get(name)
    if row is None:
        from difflib import get_close_matches

        close = get_close_matches(name, by_name, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise Refusal(400, f"no {what} is called {name[:60]!a}{hint}")
    return row


def _complete(rows: Parameters, found: Mapping[str, object]) -> dict[str, object]:
    """The values of all rows, checked."""
    values = {}
    for row in rows:
        if row.name in found:
            _check(row, found[row.name])
            values[row.name] = found[row.name]
        elif row.required:
            raise Refusal(400, f"{row.name} is missing: {row.text}")
        else:
            values[row.name] = row.default
    return values


def _from_text(row: Parameter, text: str) -> object:
    try:
        match row.kind:
            case Kind.WHOLE if text.isascii():
                return int(text)
            case Kind.NUMBER if text.isascii():
                return float(text)
            case Kind.FLAG:
                return {"1": True, "true": True, "0": False, "false": False}[text.lower()]
            case Kind.TEXT | Kind.TEXT_OR_WHOLE:
                return text
    except (ValueError, KeyError):
        pass
    raise Refusal(400, f"{row.name}={text[:60]!a} is no {row.kind.value}")


def _check(row: Parameter, value: object) -> None:
    if not _fits(row.kind, value):
        raise Refusal(400, f"{row.name} must be of type {row.kind.value}")
    texts = value if isinstance(value, list) else [value]
    for each in texts:
        if row.choices and each not in row.choices:
            raise Refusal(400, f"{row.name} must be one of {', '.join(row.choices)}")
    if isinstance(value, (int, float)) and not _within(row, value):
        raise Refusal(400, f"{row.name} must be {_range(row)}")
    if isinstance(value, (str, list)) and row.most is not None and len(value) > row.most:
        raise Refusal(400, f"{row.name} is too long: at most {row.most}")


def _fits(kind: Kind, value: object) -> bool:
    match kind:
        case Kind.TEXT:
            return isinstance(value, str)
        case Kind.WHOLE:
            return isinstance(value, int) and not isinstance(value, bool)
        case Kind.NUMBER:
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case Kind.FLAG:
            return isinstance(value, bool)
        case Kind.TEXTS:
            return isinstance(value, list) and all(isinstance(each, str) for each in value)
        case Kind.TEXT_OR_WHOLE:
            return isinstance(value, (str, int)) and not isinstance(value, bool)


def _within(row: Parameter, value: float) -> bool:
    # Not the other way round: NaN is in no range.
    return (row.low is None or value >= row.low) and (row.high is None or value <= row.high)


def _range(row: Parameter) -> str:
    if row.high is None:
        return f"at least {row.low:g}"
    if row.low is None:
        return f"at most {row.high:g}"
    return f"from {row.low:g} to {row.high:g}"
