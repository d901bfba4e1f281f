"""XML-RPC text to values and back, over expat, with nothing that a hostile client could use.

1. Document types, entities and processing instructions are refused before anything is expanded.
2. Only the elements of XML-RPC are known, and only in their places; depth and number are bounded.
3. Answers are laid out as xmlrpc.client lays them out (compat xmlrpc.md, section 3); characters
   that XML cannot carry become U+FFFD, and a carriage return survives (gotcha G5).
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol
from xml.parsers import expat

from proctor.core.info import ActionResult, ProcessInfo

if TYPE_CHECKING:
    from datetime import datetime

MAX_DEPTH = 100
MAX_ELEMENTS = 200_000


class Malformed(ValueError):
    """The body is not an XML-RPC call."""


def decode_call(body: bytes) -> tuple[str | None, list[object]]:
    """(method name, parameters) of a methodCall; the name is None when there is none.

    base64 comes back as text, as plug-ins expect.  Raises Malformed.
    """
    decoder = _Decoder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = decoder.start
    parser.EndElementHandler = decoder.end
    parser.CharacterDataHandler = decoder.text.append
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ProcessingInstructionHandler = _refuse
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        # LookupError: an encoding that Python does not know; ValueError: also bad numbers, base64.
        raise Malformed(str(error)) from None
    return decoder.method, decoder.parameters


def _refuse(*_: object) -> None:
    raise Malformed("document types and processing instructions are refused")


def _timestamp(text: str) -> datetime:
    from datetime import datetime

    return datetime.strptime(text.strip(), "%Y%m%dT%H:%M:%S")


_SCALARS: dict[str, Callable[[str], object]] = {
    "int": int,
    "i4": int,
    "boolean": lambda text: text.strip() == "1",
    "string": str,
    "double": float,
    "dateTime.iso8601": _timestamp,
    "base64": lambda text: a2b_base64(text.encode("ascii")).decode("utf-8"),
}
_IN_VALUE = frozenset({"value"})
_PARENTS: dict[str, frozenset[str]] = {
    "methodCall": frozenset({""}),
    "methodName": frozenset({"methodCall"}),
    "params": frozenset({"methodCall"}),
    "param": frozenset({"params"}),
    "value": frozenset({"param", "data", "member"}),
    "array": _IN_VALUE,
    "data": frozenset({"array"}),
    "struct": _IN_VALUE,
    "member": frozenset({"struct"}),
    "name": frozenset({"member"}),
    **dict.fromkeys(_SCALARS, _IN_VALUE),
}


class _Decoder:
    """Builds values from the parser's events: finished ones on `values`, open elements on `path`.

    `marks` remembers how many values there were when an element was opened.
    """

    def __init__(self) -> None:
        self.method: str | None = None
        self.text: list[str] = []
        self.values: list[object] = []
        self.names: list[str] = []
        self.path: list[str] = [""]
        self.marks: list[tuple[int, int]] = []
        self.elements = 0

    @property
    def parameters(self) -> list[object]:
        return self.values

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self.path[-1] not in _PARENTS.get(tag, ()):
            raise Malformed(f"<{tag[:40]}> in <{self.path[-1]}>")
        self.elements += 1
        if self.elements > MAX_ELEMENTS or len(self.path) > MAX_DEPTH:
            raise Malformed("too many or too deeply nested elements")
        if self.path[-1] == "value" and len(self.values) != self.marks[-1][0]:
            raise Malformed("two types in one value")
        self.path.append(tag)
        self.marks.append((len(self.values), len(self.names)))
        self.text.clear()

    def end(self, tag: str) -> None:
        self.path.pop()
        mark, names = self.marks.pop()
        found = len(self.values) - mark
        if tag in _SCALARS:
            self.values.append(_SCALARS[tag]("".join(self.text)))
        elif tag == "value" and not found:
            self.values.append("".join(self.text))
        elif tag == "data":
            self.values[mark:] = [self.values[mark:]]
        elif tag == "struct":
            pairs = zip(self.names[names:], self.values[mark:], strict=True)
            self.values[mark:] = [dict(pairs)]
            del self.names[names:]
        elif tag == "name":
            self.names.append("".join(self.text))
        elif tag == "methodName":
            self.method = "".join(self.text).strip()
        elif tag == "member" and (found != 1 or len(self.names) != names + 1):
            raise Malformed("a member has one name and one value")
        elif tag in ("param", "array") and found != 1:
            raise Malformed(f"<{tag}> holds one thing")
        self.text.clear()


class Encodable(Protocol):
    """xmlrpc.client's own wrappers (Binary, DateTime), which plug-ins may return."""

    def encode(self, out: _Writer) -> None:
        """Write the value as XML."""


