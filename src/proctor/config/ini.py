"""INI text to sections, by the lexical rules that Supervisor's users have relied on for years.

1. The deepest rule is indentation: a line indented deeper than the option above it continues its
   value, whatever it looks like (gotcha G46).
2. A comment needs a blank before its `;` or `#`, also inside quotes (gotcha G43).
3. Sections merge and the last option wins; a header ends at its last `]` (gotcha G47).
4. Options of [DEFAULT] stand in for those that a section lacks.

Every value keeps its place, and what its reader should know about how it was cut.
Source: compat config.md, section 2; `configparser` is the oracle of the tests.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

from proctor.config.problems import Place, Problem

_HEADER = re.compile(r"\[(?P<name>.+)\]")
_OPTION = re.compile(r"(?P<name>[^=:]*?)\s*[=:]\s*(?P<value>.*)$", re.DOTALL)
DEFAULTS = "DEFAULT"


class Value(NamedTuple):
    """The raw text of an option.

    `cut` is the comment that was taken off, `swallowed` the first line that continues the value but
    looks like a header or an option of its own; `lines` are the numbers of its further lines.
    """

    text: str
    place: Place
    cut: str = ""
    swallowed: Place | None = None
    lines: tuple[int, ...] = ()

    def place_of(self, line: int) -> Place:
        """Where the n-th line of its text is written; of one that is not there, the first."""
        further = self.lines[:line]
        return self.place._replace(line=further[-1]) if len(further) == line > 0 else self.place


class Section(NamedTuple):
    """A section, merged from all places where it is written; `place` is the first of them."""

    name: str
    place: Place
    options: dict[str, Value]


class Repeat(NamedTuple):
    """A section, or an option of it with another value, that is written a second time."""

    section: str
    option: str
    first: Place
    again: Place


class Sections:
    """All sections by name, in the order in which they first appear.

    `repeats` is what was written more than once; a file that was read twice counts once.
    """

    def __init__(self) -> None:
        self.repeats: list[Repeat] = []
        self._sections: dict[str, Section] = {}
        self._defaults: dict[str, Value] = {}

    def open(self, name: str, place: Place) -> None:
        """Make the section if it is new."""
        if name == DEFAULTS:
            return
        first = self._sections.setdefault(name, Section(name, place, {})).place
        if first != place:
            self.repeats.append(Repeat(name, "", first, place))

    def set(self, section: str, option: str, value: Value) -> None:
        """The value of an option in a section that was opened; a later one wins."""
        options = self._defaults if section == DEFAULTS else self._sections[section].options
        before = options.get(option)
        if before is not None and before.text != value.text and before.place != value.place:
            self.repeats.append(Repeat(section, option, before.place, value.place))
        options[option] = value

    def get(self, name: str) -> Section | None:
        """The section with the defaults filled in; None when there is none."""
        section = self._sections.get(name)
        if section is None or not self._defaults:
            return section
        return Section(name, section.place, {**self._defaults, **section.options})

    def starting_with(self, prefix: str) -> Iterator[Section]:
        """Sections whose name starts so, in order."""
        for name in self._sections:
            section = self.get(name)
            if section is not None and name.startswith(prefix):
                yield section

    def own(self) -> list[Section]:
        """All sections without the defaults: just what each of them says itself."""
        return list(self._sections.values())


class _Open:
    """The option that is being read: its value may go on."""

    def __init__(self, name: str, text: str, place: Place, cut: str) -> None:
        self.name = name
        self._lines = [text]
        self._numbers: list[int] = []
        self._place = place
        self._cut = cut
        self._swallowed: Place | None = None

    def go_on(self, text: str, place: Place, cut: str) -> None:
        self._lines.append(text)
        self._numbers.append(place.line)
        self._cut = self._cut or cut
        if self._swallowed is None and (_HEADER.match(text) or _OPTION.match(text)):
            self._swallowed = place

    def close(self) -> Value:
        # Blank lines inside a value stay, those behind it go.
        text = "\n".join(self._lines).rstrip()
        numbers = tuple(self._numbers[: text.count("\n")])
        return Value(text, self._place, self._cut, self._swallowed, numbers)


class _Lexer:
    """Takes the lines of one file, in order."""

    def __init__(self, sections: Sections) -> None:
        self._sections = sections
        self._section: str | None = None
        self._current: _Open | None = None
        self._indent = 0
        self.bad: list[tuple[int, str]] = []

    def take(self, line: str, place: Place) -> bool:
        """Whether the file may go on: not if an option comes before any section."""
        content, cut = _without_comment(line)
        if not content:
            if self._current is not None and not cut:
                self._current.go_on("", place, "")
            return True
        indent = len(line) - len(line.lstrip())
        if self._current is not None and indent > self._indent:
            self._current.go_on(content, place, cut)
            return True
        self._indent = indent
        return self._begin(line, content, cut, place)

    def _begin(self, line: str, content: str, cut: str, place: Place) -> bool:
        """A header or an option: what was open is complete."""
        self.finish()
        header, option = _HEADER.match(content), _OPTION.match(content)
        if header:
            self._section, self._current = header["name"], None
            self._sections.open(self._section, place)
        elif self._section is None:
            return False
        elif option is None:
            self.bad.append((place.line, line))
        elif not option["name"]:
            self.bad.append((place.line, line))
            self._current = None
        else:
            name = option["name"].lower()
            self._current = _Open(name, option["value"].strip(), place, cut)
        return True

    def finish(self) -> None:
        """Store the option that is open.  It may still go on, behind a line that is none."""
        if self._section is not None and self._current is not None:
            self._sections.set(self._section, self._current.name, self._current.close())


def read_into(sections: Sections, text: str, file: str) -> Problem | None:
    """Add the sections of a file to those already read; later options replace earlier ones.

    A file that cannot be understood gives a Problem, in the words of Python's parser.
    """
    lexer = _Lexer(sections)
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        place = Place(file, number)
        if "\0" in line:
            return _bad_lines(file, [(number, line)], "text, in UTF-8, without NUL characters")
        if not lexer.take(line, place):
            return _no_header(place, line)
    lexer.finish()
    return _bad_lines(file, lexer.bad) if lexer.bad else None


def _without_comment(line: str) -> tuple[str, str]:
    """(content, comment) of a line, both trimmed."""
    stripped = line.strip()
    if stripped.startswith((";", "#")):
        return "", stripped
    start = _comment_start(line)
    if start is None:
        return stripped, ""
    return line[:start].strip(), line[start:].strip()


def _comment_start(line: str) -> int | None:
    # Python's parser looks for both marks in step, the n-th `;` beside the n-th `#`, and takes the
    # first step that has a comment in it: `a=b;c ;d #e` is cut at the `#`.  Values depend on it.
    marks = [[at for at, char in enumerate(line) if char == mark] for mark in ";#"]
    for step in zip_longest(*marks):
        starts = [at for at in step if at is not None and (at == 0 or line[at - 1].isspace())]
        if starts:
            return min(starts)
    return None


def _no_header(place: Place, line: str) -> Problem:
    return Problem(
        f"File contains no section headers.\nfile: {place.file!r}, line: {place.line}\n{line!r}",
        place,
        expected="a section header such as [supervisord] before the first option",
    )


def _bad_lines(
    file: str,
    bad: list[tuple[int, str]],
    expected: str = "option=value; a comment line starts with ; or #",
) -> Problem:
    listed = "".join(f"\n\t[line {number:2d}]: {line!r}" for number, line in bad)
    return Problem(
        f"Source contains parsing errors: {file!r}{listed}",
        Place(file, bad[0][0]),
        expected=expected,
    )
