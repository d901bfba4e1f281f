"""docs/reference/coverage.md names tests that exist, and leaves no number out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
TABLE = (TESTS.parent / "docs" / "reference" / "coverage.md").read_text(encoding="utf-8")


def test_every_test_exists() -> None:
    """Whoever renames a test renames it there."""
    missing = []
    for path, name in re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", TABLE):
        file = TESTS / path
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        if not file.exists() or (name and f"def {name}(" not in text):
            missing.append(f"{path}::{name}")
    assert missing == []


@pytest.mark.parametrize(
    ("letter", "last"), [("G", 94), ("A", 7), ("B", 15), ("C", 8), ("D", 6), ("E", 9), ("F", 5)]
)
def test_no_number_is_missing(letter: str, last: int) -> None:
    """Neither an oddity nor an article."""
    cells = re.findall(r"^\| ((?:[A-G]\d+(?:, )?)+) \|.*::", TABLE, re.MULTILINE)
    found = {number for cell in cells for number in cell.split(", ")}
    assert {f"{letter}{number}" for number in range(1, last + 1)} <= found
