"""The lexer, beside Python's own parser with the settings that Supervisor's files are used to."""

from __future__ import annotations

import configparser
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proctor.config.ini import Sections, read_into

Parsed = dict[str, dict[str, str]]


def ours(text: str) -> Parsed | str:
    sections = Sections()
    problem = read_into(sections, text, "f")
    if problem is not None:
        return problem.text
    found = {}
    for each in sections.own():
        section = sections.get(each.name)
        assert section is not None
        found[each.name] = {name: value.text for name, value in section.options.items()}
    return found


def pythons(text: str) -> Parsed | str:
    parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=(";", "#"))
    try:
        parser.read_file(io.StringIO(text, newline=None), source="f")
    except (configparser.ParsingError, configparser.MissingSectionHeaderError) as error:
        return str(error)
    return {name: dict(parser.items(name)) for name in parser.sections()}


WORDS = ["[a]", "[b]", "[DEFAULT]", "x", "Y", "=", ":", " ", "  ", "\t", ";", "#", "'", '"', "]"]
PIECES = st.sampled_from([*WORDS, "\n", "\n ", "\n\n", "\r\n", "中", "\u3000", "%(x)s", ";;", " ;"])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_text_means_what_it_means_to_pythons_parser(text: str) -> None:
    """Sections, options, values and errors are the same, whatever the text."""
    text = "[s]\n" + text
    assert ours(text) == pythons(text)


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_text_before_any_section_is_refused_alike(text: str) -> None:
    assert ours(text) == pythons(text)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("a=b;c", "b;c"),
        ("a=b ;c", "b"),
        ("a=sh -c 'x ; y'", "sh -c 'x"),
        ('a=nginx -g "daemon off;"', 'nginx -g "daemon off;"'),
        ("a=;c", ";c"),
        ("a= ;c", ""),
        ("a=b;c ;d #e", "b;c ;d"),
        ("a : b = c", "b = c"),
        ("A=b", "b"),
        ("a=b\n c\n\n  # comment\n d", "b\nc\n\nd"),
        ("a=1\na=2", "2"),
        ("a=b\n c=d", "b\nc=d"),
    ],
)
def test_comments_continuations_and_doubles(line: str, value: str) -> None:
    """Gotchas G43, G44, G46: quotes do not protect; a comment needs a blank before it."""
    found = ours(f"[s]\n{line}\n")
    assert found == {"s": {"a": value}}
    assert found == pythons(f"[s]\n{line}\n")


def test_a_value_knows_its_line_its_comment_and_what_it_swallowed() -> None:
    """The places that error messages name."""
    sections = Sections()
    assert read_into(sections, "[s]\n\na=true ;why\n  [program:x]\n", "f") is None
    section = sections.get("s")
    assert section is not None
    value = section.options["a"]
    assert (str(value.place), value.cut, str(value.swallowed)) == ("f:3", ";why", "f:4")


def test_a_header_ends_at_its_last_bracket_and_sections_merge() -> None:
    """Gotcha G47, seed C2."""
    text = "[program:xx]是被管理的进程配置参数\na=1\n[program:xx] ; again\nb=2\n[x[y]]z\n"
    assert ours(text) == {"program:xx": {"a": "1", "b": "2"}, "x[y]": {}}


def test_a_file_that_is_indented_throughout_is_read_as_usual() -> None:
    """Seeds B4 to B6."""
    assert ours(" [a]\n x=1\n y=2\n") == {"a": {"x": "1", "y": "2"}}
