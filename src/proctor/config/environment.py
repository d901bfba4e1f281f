"""The `environment` option: KEY=VALUE pairs in shell-like quoting, read as the original reads them.

1. What the original can read means the same here, silent shortening included; we warn of that.
2. What it cannot read is tried again: non-ASCII words unquoted, `KEY=` as empty, and backslashes in
   quotes as its version 4.4 does (gotcha G15).
3. If that fails too, the error is the original's.

Source: compat config.md, section 5.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from proctor.core.values import dataclass

_WORD_CHARS = "/.+-():"
# Beside the usual ones, the comma and semicolon of Chinese keyboards.
_SEPARATORS = frozenset(",;|&\uff0c\uff1b\u3001")


@dataclass(frozen=True, slots=True)
class Environment:
    """The pairs, each key once, and the keys whose values look shortened."""

    pairs: tuple[tuple[str, str], ...] = ()
    shortened: tuple[str, ...] = ()


def parse_environment(text: str) -> Environment:
    """Read the option.  Raises ValueError with the original's text."""
    failure: ValueError | None = None
    try:
        plain = _read(_tokens(text))
    except ValueError as error:
        failure = error
    else:
        if not plain.shortened or text.isascii():
            return plain
    for posix in (False, True):
        try:
            tokens = _tokens(text, posix, _unusual(text))
            lenient = _read(tokens, lenient=True, quotes="" if posix else "'\"")
        except ValueError:
            continue
        if failure is not None or not lenient.shortened:
            return lenient
    if failure is not None:
        raise ValueError(str(failure) if "quotation" in str(failure) else _unexpected(text))
    return plain


def _unexpected(text: str) -> str:
    return f"Unexpected end of key/value pairs in value '{text}'"


def _unusual(text: str) -> str:
    """Letters and digits beyond ASCII, which the original does not count as part of a word."""
    return "".join({char for char in text if not char.isascii() and char.isalnum()})


def _tokens(text: str, posix: bool = False, more: str = "") -> list[str]:
    lexer = shlex.shlex(text, posix=posix)
    lexer.wordchars += _WORD_CHARS + more
    return list(lexer)


def _read(tokens: list[str], lenient: bool = False, quotes: str = "'\"") -> Environment:
    found: dict[str, str] = {}
    shortened: list[str] = []
    for key, value, separator in _triples(tokens, lenient):
        found[key] = value.strip(quotes)
        if separator and separator not in _SEPARATORS:
            shortened.append(key)
    return Environment(tuple(found.items()), tuple(shortened))


def _triples(tokens: list[str], lenient: bool) -> Iterator[tuple[str, str, str]]:
    """Key, value and the token between this pair and the next ("" at the end)."""
    at = 0
    while at < len(tokens):
        key, equals, value, separator = (*tokens[at : at + 4], "", "", "")[:4]
        missing = at + 2 >= len(tokens)
        if lenient and equals == "=" and (missing or value in (",", ";")):
            value, separator = "", value
            at -= 1
        elif equals != "=" or missing:
            raise ValueError("unexpected end")
        yield key, value, separator
        at += 4
