"""Faults, the transport for `xmlrpc.client` proxies, and namespaces as objects."""

from __future__ import annotations

import inspect
import re
import xmlrpc.client as xmlrpclib
from collections.abc import Iterable
from typing import Any

from proctor.client.transport import SupervisorTransport
from proctor.core.faults import Fault, FaultCode
from proctor.core.info import capped as capped_int
from supervisor.absent import absent

__all__ = [
    "Faults",
    "RPCError",
    "RootRPCInterface",
    "SupervisorTransport",
    "SystemNamespaceRPCInterface",
    "capped_int",
    "getFaultDescription",
    "xmlrpclib",
]
__getattr__ = absent(__name__)

# Plain numbers: the standard library's XML-RPC cannot send members of an enum.
Faults: Any = type("Faults", (), {one.name: int(one) for one in FaultCode})


def getFaultDescription(code: int) -> str:
    """The name of a fault code; UNKNOWN for any other number."""
    return FaultCode(code).name if code in FaultCode._value2member_map_ else "UNKNOWN"


class RPCError(Exception):
    """Raised by plug-ins to answer a call with a fault; `text` is what the client sees."""

    def __init__(self, code: int, extra: object = None) -> None:
        self.code = code
        self.text = getFaultDescription(code) + ("" if extra is None else f": {extra}")
        super().__init__(self.text)

    @classmethod
    def of(cls, fault: Fault) -> RPCError:
        """The same refusal."""
        return cls(fault.code, fault.detail or None)

    def __str__(self) -> str:
        return f"code={self.code!r}, text={self.text!r}"


class RootRPCInterface:
    """Namespaces as attributes of one object."""

    def __init__(self, subinterfaces: Iterable[tuple[str, object]]) -> None:
        vars(self).update(subinterfaces)


class SystemNamespaceRPCInterface:
    """What there is to call in these namespaces, and many calls at once."""

    def __init__(self, namespaces: Iterable[tuple[str, object]]) -> None:
        self.namespaces = {**dict(namespaces), "system": self}

    def listMethods(self) -> list[str]:
        """The names of all methods.

        @return array names
        """
        return sorted(
            f"{space}.{name}"
            for space, target in self.namespaces.items()
            for name, member in vars(type(target)).items()
            if callable(member) and not name.startswith("_")
        )

    def methodHelp(self, name: str) -> str:
        """What a method is for.

        @param string name
        @return string text
        """
        if name not in self.listMethods():
            raise RPCError(Faults.SIGNATURE_UNSUPPORTED)
        return inspect.getdoc(self._method(name)) or ""

    def methodSignature(self, name: str) -> list[str]:
        """The type it returns, then those of its parameters, by the docstring.

        @param string name
        @return array types
        """
        tags = dict[str, list[str]](return_=[], param=[])
        for tag, kind in re.findall(r"@(param|return)\s+(\w+)", self.methodHelp(name)):
            tags[tag if tag == "param" else "return_"].append(kind)
        return [*(tags["return_"] or ["undef"])[:1], *tags["param"]]

    def multicall(self, calls: list[dict[str, Any]]) -> list[object]:
        """Make calls, each {methodName, params}; a deferred answer is left to its caller.

        @param array calls
        @return array results
        """
        return [
            self._one_of_many(str(call["methodName"]), call.get("params", [])) for call in calls
        ]

    def _one_of_many(self, name: str, parameters: list[object]) -> object:
        try:
            if name == "system.multicall":
                detail = "Recursive system.multicall forbidden"
                raise RPCError(Faults.INCORRECT_PARAMETERS, detail)
            return self._method(name)(*parameters)
        except RPCError as error:
            return {"faultCode": error.code, "faultString": error.text}

    def _method(self, name: str) -> Any:
        space, _, method = name.partition(".")
        found = getattr(self.namespaces.get(space), method, None)
        if found is None or method.startswith("_"):
            raise RPCError(Faults.UNKNOWN_METHOD)
        return found
