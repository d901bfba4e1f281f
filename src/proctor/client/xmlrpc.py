"""XML-RPC as a client needs it: calls of plain parameters out, one value or a Fault in.

The standard module costs as much time as the rest of `supervisorctl status` together, because it
brings http.client and ssl along.  Bytes that XML forbids are replaced before parsing: the original
sends log text as it is (gotcha G5).  Document types are refused, so no entity can be defined.
"""

from __future__ import annotations

import binascii
import pyexpat

from proctor.core.faults import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Value: TypeAlias = bool | int | float | str | bytes | list["Value"] | dict[str, "Value"] | None
    Parameter: TypeAlias = bool | int | str

_FORBIDDEN = bytes(n for n in range(32) if n not in b"\t\n\r")
_SCRUB = bytes.maketrans(_FORBIDDEN, b"?" * len(_FORBIDDEN))


def dumps(method: str, parameters: tuple[Parameter, ...]) -> bytes:
    """A call as the body of a request."""
    values = "".join(f"<param><value>{_dump(value)}</value></param>" for value in parameters)
    text = (
        "<?xml version='1.0'?>\n<methodCall>\n"
        f"<methodName>{_escape(method)}</methodName>\n<params>{values}</params>\n</methodCall>\n"
    )
    # Under LC_ALL=C an argument that is not UTF-8 arrives as surrogates, which XML cannot carry.
    return text.encode("utf-8", "replace")


def _dump(value: Parameter) -> str:
    if isinstance(value, bool):
        return f"<boolean>{value:d}</boolean>"
    if isinstance(value, int):
        return f"<int>{value}</int>"
    return f"<string>{_escape(value)}</string>"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def loads(data: bytes) -> Value:
    """The value of an answer.  Raises Fault, or ValueError when it is not an XML-RPC answer."""
    decoder = _Decoder()
    parser = pyexpat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = decoder.start
    parser.EndElementHandler = decoder.end
    parser.CharacterDataHandler = decoder.text.append
    try:
        parser.Parse(data.translate(_SCRUB), True)
    except pyexpat.ExpatError as error:
        raise ValueError(f"unreadable XML-RPC answer: {error}") from error
    return decoder.result()


def _refuse_doctype(*_: object) -> None:
    raise ValueError("unreadable XML-RPC answer: it declares a document type")


def _boolean(text: str) -> bool:
    return text.strip() == "1"


_SCALARS: dict[str, Callable[[str], Value]] = {
    "int": int,
    "i4": int,
    "i8": int,
    "boolean": _boolean,
    "double": float,
    "string": str,
    "dateTime.iso8601": str,
    "base64": binascii.a2b_base64,
    "nil": lambda text: None,
    # A member name waits on the stack for its value.
    "name": str,
}


class _Decoder:
    """Handlers for expat: finished values wait on a stack until the array or struct around ends."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self._stack: list[Value] = []
        self._marks: list[int] = []
        self._untyped = False
        self._fault = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.text.clear()
        self._untyped = tag == "value"
        if tag in ("array", "struct"):
            self._marks.append(len(self._stack))

    def end(self, tag: str) -> None:
        if tag in _SCALARS:
            self._stack.append(_SCALARS[tag]("".join(self.text)))
        elif tag in ("array", "struct"):
            mark = self._marks.pop()
            items = self._stack[mark:]
            self._stack[mark:] = [items if tag == "array" else _struct(items)]
        elif tag == "value" and self._untyped:
            self._stack.append("".join(self.text))
        elif tag == "fault":
            self._fault = True
        self._untyped = False

    def result(self) -> Value:
        if len(self._stack) != 1:
            raise ValueError("unreadable XML-RPC answer: it holds no value")
        value = self._stack[0]
        if not self._fault:
            return value
        if not isinstance(value, dict):
            raise ValueError("unreadable XML-RPC answer: a fault without a code")
        code, text = value.get("faultCode"), value.get("faultString")
        raise Fault.received(code if isinstance(code, int) else 0, str(text))


def _struct(items: list[Value]) -> Value:
    return {str(name): value for name, value in zip(items[::2], items[1::2], strict=True)}
