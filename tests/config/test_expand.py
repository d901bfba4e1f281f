"""%(name)s: what is replaced, and what is said when it cannot be."""

from __future__ import annotations

import pytest

from proctor.config.expand import ExpansionError, expand, expand_again

NAMES: dict[str, object] = {"here": "/etc", "process_num": 7, "ENV_HOME": "/root"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("%(here)s/x", "/etc/x"),
        ("90%(process_num)02d", "9007"),
        ("100%%", "100%"),
        ("date +%s", "date +%s"),
        ("plain", "plain"),
    ],
)
def test_names_are_replaced_by_any_conversion(text: str, value: str) -> None:
    assert expand(text, NAMES, "program:x.command") == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "%(nope)s",
            "Format string '%(nope)s' for 's.o' contains names ('nope') which cannot be expanded. "
            "Available names: ENV_HOME, here, process_num",
        ),
        ("50%", "Format string '50%' for 's.o' is badly formatted: incomplete format"),
        (
            "%d",
            "Format string '%d' for 's.o' is badly formatted: %d format: a real number is "
            "required, not dict",
        ),
        (
            "%z",
            "Format string '%z' for 's.o' is badly formatted: unsupported format character 'z' "
            "(0x7a) at index 1",
        ),
    ],
)
def test_what_cannot_be_expanded_is_told_in_the_originals_words(text: str, words: str) -> None:
    with pytest.raises(ExpansionError) as refused:
        expand(text, NAMES, "s.o")
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("proces_num", "did you mean %(process_num)s?"),
        ("ENV_HOMM", "did you mean %(ENV_HOME)s?"),
        ("EVN_HOME", "did you mean %(ENV_HOME)s?"),
        ("HOME", "did you mean %(ENV_HOME)s?"),
        # All variables begin alike: that makes none the other.
        ("ENV_NOPE", ""),
    ],
)
def test_a_misspelled_name_gets_a_suggestion(name: str, hint: str) -> None:
    with pytest.raises(ExpansionError) as refused:
        expand(f"%({name})s", NAMES, "s.o")
    assert refused.value.hint == hint


def test_a_second_expansion_happens_only_where_it_succeeds() -> None:
    """Gotcha G14."""
    assert expand_again("a%%b", NAMES) == "a%b"
    assert expand_again("a%b", NAMES) == "a%b"
