"""Passwords as they are kept."""

from __future__ import annotations

import pytest

from proctor.core.passwords import hashed, is_slow, matches, problem_of

SALT = b"0123456789abcdef"


def test_a_hash_knows_its_password_and_no_other() -> None:
    """The same password gives another hash with another salt."""
    kept = hashed(b"secret", SALT)
    assert kept.startswith("scrypt$14$8$1$")
    assert matches(kept, b"secret")
    assert not matches(kept, b"Secret")
    assert kept != hashed(b"secret", SALT[::-1])
    assert is_slow(kept)
    assert problem_of(kept) == ""


def test_the_old_forms_go_on() -> None:
    """Clear text, and SHA-1 in any case."""
    sha = "{SHA}E5E9FA1BA31ECD1AE84F75CAAA474F3A663F05F4"
    assert matches(sha, b"secret")
    assert not matches(sha, b"")
    assert matches("secret", b"secret")
    assert not matches("secret", b"secre")


@pytest.mark.parametrize(
    "broken",
    [
        "scrypt$",
        "scrypt$14$8$1$AAAA",
        "scrypt$99$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$AAAA",
        "scrypt$14$0$1$MDEyMzQ1Njc4OWFiY2RlZg==$AAAA",
        "scrypt$x$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$AAAA",
        "scrypt$20$64$1$MDEyMzQ1Njc4OWFiY2RlZg==$" + "A" * 43 + "=",
    ],
)
def test_half_a_hash_or_one_that_costs_too_much_is_none(broken: str) -> None:
    """It lets nobody in, and is a mistake of the file."""
    assert not matches(broken, b"")
    assert problem_of(broken)
