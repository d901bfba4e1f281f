"""What became of an action, or of each process of it, as documents."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from proctor.api.documents import Done, Result, Results
from proctor.core.faults import Fault, FaultCode
from proctor.core.info import ActionResult
from proctor.core.names import make_namespec, split_namespec
from proctor.web.problem import fault_name
from proctor.web.request import Refusal

# A verb of the Service on one name: True for a process, a list for `group:*`.
Verb = Callable[[str], Awaitable[bool | list[ActionResult]]]

DONE: Done = {"ok": True}


def document(results: Iterable[ActionResult]) -> Results:
    """The document of these results."""
    return {"results": [_result(each) for each in results]}


def _result(result: ActionResult) -> Result:
    done = result.status == FaultCode.SUCCESS
    return {
        "id": make_namespec(result.group, result.name),
        "name": result.name,
        "group": result.group,
        "ok": done,
        "fault": None if done else fault_name(result.status),
        "code": int(result.status),
        "description": result.description,
    }


async def of_one(name: str, verb: Verb) -> Results:
    """Act on a process, or on `group:*`.  The Fault about a single process goes to the caller."""
    answer = await verb(name)
    return document(answer if isinstance(answer, list) else [ActionResult(*_names(name))])


async def of_many(names: Iterable[str], verb: Verb) -> Results:
    """Act on all of these at the same time; a Fault is an entry of the result."""
    answers = await asyncio.gather(*(_tried(name, verb) for name in dict.fromkeys(names)))
    return document(result for answer in answers for result in answer)


async def _tried(name: str, verb: Verb) -> list[ActionResult]:
    try:
        answer = await verb(name)
    except Fault as fault:
        return [ActionResult.refused(*_names(name), fault)]
    return answer if isinstance(answer, list) else [ActionResult(*_names(name))]


def _names(name: str) -> tuple[str, str]:
    group, process = split_namespec(name)
    return process or "*", group


def chosen(names: list[str] | None, everything: bool) -> list[str] | None:
    """The names to act on; None for all.  Raises Refusal 400 unless one of the two was said."""
    if everything == (names is not None):
        raise Refusal(400, 'say which: either "names": ["web", "group:*"] or "all": true')
    return names
