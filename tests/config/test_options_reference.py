"""docs/reference/options.md lists every option that Supervisor does not have, as the table says.

`python tests/config/test_options_reference.py` writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from proctor.config.convert import BOOLEAN, BYTE_SIZE, TEXT
from proctor.config.options.all import SECTIONS
from proctor.config.options.program import PROGRAM
from proctor.config.table import Option, SectionType

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "options.md"
_OURS = "Proctor"
_HEAD = """\
# Options that Supervisor does not have

Every option of Supervisor 4.3 is there, too, and means the same; `echo_supervisord_conf` prints
all of them with an explanation. Those below are Proctor's. The options of `[alerts]` are in
[the how-to on alerts](../how-to/alerts.md).

This page is made of the table by which the daemon reads its configuration
(`tests/config/test_options_reference.py`).
"""


def reference() -> str:
    """The whole page."""
    sections = ["\n".join(_section(kind)) for kind in SECTIONS if _own(kind)]
    return "\n".join([_HEAD, *(f"{section}\n" for section in sections)])


def _own(kind: SectionType) -> list[Option[object]]:
    """Our options of a section; those of all programs stand with [program:x] only."""
    shared = PROGRAM.options if kind is not PROGRAM else ()
    return [row for row in kind.options if row.since.startswith(_OURS) and row not in shared]


def _section(kind: SectionType) -> Iterator[str]:
    yield f"## [{kind.name}{'x' if kind.name.endswith(':') else ''}]"
    yield ""
    if kind is PROGRAM:
        yield "Also in `[eventlistener:x]` and `[fcgi-program:x]`."
        yield ""
    elif all(row.since.startswith(_OURS) for row in kind.options):
        yield kind.text
        yield ""
    yield "| Option | Value | Without it | Meaning |"
    yield "|---|---|---|---|"
    for row in _own(kind):
        cells = f"`{row.name}`", _value(row), _default(row), row.text
        yield f"| {' | '.join(cells)} |"


def _value(row: Option[object]) -> str:
    if row.kind is BOOLEAN:
        return "true or false"
    return f"such as `{row.sample}`" if row.kind is TEXT else row.kind.expected


def _default(row: Option[object]) -> str:
    value = row.default
    if value in (None, ()):
        return ""
    if row.kind is BYTE_SIZE:
        return f"`{row.sample}`"
    if isinstance(value, tuple):
        return f"`{','.join(value)}`"
    if isinstance(value, bool | Enum):
        return f"`{str(getattr(value, 'name', value)).lower()}`"
    return f"`{value}`"


def test_the_reference_is_current() -> None:
    """What is committed is what the table says now."""
    assert REFERENCE.read_text() == reference(), f"run python {__file__}"


if __name__ == "__main__":
    REFERENCE.write_text(reference())
