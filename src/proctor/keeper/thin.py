"""The standard library's signals, sockets and JSON without what only people need of them.

`signal` and `socket` are layers of enum names over C modules, `json` one of regular expressions
over another.  The layers cost 1.2 MiB, a quarter of a keeper, which needs nothing of them; but the
modules below are private.  Where one is missing or is not as we know it, the public one does the
same (docs/decisions/0021).

Without the layers a signal is a plain int, and a socket can only what `_socket` in typeshed says.
The JSON is that of `json` to the byte, without a space after commas and colons.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as signals
    from collections.abc import Callable
    from typing import Any
else:
    try:
        import _signal as signals
    except ImportError:
        import signal as signals

try:
    import _socket as sockets
except ImportError:
    import socket as sockets  # type: ignore[no-redef]

__all__ = ["dumps", "loads", "signals", "sockets"]


class _AsUsual:
    """What `json.loads` tells its scanner when nothing special is asked for."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float


def _refuse(value: object) -> object:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _make() -> tuple[Callable[[object], str], Callable[[bytes], Any]]:
    """`dumps` and `loads`.  Raises ImportError, TypeError or AttributeError where the C module is
    not the one we know.
    """
    from _json import encode_basestring_ascii, make_encoder, make_scanner

    # Without the first argument circles are not looked for: no message of ours has one.
    encode = make_encoder(
        None, _refuse, encode_basestring_ascii, None, ":", ",", False, False, True
    )
    scan = make_scanner(_AsUsual)  # type: ignore[arg-type]  # whatever has these attributes

    def dumps(value: object) -> str:
        return "".join(encode(value, 0))

    def loads(data: bytes) -> Any:
        text = data.decode("utf-8", "surrogatepass").strip(" \t\n\r")
        try:
            value, end = scan(text, 0)
        except (StopIteration, ImportError):  # nothing there; its error class cannot be loaded
            raise ValueError("no JSON") from None
        if end != len(text):
            raise ValueError(f"no JSON from character {end} on")
        return value

    return dumps, loads


def _make_as_usual() -> tuple[Callable[[object], str], Callable[[bytes], Any]]:
    import json

    def dumps(value: object) -> str:
        return json.dumps(value, separators=(",", ":"))

    return dumps, json.loads


try:
    dumps, loads = _make()
except (ImportError, TypeError, AttributeError):
    dumps, loads = _make_as_usual()
