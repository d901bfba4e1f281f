"""%(ENV_x)s and its relatives: Python's % formatting with names, and the errors people know.

Source: compat config.md, section 4.  One deliberate difference: a bare `%s` or `%r` has no name
to be replaced by; the original puts its whole table of names there, environment included.  Ours
stays `%s` or `%r`.
"""

from __future__ import annotations

from collections.abc import Mapping

from proctor.config.table import closest

_VARIABLE = "ENV_"


class ExpansionError(ValueError):
    """A text that cannot be expanded; `hint` may say what to try, or be empty."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint


class _Names(dict[str, object]):
    def __str__(self) -> str:
        return "%s"

    def __repr__(self) -> str:
        return "%r"


def expand(text: str, names: Mapping[str, object], option: str) -> str:
    """The text with its names replaced.  Raises ExpansionError, which names `option`."""
    if "%" not in text:
        return text
    try:
        return text % _Names(names)
    except KeyError as error:
        name = str(error.args[0])
        listed, close = ", ".join(sorted(names)), _meant(name, names)
        raise ExpansionError(
            f"Format string {text!r} for {option!r} contains names ('{name}') which cannot be "
            f"expanded. Available names: {listed}",
            f"did you mean %({close})s?" if close else "",
        ) from None
    except (TypeError, ValueError, OverflowError, MemoryError) as error:
        # The last two: %(x)c of a big number, %(x)999999999999s.
        reason = str(error).replace("not _Names", "not dict") or "the result is too long"
        raise ExpansionError(
            f"Format string {text!r} for {option!r} is badly formatted: {reason}",
            "write %% for a percent sign",
        ) from None


def _meant(name: str, names: Mapping[str, object]) -> str:
    """The known name that may have been meant; "" when none is near."""
    if f"{_VARIABLE}{name}" in names:
        return f"{_VARIABLE}{name}"
    variable = name.removeprefix(_VARIABLE)
    if variable == name:
        return closest(name, names)
    # What all of them begin with makes none of them more like another.
    known = [each.removeprefix(_VARIABLE) for each in names if each.startswith(_VARIABLE)]
    close = closest(variable, known)
    return f"{_VARIABLE}{close}" if close else ""


def expand_again(text: str, names: Mapping[str, object]) -> str:
    """A second expansion where the original makes one, unless it fails (gotcha G14)."""
    try:
        return expand(text, names, "")
    except ExpansionError:
        return text