class _Writer:
    """The list of parts, with the `write` that Encodable values call."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.write = self.parts.append


_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def escaped(text: str) -> str:
    """Text as XML can carry it."""
    # Nearly every text is printable and plain: four scans in C instead of five copies.
    if not text.isprintable():
        text = _ILLEGAL.sub("\ufffd", text)
    if "&" in text or "<" in text or ">" in text or "\r" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        text = text.replace("\r", "&#13;")
    return text


def encode_result(value: object) -> bytes:
    """The methodResponse for a result.  Raises TypeError for what XML-RPC cannot say, like None."""
    writer = _Writer()
    _encode(value, writer)
    return _RESULT_HEAD + "".join(writer.parts).encode() + _RESULT_TAIL


def encode_fault(code: int, text: str) -> bytes:
    """The methodResponse for a refusal."""
    writer = _Writer()
    _encode({"faultCode": code, "faultString": text}, writer)
    return _FAULT_HEAD + "".join(writer.parts).encode() + _FAULT_TAIL


_HEAD = b"<?xml version='1.0'?>\n<methodResponse>\n"
_RESULT_HEAD = _HEAD + b"<params>\n<param>\n"
_RESULT_TAIL = b"</param>\n</params>\n</methodResponse>\n"
_FAULT_HEAD = _HEAD + b"<fault>\n"
_FAULT_TAIL = b"</fault>\n</methodResponse>\n"


@lru_cache(maxsize=1024)
def _member_head(name: str) -> str:
    return f"<member>\n<name>{escaped(name)}</name>\n"


def _scalar(name: str, kind: str) -> str:
    return f"{_member_head(name)}<value><{kind}>%s</{kind}></value>\n</member>\n"


# The answer that dashboards ask for all the time: 1,000 processes are one template, 1,000 times.
_PROCESS_FIELDS = tuple(ProcessInfo.__dataclass_fields__)
_PROCESS_TEXTS = tuple(
    name for name in _PROCESS_FIELDS if ProcessInfo.__annotations__[name] == "str"
)
_PROCESS = (
    "<value><struct>\n"
    + "".join(
        _scalar(name, "string" if name in _PROCESS_TEXTS else "int") for name in _PROCESS_FIELDS
    )
    + "</struct></value>\n"
)
_fields_of = attrgetter(*_PROCESS_FIELDS)
_texts_of = attrgetter(*_PROCESS_TEXTS)


def _encode_process(info: ProcessInfo, writer: _Writer) -> None:
    texts = "".join(_texts_of(info))
    fields = _fields_of(info)
    if not texts.isprintable() or "&" in texts or "<" in texts or ">" in texts:
        fields = tuple(escaped(field) if isinstance(field, str) else field for field in fields)
    writer.write(_PROCESS % fields)


def _encode(value: object, writer: _Writer) -> None:
    match value:
        case str():
            writer.write(f"<value><string>{escaped(value)}</string></value>\n")
        case bool():
            writer.write(f"<value><boolean>{value:d}</boolean></value>\n")
        case int():
            writer.write(f"<value><int>{value:d}</int></value>\n")
        case ProcessInfo():
            _encode_process(value, writer)
        case ActionResult():
            _encode_struct(value.as_struct(), writer)
        case list() | tuple():
            writer.write("<value><array><data>\n")
            for item in value:
                _encode(item, writer)
            writer.write("</data></array></value>\n")
        case dict():
            _encode_struct(value, writer)
        case _:
            _encode_rare(value, writer)


def _encode_struct(members: dict[str, object], writer: _Writer) -> None:
    writer.write("<value><struct>\n")
    for name, member in members.items():
        if not isinstance(name, str):
            raise TypeError("names of struct members must be strings")
        writer.write(_member_head(name))
        _encode(member, writer)
        writer.write("</member>\n")
    writer.write("</struct></value>\n")


def _encode_rare(value: object, writer: _Writer) -> None:
    """What only third-party methods return."""
    from datetime import datetime

    match value:
        case float():
            writer.write(f"<value><double>{value!r}</double></value>\n")
        case bytes() | bytearray():
            writer.write(f"<value><base64>\n{b2a_base64(value).decode()}</base64></value>\n")
        case datetime():
            text = value.strftime("%Y%m%dT%H:%M:%S")
            writer.write(f"<value><dateTime.iso8601>{text}</dateTime.iso8601></value>\n")
        case _ if callable(encode := getattr(value, "encode", None)):
            encode(writer)
        case _:
            raise TypeError(f"cannot marshal {type(value)} objects")
