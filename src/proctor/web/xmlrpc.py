"""XML-RPC: a call comes in as bytes, finds its method in an explicit table, and is answered.

A namespace answers for all methods of one name before the dot: the Service's table for
`supervisor`, ourselves for `system`, objects of third-party factories for others.
Source: compat xmlrpc.md, sections 3, 6 and 11; gotchas G7, G10, G73.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol

from proctor.core.faults import Fault, FaultCode
from proctor.daemon.activity_log import ActivityLog
from proctor.web import codec
from proctor.web.methods import METHODS, Method
from proctor.web.request import Refusal, Request, Response

MAX_RESPONSE = 128 * 1024 * 1024


class Namespace(Protocol):
    """Whoever answers for the methods of one namespace; names come without their namespace."""

    def names(self) -> Iterable[str]:
        """The methods that listMethods tells."""

    def describe(self, name: str) -> tuple[list[str], str] | None:
        """(signature, help) of a method; None when there is no such method."""

    async def call(self, name: str, parameters: list[object]) -> object:
        """Answer.  Raises Fault, also UNKNOWN_METHOD."""


class ServiceNamespace:
    """A table of methods, answered by the Service."""

    def __init__(self, service: object, methods: Mapping[str, Method] = METHODS) -> None:
        # Looked up once: a table that names a verb which the Service lacks fails at start.
        self._verbs: dict[str, tuple[Method, Callable[..., Awaitable[object]]]] = {
            name: (method, getattr(service, method.verb)) for name, method in methods.items()
        }

    def names(self) -> Iterable[str]:
        """Those that the original has."""
        return [name for name, (method, _) in self._verbs.items() if method.listed]

    def describe(self, name: str) -> tuple[list[str], str] | None:
        """As the table has it."""
        method, _ = self._verbs.get(name, (None, None))
        return (method.signature, method.help) if method else None

    async def call(self, name: str, parameters: list[object]) -> object:
        """Read the parameters and ask the Service."""
        try:
            method, verb = self._verbs[name]
        except KeyError:
            raise Fault(FaultCode.UNKNOWN_METHOD) from None
        return method.shape(await verb(*method.read(parameters)))


class SystemNamespace:
    """listMethods, methodHelp, methodSignature and multicall over all namespaces."""

    _METHODS: Mapping[str, tuple[list[str], str]] = {
        "listMethods": (["array"], "The names of all methods."),
        "methodHelp": (["string", "string"], "What a method is for."),
        "methodSignature": (
            ["array", "string"],
            "The type that a method returns, then those of its parameters.",
        ),
        "multicall": (
            ["array", "array"],
            "Make several calls, each {methodName, params}, one after the other.  The result of"
            " each is its bare value or {faultCode, faultString}.",
        ),
    }

    def __init__(self, namespaces: Mapping[str, Namespace]) -> None:
        self._namespaces = namespaces

    def names(self) -> Iterable[str]:
        """Its four methods."""
        return self._METHODS

    def describe(self, name: str) -> tuple[list[str], str] | None:
        """Of its own methods."""
        return self._METHODS.get(name)

    async def call(self, name: str, parameters: list[object]) -> object:
        """Answer about methods, or make the calls of a multicall."""
        if name not in self._METHODS:
            raise Fault(FaultCode.UNKNOWN_METHOD)
        signature, _ = self._METHODS[name]
        if len(parameters) != len(signature) - 1:
            raise Fault(FaultCode.INCORRECT_PARAMETERS)
        match name:
            case "listMethods":
                return self._list_methods()
            case "methodSignature":
                return self._described(parameters[0])[0]
            case "methodHelp":
                return self._described(parameters[0])[1]
            case _:
                return await self._multicall(parameters[0])

    def _list_methods(self) -> list[str]:
        return sorted(
            f"{space}.{name}"
            for space, namespace in self._namespaces.items()
            for name in namespace.names()
        )

    def _described(self, name: object) -> tuple[list[str], str]:
        space, dot, method = str(name).partition(".")
        namespace = self._namespaces.get(space)
        described = namespace.describe(method) if dot and namespace else None
        if described is None:
            raise Fault(FaultCode.SIGNATURE_UNSUPPORTED)
        return described

    async def _multicall(self, calls: object) -> list[object]:
        if not isinstance(calls, list):
            raise Fault(FaultCode.INCORRECT_PARAMETERS)
        return [await self._one_of_many(call) for call in calls]

    async def _one_of_many(self, call: object) -> object:
        try:
            if not isinstance(call, dict):
                raise Fault(FaultCode.INCORRECT_PARAMETERS)
            name, parameters = call.get("methodName"), call.get("params", [])
            if not name:
                raise Fault(FaultCode.INCORRECT_PARAMETERS, "No methodName")
            if name == "system.multicall":
                detail = "Recursive system.multicall forbidden"
                raise Fault(FaultCode.INCORRECT_PARAMETERS, detail)
            if not isinstance(parameters, list):
                raise Fault(FaultCode.INCORRECT_PARAMETERS)
            return await dispatch(self._namespaces, str(name), parameters)
        except Fault as fault:
            return {"faultCode": fault.code, "faultString": fault.text}
        except Exception as error:  # One call's bug must not take the answers of the others.
            detail = f"FAILED: {type(error)}:{error}"
            return {"faultCode": int(FaultCode.FAILED), "faultString": detail}


async def dispatch(
    namespaces: Mapping[str, Namespace], name: str, parameters: list[object]
) -> object:
    """Call `namespace.method`.  Raises Fault; UNKNOWN_METHOD for any other shape of name."""
    space, _, method = name.partition(".")
    namespace = namespaces.get(space)
    if namespace is None or not method or method.startswith("_") or "." in method:
        raise Fault(FaultCode.UNKNOWN_METHOD)
    return await namespace.call(method, parameters)


class XmlRpc:
    """The endpoint: one request body in, one reply out."""

    def __init__(self, namespaces: Mapping[str, Namespace], log: ActivityLog) -> None:
        """`system` is added to the namespaces, and replaces any other of that name."""
        self._namespaces: dict[str, Namespace] = dict(namespaces)
        self._namespaces["system"] = SystemNamespace(self._namespaces)
        self._log = log

    async def answer(self, request: Request) -> Response:
        """The reply to one call; faults too are status 200.  Raises Refusal 400 or 500."""
        body = await request.body()
        try:
            name, parameters = codec.decode_call(body)
        except codec.Malformed as error:
            # Bodies are never logged: they may hold secrets meant for a program's stdin.
            self._log.error(f"XML-RPC request data is invalid: unmarshallable ({error})")
            raise Refusal(400) from None
        if not name:
            self._log.error("XML-RPC request data is invalid: no method name")
            raise Refusal(400)
        reply = await self._reply(name, parameters)
        return Response(200, (("Content-Type", "text/xml"),), reply)

    async def _reply(self, name: str, parameters: list[object]) -> bytes:
        try:
            reply = codec.encode_result(await dispatch(self._namespaces, name, parameters))
            if len(reply) > MAX_RESPONSE:
                raise Fault(FaultCode.FAILED, "the answer is too large; ask for less at a time")
            return reply
        except Fault as fault:
            return codec.encode_fault(fault.code, fault.text)
        except Exception:
            self._log.critical(
                f"Handling XML-RPC request with data of {name[:100]!r} raised an unexpected"
                f" exception: {traceback.format_exc()}"
            )
            raise Refusal(500) from None
