"""Reader: one section on its way from text to values, by the rows of the option table.

A value that cannot be read becomes a Problem and the row's default goes on in its place, so that
one reading finds every mistake.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, TypeVar, cast

from proctor.config.convert import Kind
from proctor.config.expand import ExpansionError, expand, expand_again
from proctor.config.ini import Section, Value
from proctor.config.problems import Findings, Problem
from proctor.config.source import here_of
from proctor.config.table import Option, did_you_mean
from proctor.config.world import World

T = TypeVar("T")

# Wherever a comment may have been stuck on by mistake; elsewhere a ";" is usual (gotcha G44).
_SECRET = frozenset({"password", "password_hash", "token_hash", "environment"})
_SEMICOLON_IS_USUAL = frozenset({"command", "environment", "password", "username", "files"})
_STUCK_COMMENT = re.compile(r"\S;")
_SWALLOWED_OPTION = re.compile(r"[a-z_]+\s*=|\[[^\n]+\]")
_SWALLOWED_HEADER = re.compile(r"\n\[[^\n]+\]")
# Kinds whose errors the original words by the option, not by the value.
_NAMED_ERRORS: Mapping[str, str] = {
    "chmod": "Invalid chmod value {}",
    "chown": "Invalid sockchown value {}",
    "socket_owner": "Invalid socket_owner value {}",
    "socket_mode": "Invalid socket_mode value {}",
}


class Context(NamedTuple):
    """What all readers of one reading share.  `names`: what any option may use in %(...)s."""

    world: World
    findings: Findings
    names: dict[str, object]


class Reader:
    """Reads the options of one section.

    `names` come on top of the context's; `suffix` is what the original appends to the texts of
    errors in this section; `overrides` are values of the command line, which win.
    """

    def __init__(
        self,
        section: Section,
        context: Context,
        names: Mapping[str, object] | None = None,
        suffix: str = "",
        overrides: Mapping[str, object] | None = None,
    ) -> None:
        self.section = section
        self.context = context
        self.names: dict[str, object] = {**context.names, **(names or {})}
        self._suffix = suffix
        self._overrides = overrides or {}

    def has(self, option: Option[object]) -> bool:
        """Whether the section sets the option."""
        return option.name in self.section.options

    def raw(self, option: Option[object]) -> str | None:
        """The text as written, not expanded."""
        value = self.section.options.get(option.name)
        return None if value is None else value.text

    def get(self, option: Option[T], more_names: Mapping[str, object] | None = None) -> T:
        """The value of the option; its default when it is not set or cannot be read."""
        value = self.section.options.get(option.name)
        found = option.default
        if value is not None:
            text = self.expand(option.name, value, more_names)
            found = option.default if text is None else self.convert(option, text, value)
        # A mistake in the file is one even where the command line wins.
        return cast(T, self._overrides.get(option.name, found))

    def text(
        self, option: Option[object], more_names: Mapping[str, object] | None = None
    ) -> str | None:
        """The expanded text; None when the option is not set or cannot be expanded."""
        value = self.section.options.get(option.name)
        return None if value is None else self.expand(option.name, value, more_names)

    def get_twice(self, option: Option[T], more_names: Mapping[str, object]) -> T:
        """As `get`, for an option that the original expands twice (gotcha G14)."""
        value = self.section.options.get(option.name)
        if value is None:
            return option.default
        text = self.expand(option.name, value, more_names)
        if text is None:
            return option.default
        return self.convert(option, expand_again(text, self._names(value, more_names)), value)

    def expand(
        self, name: str, value: Value, more_names: Mapping[str, object] | None = None
    ) -> str | None:
        """The text with its names replaced; None, and a Problem, when that cannot be done."""
        self._warn_of_cuts(name, value)
        if "%" not in value.text:
            return value.text
        names = self._names(value, more_names)
        try:
            return expand(value.text, names, f"{self.section.name}.{name}")
        except ExpansionError as error:
            hidden = name in ("password", "password_hash", "token_hash")
            said = str(error).replace(repr(value.text), "'...'") if hidden else str(error)
            self.fail(said, name, hint=error.hint)
            return None

    def _names(self, value: Value, more_names: Mapping[str, object] | None) -> dict[str, object]:
        here = here_of(value.place.file, self.context.world)
        return {**self.names, **(more_names or {}), "here": here}

    def convert(self, option: Option[T], text: str, value: Value) -> T:
        """The text as a value; the default, and a Problem, when it is not one."""
        try:
            return option.kind.parse(text, self.context.world)
        except ValueError as error:
            wording = _NAMED_ERRORS.get(option.name)
            hint = self._hint(option.kind, text, value)
            said = wording.format(text) if wording else str(error)
            self.fail(said, option.name, option.kind.expected, hint)
            return option.default

    def _hint(self, kind: Kind[object], text: str, value: Value) -> str:
        """What to try, when the mistake is one of the usual ones."""
        if value.swallowed is not None and self._is_good_alone(kind, text):
            return f"{value.swallowed} is indented, so it continues this value: remove the blanks"
        if _STUCK_COMMENT.search(text):
            return "did you mean a comment?  It needs a blank before the ';'"
        if text in ("l", "I", "O", "o"):
            return f"this is a letter; did you mean {'0' if text in 'Oo' else '1'}?"
        return did_you_mean(text.lower(), kind.words)

    def _is_good_alone(self, kind: Kind[object], text: str) -> bool:
        """Whether an option of a section would stand below the first line, which is a value.

        In a value that is meant to have several lines, the mistake is another one.
        """
        first, _, rest = text.partition("\n")
        if not _SWALLOWED_OPTION.match(rest):
            return False
        try:
            kind.parse(first, self.context.world)
        except ValueError:
            return False
        return True

    def fail(self, text: str, option: str = "", expected: str = "", hint: str = "") -> None:
        """Add a mistake of this section; its place is the option's, or the header's."""
        value = self.section.options.get(option)
        place = self.section.place if value is None else value.place
        shown = None if value is None or option in _SECRET else value.text
        name = self.section.name
        self.context.findings.add(
            Problem(text + self._suffix, place, name, option, shown, expected, hint)
        )

    def warn(self, text: str, option: str = "", hint: str = "") -> None:
        """Add a warning of ours about an option of this section."""
        value = self.section.options.get(option)
        place = self.section.place if value is None else value.place
        self.context.findings.warn(text, place, self.section.name, option, hint)

    def _warn_of_cuts(self, name: str, value: Value) -> None:
        where = f"[{self.section.name}] {name}"
        if value.cut and any(value.text.count(quote) % 2 for quote in "'\""):
            self.warn(f"{where}: a quote is left open where the comment was cut off", name)
        if name not in _SEMICOLON_IS_USUAL and _STUCK_COMMENT.search(value.text):
            self.warn(
                f"{where}: the ';' is part of the value; a comment needs a blank before it", name
            )
        if value.swallowed is not None and _SWALLOWED_HEADER.search(value.text):
            self.warn(f"{where}: {value.swallowed} is indented and so continues this value", name)
