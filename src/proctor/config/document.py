"""The option table as the sample file that `echo_supervisord_conf` prints.

The file runs as printed: a unix socket and a log under /tmp, supervisorctl's interface, no program.
Every other option is there as a comment, with its default or an example.
Source: compat config.md, section 17.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from proctor.config.options.all import SECTIONS
from proctor.config.options.program import PROGRAM_OPTIONS
from proctor.config.table import Option, SectionType

# Where a comment behind a setting begins, and how long it may be.
_COLUMN, _WIDTH = 34, 62

_HEAD = """\
; Configuration of supervisord and supervisorctl.
;
; A comment begins with a semicolon at the start of a line, or behind a blank:
; "a = b ;comment" has one, "a = b;comment" has none.
; %(ENV_HOME)s stands for the variable HOME, and so on; %(here)s for the directory
; of this file; %% for a percent sign.  Quotes belong to the value, except in
; environment=.  Paths may begin with ~ only where it says so in the manual.
"""


def sample() -> str:
    """A complete configuration file with everything explained."""
    return _HEAD + "".join("\n" + "\n".join(_section(kind)) + "\n" for kind in SECTIONS)


def _section(kind: SectionType) -> Iterator[str]:
    mark = "" if kind.in_sample else ";"
    yield from (f"; {line}" for line in textwrap.wrap(kind.text, 76))
    yield f"{mark}[{kind.name}{kind.example}]"
    shared = kind.options is not PROGRAM_OPTIONS and PROGRAM_OPTIONS[0] in kind.options
    for row in kind.options:
        # What is the same as in [program:x] is explained there, once.
        if not shared or row not in PROGRAM_OPTIONS or row is PROGRAM_OPTIONS[0]:
            yield _row(row, mark or ("" if row.in_sample else ";"))
    if kind.open_ended and not kind.in_sample:
        yield ";any_option=any value"


def _row(row: Option[object], mark: str) -> str:
    setting = f"{mark}{row.name}={row.sample}"
    if len(setting) <= _COLUMN and len(row.text) <= _WIDTH:
        return f"{setting:<{_COLUMN}} ; {row.text}"
    explained = "\n".join(f"; {line}" for line in textwrap.wrap(row.text, 76))
    return f"{explained}\n{setting}"
