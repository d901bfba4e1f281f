"""Option and SectionType: what a row of the option table says.

The rows are in `options/`.  They feed the parser, the command line, the sample file and the manual;
nothing else knows an option's name, kind or default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

from proctor.config.convert import Kind

T_co = TypeVar("T_co", covariant=True)


class Option(NamedTuple, Generic[T_co]):
    """One option of a section.

    `text` is the manual's.  `flag` is its short command-line flag; every option with a flag, or
    with `long_flag`, has a long one of its own name.  `sample` is the value the sample file shows,
    and `in_sample` says that it is set there.
    """

    name: str
    kind: Kind[T_co]
    default: T_co
    text: str
    since: str = "3.0"
    flag: str = ""
    long_flag: bool = False
    sample: str = ""
    in_sample: bool = False


class SectionType(NamedTuple):
    """A kind of section.  `name` ends in ":" when a name of the user's follows.

    `open_ended`: options beyond the rows are handed on to a plug-in.  `prefix`: the section may be
    written with anything after its name, as the original takes it.
    """

    name: str
    options: tuple[Option[object], ...]
    text: str
    example: str = ""
    open_ended: bool = False
    prefix: bool = False
    in_sample: bool = False

    def covers(self, section: str) -> bool:
        """Whether a section of the file is of this type."""
        if self.prefix or self.name.endswith(":"):
            return section.startswith(self.name)
        return section == self.name


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint at the known word that is most like this one; "" when none is."""
    close = closest(word, known)
    return f"did you mean {close}?" if close else ""


def hinted(text: str, word: str, known: Iterable[str]) -> str:
    """What is wrong with a word, followed by what may have been meant."""
    hint = did_you_mean(word, known)
    return f"{text}; {hint}" if hint else text


def flag_meant(complaint: str, known: Iterable[str]) -> str:
    """A second line for getopt's complaint about a long flag that is none; "" when none is close.

    `known` are long flags without their hyphens; one may have been shortened, too.
    """
    match = re.fullmatch(r"option --(\S+) not recognized", complaint)
    if match is None:
        return ""
    typed = match[1]
    spelled = {name[:length]: name for name in known for length in (len(typed), len(name))}
    close = spelled.get(closest(typed, spelled), "")
    return f"\n  hint: did you mean --{close}?" if close else ""


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like this one; "" when none is."""
    import difflib

    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)), "")
