"""The `environment` option: observed readings of the original, and where ours goes further."""

from __future__ import annotations

import pytest

from proctor.config.environment import parse_environment

# What the original made of each text, as its child saw it.
OBSERVED = [
    ("", {}),
    ("A=1,B=2", {"A": "1", "B": "2"}),
    ('A="1",B="2",', {"A": "1", "B": "2"}),
    ("A=1;B=2", {"A": "1", "B": "2"}),
    ("\n  A=1,\n  B=2", {"A": "1", "B": "2"}),
    ("A = 1 , B = 2", {"A": "1", "B": "2"}),
    ("A=a:b/c.d+e-f(g),B=1", {"A": "a:b/c.d+e-f(g)", "B": "1"}),
    ("A='\"q\"'", {"A": "q"}),
    ("A=\"\",B=''", {"A": "", "B": ""}),
    ('A="x#y"', {"A": "x#y"}),
    ("A=x#y", {"A": "x"}),
    ('A=x"y",B=1', {"A": 'x"y', "B": "1"}),
    ("A=1,A=2", {"A": "2"}),
    ("A=é,B=1", {"A": "é", "B": "1"}),
    ('"A"=1', {'"A"': "1"}),
    ("A=!", {"A": "!"}),
]


@pytest.mark.parametrize(("text", "pairs"), OBSERVED)
def test_what_the_original_can_read_means_the_same(text: str, pairs: dict[str, str]) -> None:
    environment = parse_environment(text)
    assert dict(environment.pairs) == pairs
    assert environment.shortened == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=a b", "a"),
        ("A=$HOME", "$"),
        ("A=~/x", "~"),
        ('A="1" B', "1"),
        ('A="a\\"b"', "a\\"),
    ],
)
def test_a_shortened_value_stays_short_and_is_told(text: str, value: str) -> None:
    """Gotcha G15: kept, because it is what the program gets today."""
    environment = parse_environment(text)
    assert environment.pairs == (("A", value),)
    assert environment.shortened == ("A",)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("A=中文", {"A": "中文"}),
        ("A=中文,B=2", {"A": "中文", "B": "2"}),
        ("A=1\uff0cB=2", {"A": "1", "B": "2"}),
        ("A=", {"A": ""}),
        ("A=,B=2", {"A": "", "B": "2"}),
        ("A=1,B=", {"A": "1", "B": ""}),
        ('A="a \\"b\\" c",B="d\\"e"', {"A": 'a "b" c', "B": 'd"e'}),
    ],
)
def test_what_the_original_cannot_read_is_read_as_meant(text: str, pairs: dict[str, str]) -> None:
    """Gotcha G15: unquoted words beyond ASCII, empty values, backslashes in quotes."""
    environment = parse_environment(text)
    assert dict(environment.pairs) == pairs
    assert environment.shortened == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A", "Unexpected end of key/value pairs in value 'A'"),
        ("=1", "Unexpected end of key/value pairs in value '=1'"),
        ("A=1 B=2", "Unexpected end of key/value pairs in value 'A=1 B=2'"),
        ("A=1,,B=2", "Unexpected end of key/value pairs in value 'A=1,,B=2'"),
        ('A="x', "No closing quotation"),
    ],
)
def test_the_rest_is_refused_in_the_originals_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r".*") as refused:
        parse_environment(text)
    assert str(refused.value) == words
