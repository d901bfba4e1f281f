"""Problem documents: why the JSON API refuses (RFC 9457), with the names that XML-RPC clients know.

A Fault has an HTTP status of its own, so that clients which only look at the status are told
enough.
"""

from __future__ import annotations

import json

from proctor.api.documents import Problem
from proctor.core.faults import Fault, FaultCode
from proctor.web.request import REASONS, Headers, Refusal, Response

CONTENT_TYPE = "application/problem+json"

STATUS: dict[int, int] = {
    FaultCode.UNKNOWN_METHOD: 404,
    FaultCode.INCORRECT_PARAMETERS: 400,
    FaultCode.BAD_ARGUMENTS: 400,
    FaultCode.BAD_NAME: 404,
    FaultCode.BAD_SIGNAL: 400,
    FaultCode.NO_FILE: 404,
    FaultCode.CANT_REREAD: 422,
    FaultCode.SHUTDOWN_STATE: 503,
    FaultCode.FORBIDDEN: 403,
}
# A state that does not allow it: of the process, of its command, of its files.
_CONFLICT = 409

_TITLES: dict[int, str] = {
    FaultCode.BAD_ARGUMENTS: "these arguments do not go together",
    FaultCode.BAD_NAME: "no such process or group",
    FaultCode.BAD_SIGNAL: "no such signal",
    FaultCode.NO_FILE: "no such file",
    FaultCode.NOT_EXECUTABLE: "the command cannot be executed",
    FaultCode.FAILED: "it failed",
    FaultCode.ABNORMAL_TERMINATION: "it ended instead of running",
    FaultCode.SPAWN_ERROR: "it could not be started",
    FaultCode.ALREADY_STARTED: "it runs already",
    FaultCode.NOT_RUNNING: "it does not run",
    FaultCode.ALREADY_ADDED: "the group is active already",
    FaultCode.STILL_RUNNING: "something of the group still runs",
    FaultCode.CANT_REREAD: "the configuration has mistakes",
    FaultCode.SHUTDOWN_STATE: "the daemon is stopping or restarting",
    FaultCode.FORBIDDEN: "this login does not allow that",
}


def status_of(code: int) -> int:
    """The HTTP status that goes with a fault."""
    return STATUS.get(code, _CONFLICT)


def fault_name(code: int) -> str:
    """BAD_NAME for 10; FAULT for numbers of third parties."""
    return FaultCode(code).name if code in FaultCode._value2member_map_ else "FAULT"


def of_fault(fault: Fault) -> Response:
    """The refusal of a verb."""
    name = fault_name(fault.code)
    problem: Problem = {
        "type": f"urn:proctor:fault:{name}",
        "title": _TITLES.get(fault.code, name),
        "status": status_of(fault.code),
        "detail": fault.text,
        "fault": name,
        "code": fault.code,
    }
    return _response(problem)


def of_refusal(refusal: Refusal) -> Response:
    """The refusal of a request."""
    title = REASONS[refusal.status]
    problem: Problem = {
        "type": "about:blank",
        "title": title,
        "status": refusal.status,
        "detail": refusal.detail or title,
    }
    return _response(problem, refusal.headers)


def _response(problem: Problem, headers: Headers = ()) -> Response:
    kind = (("Content-Type", CONTENT_TYPE), ("Cache-Control", "no-store"))
    return Response(problem["status"], (*kind, *headers), as_json(problem))


def as_json(document: object) -> bytes:
    """A document as the body of a reply."""
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        # Half characters, which a name or an event may hold: told as escapes.
        return json.dumps(document, separators=(",", ":")).encode()
