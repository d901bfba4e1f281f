"""Problem: a mistake in a file, with its place and a hint; ConfigError holds all of them.

The first line of an error is the original's wording wherever it has one, because scripts grep for
it; what we know beyond that (place, expectation, hint) follows on lines of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, as the file was named by the user.  Line 0 means the whole file."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake.  `text` is in the original's words; `expected` and `hint` are ours, or empty."""

    text: str
    place: Place | None = None
    section: str = ""
    option: str = ""
    value: str | None = None
    expected: str = ""
    hint: str = ""

    def details(self) -> list[str]:
        """Where it is, what was expected and what to try; a line each, without the text."""
        lines = []
        if self.place is not None:
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


@dataclass(frozen=True, slots=True)
class Note:
    """Something to be said in the main log at start.  `level` is "warn" or "info"."""

    level: str
    text: str


class Findings:
    """What is found while a configuration is read: all mistakes and all notes, in that order."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}
        self._notes: dict[Note, None] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The mistakes, in the order in which the original would meet them."""
        return tuple(self._problems)

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes, in order."""
        return tuple(self._notes)

    def add(self, problem: Problem) -> None:
        """Another mistake; the same one found twice (numprocs=20) counts once."""
        self._problems[problem] = None

    def note(self, note: Note) -> None:
        """Another line for the log; the same one counts once."""
        self._notes[note] = None

    def warn(self, text: str, place: Place | None = None) -> None:
        """A line of level WARN.  Ours name the place; the original's words stay as they are."""
        self.note(Note("warn", text if place is None else f"{text} ({place})"))

    def raise_if_any(self) -> None:
        """Raises ConfigError when there is a mistake."""
        if self._problems:
            raise ConfigError(self.problems, self.notes)


class ConfigError(Exception):
    """A configuration that cannot be used.  Nothing of it was applied.

    `text` is the first mistake in the original's words; `str()` adds what else is known about it.
    """

    def __init__(self, problems: Iterable[Problem], notes: Iterable[Note] = ()) -> None:
        self.problems = tuple(problems)
        self.notes = tuple(notes)
        self.text = self.problems[0].text
        super().__init__(self.text)

    def __str__(self) -> str:
        more = len(self.problems) - 1
        hint = [f"({more} more; `supervisord --check` shows all)"] if more else []
        return "\n  ".join([self.text, *self.problems[0].details(), *hint])


def report(problems: Iterable[Problem], notes: Iterable[Note]) -> str:
    """Every mistake and every warning for a person; "" when there is nothing to say."""
    warnings = [note for note in notes if note.level == "warn"]
    texts = [
        *(problem.render() for problem in problems),
        *(f"warning: {note.text}" for note in warnings),
    ]
    return "\n".join(texts)


def report_as_json(problems: Iterable[Problem], notes: Iterable[Note]) -> str:
    """The same for a tool: {"ok": bool, "problems": [...], "notes": [...]}."""
    import json

    listed = [asdict(problem) for problem in problems]
    said = [asdict(note) for note in notes]
    return json.dumps({"ok": not listed, "problems": listed, "notes": said}, ensure_ascii=False)
