"""Problem: a mistake or oversight in a file, with its place; ConfigError holds all mistakes.

The first line of an error is the original's wording wherever it has one, because scripts grep for
it; what we know beyond that (place, expectation, hint) follows on lines of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Place(NamedTuple):
    """A line of a file, as the file was named by the user.  Line 0 means the whole file."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Problem(NamedTuple):
    """One mistake, or something to be said in the main log at start.

    `text` is in the original's words where it has some; `expected` and `hint` are ours, or empty.
    `level` is "error" for a mistake, else "warn" or "info".
    """

    text: str
    place: Place | None = None
    section: str = ""
    option: str = ""
    value: str | None = None
    expected: str = ""
    hint: str = ""
    level: str = "error"

    def details(self) -> list[str]:
        """Where it is, what was expected and what to try; a line each, without the text."""
        lines = []
        # The text itself names a file that is wrong as a whole.
        if self.place is not None and (self.place.line or self.section):
            where = f"[{self.section}]" if self.section else ""
            lines.append(f"at {self.place} {where} {self.option}".rstrip())
        if self.expected:
            lines.append(f"expected {self.expected}")
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return lines

    def render(self) -> str:
        """The text and, indented below it, the details."""
        return "\n  ".join([self.text, *self.details()])

    def line(self) -> str:
        """Text, hint and place in one line, for the log."""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.text}{hint}" + (f" ({self.place})" if self.place else "")

    def as_data(self) -> dict[str, object]:
        """What tools get; always the same keys."""
        return {
            "level": self.level,
            "file": self.place.file if self.place else None,
            "line": self.place.line or None if self.place else None,
            "section": self.section,
            "option": self.option,
            "value": self.value,
            "expected": self.expected,
            "hint": self.hint,
            "text": self.text,
        }


class Findings:
    """What is found while a configuration is read: all mistakes and all notes, in that order."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}
        self._notes: dict[Problem, None] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The mistakes, in the order in which the original would meet them."""
        return tuple(self._problems)

    @property
    def notes(self) -> tuple[Problem, ...]:
        """The notes, in order."""
        return tuple(self._notes)

    def add(self, problem: Problem) -> None:
        """Another mistake or note; the same one found twice (numprocs=20) counts once."""
        (self._problems if problem.level == "error" else self._notes)[problem] = None

    def warn(
        self,
        text: str,
        place: Place | None = None,
        section: str = "",
        option: str = "",
        hint: str = "",
    ) -> None:
        """A line of level WARN.  Ours name the place; the original's words stay as they are."""
        self.add(Problem(text, place, section, option, hint=hint, level="warn"))

    def raise_if_any(self) -> None:
        """Raises ConfigError when there is a mistake."""
        if self._problems:
            raise ConfigError(self.problems, self.notes)


class ConfigError(Exception):
    """A configuration that cannot be used.  Nothing of it was applied.

    `text` is the first mistake in the original's words; `str()` adds what else is known about it.
    """

    def __init__(self, problems: Iterable[Problem], notes: Iterable[Problem] = ()) -> None:
        self.problems = tuple(problems)
        self.notes = tuple(notes)
        self.text = self.problems[0].text
        super().__init__(self.text)

    def __str__(self) -> str:
        more = len(self.problems) - 1
        hint = [f"({more} more; `supervisord --check` shows all)"] if more else []
        return "\n  ".join([self.text, *self.problems[0].details(), *hint])


def report(problems: Iterable[Problem], notes: Iterable[Problem]) -> str:
    """Every mistake and every warning for a person; "" when there is nothing to say."""
    texts = [problem.render() for problem in problems]
    return "\n".join(texts + [f"warning: {note.line()}" for note in notes if note.level == "warn"])


def report_as_json(problems: Iterable[Problem], notes: Iterable[Problem], *, good: bool) -> str:
    """The same for a tool: {"ok": bool, "problems": [...], "notes": [...]}, in ASCII."""
    import json

    listed = [problem.as_data() for problem in problems]
    said = [note.as_data() for note in notes]
    return json.dumps({"ok": good, "problems": listed, "notes": said})
