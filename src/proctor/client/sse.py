"""Server-sent events out of a stream of bytes that was cut anywhere."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def _ignore(_: str) -> None:
    pass


def events(
    pieces: Iterable[bytes], on_id: Callable[[str], None] = _ignore
) -> Iterator[tuple[str, str]]:
    """(event, data) of each that is complete; comments and fields of other names are left out.

    `on_id` is told the id of a message before the message comes, and ids without a message.
    """
    name, data, last = "", list[str](), ""
    for line in _lines(pieces):
        field, _, value = line.decode("utf-8", "replace").partition(":")
        match field:
            case "event":
                name = value.removeprefix(" ")
            case "id":
                last = value.removeprefix(" ")
            case "data":
                data.append(value.removeprefix(" "))
        if not line:
            if last:
                on_id(last)
            if data:
                yield name, "\n".join(data)
            name, data, last = "", [], ""


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
