"""`proctor hash-password`: from a password to what a configuration should keep."""

from __future__ import annotations

import io
import re
import sys

import pytest

from proctor.__main__ import main
from proctor.core.passwords import matches, token_digest


def run(monkeypatch: pytest.MonkeyPatch, typed: str, *words: str) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    return main(["proctor", "hash-password", *words])


def test_it_prints_a_hash_of_the_line_that_comes_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a salt of its own each time; blanks belong to the password."""
    assert run(monkeypatch, " geheim 猫\n") == 0
    first = capsys.readouterr().out.strip()
    assert matches(first, " geheim 猫".encode())
    assert run(monkeypatch, " geheim 猫\n") == 0
    assert capsys.readouterr().out.strip() != first


def test_no_password_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, nothing on stdout."""
    assert run(monkeypatch, "\n") == 2
    assert capsys.readouterr().out == ""


def test_a_token_is_shown_once_beside_its_hash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Long and random."""
    assert run(monkeypatch, "", "--token") == 0
    out = capsys.readouterr().out
    found = re.fullmatch(r"token       (proctor_[0-9a-f]{64})\ntoken_hash  sha256\$(\w{64})\n", out)
    assert found
    assert token_digest(found[1].encode()) == found[2]
