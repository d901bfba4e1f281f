"""The command line of supervisord: flags from the option table, errors in the original's words.

1. Values are converted here; what the command line says wins over the file, also after restarts.
2. A flag can only switch on, and each option may be given once, in either spelling.
3. Long options may be shortened; options end at the first other word, and such a word is an error.

Source: compat config.md, sections 6 and 11.
"""

from __future__ import annotations

import getopt
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import Enum

from proctor.config.convert import BOOLEAN, USER
from proctor.config.options.supervisord import SUPERVISORD
from proctor.config.table import Option, flag_meant
from proctor.config.world import World
from proctor.core.values import dataclass


class Wish(Enum):
    """What the command line asks for."""

    RUN = "run"
    CHECK = "check"
    HELP = "help"
    VERSION = "version"


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says.

    `configuration` is the value of -c; `values` are converted values by option name; `json` and
    `strict` go with Wish.CHECK; `profile` is the value of --profile_options.
    """

    wish: Wish = Wish.RUN
    configuration: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    json: bool = False
    strict: bool = False
    profile: str | None = None


class UsageError(Exception):
    """A command line that cannot be understood."""


# Flags without a row: (short, long, whether a value follows, what it does).
_OTHERS = (
    ("-c", "configuration", True, "Read this file instead of searching for one."),
    ("-h", "help", False, "Show this text and exit."),
    ("-?", "", False, ""),
    ("-v", "version", False, "Show the version and exit."),
    ("", "check", False, "Check the configuration, print every mistake, and exit: 0 good, 2 bad."),
    ("", "json", False, "With --check: print a report for programs."),
    ("", "strict", False, "With --check: warnings are bad, too."),
    ("", "profile_options", True, "Run under Python's profiler; sort by these columns."),
)
_ROWS: tuple[Option[object], ...] = tuple(
    row for row in SUPERVISORD.options if row.flag or row.long_flag
)


def parse(words: Sequence[str], world: World) -> Overrides:
    """Read the words after the program's name.  Raises UsageError."""
    pairs, rest = _split(words)
    if rest:
        raise UsageError(f"positional arguments are not supported: {rest!r}")
    seen: dict[str, object] = {}
    for flag, text in pairs:
        name = _long_name(flag)
        if name in ("help", "version"):
            return Overrides(Wish(name))
        if name in seen:
            raise UsageError(f"conflicting command line option {flag!r}")
        seen[name] = _value(name, flag, text, world)
    rows = {row.name for row in _ROWS}
    return Overrides(
        Wish.CHECK if "check" in seen else Wish.RUN,
        _text_of(seen, "configuration"),
        {name: value for name, value in seen.items() if name in rows},
        "json" in seen,
        "strict" in seen,
        _text_of(seen, "profile_options"),
    )


def usage(program: str) -> str:
    """The text of --help."""
    lines = [f"usage: {program} [options]", "", "Run programs, and keep them running.", ""]
    for row in _ROWS:
        lines += _usage_of(row.flag, row.name, row.kind is not BOOLEAN, row.text)
    for short, name, takes_value, text in _OTHERS:
        if name:
            lines += _usage_of(short, name, takes_value, text)
    return "\n".join(lines) + "\n"


def _usage_of(short: str, name: str, takes_value: bool, text: str) -> list[str]:
    long = f"--{name}=VALUE" if takes_value else f"--{name}"
    head = f"  {short + ',' if short else '   '} {long}"
    return [head, *textwrap.wrap(text, 72, initial_indent=" " * 8, subsequent_indent=" " * 8)]


def _split(words: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    shorts, longs = "", []
    flags = [(row.flag, row.name, row.kind is not BOOLEAN) for row in _ROWS]
    for short, name, takes_value in [*flags, *(other[:3] for other in _OTHERS)]:
        shorts += short[1:] + (":" if short and takes_value else "")
        longs.append(name + ("=" if takes_value else ""))
    try:
        return getopt.getopt(list(words), shorts, [long for long in longs if long])
    except getopt.GetoptError as error:
        known = [long.rstrip("=") for long in longs if long]
        raise UsageError(f"{error}{flag_meant(str(error), known)}") from error


def _long_name(flag: str) -> str:
    if flag == "-?":
        return "help"
    spellings = {row.flag: row.name for row in _ROWS if row.flag}
    spellings.update({short: name for short, name, _, _ in _OTHERS if short})
    return spellings.get(flag, flag.removeprefix("--"))


def _value(name: str, flag: str, text: str, world: World) -> object:
    row = next((row for row in _ROWS if row.name == name), None)
    if row is None:
        return text
    if row.kind is BOOLEAN:
        return True
    try:
        return row.kind.parse(text, world)
    except ValueError as error:
        # The original finds an unknown user later than other mistakes, hence its shorter text.
        said = str(error) if row.kind is USER else f"invalid value for {flag} {text!r}: {error}"
        raise UsageError(said) from error


def _text_of(seen: Mapping[str, object], name: str) -> str | None:
    value = seen.get(name)
    return value if isinstance(value, str) else None
