"""docs/reference/http-api.md is what the route table says.

`python tests/web/test_manual.py` writes it anew.
"""

from __future__ import annotations

from pathlib import Path

from proctor.web.manual import tables

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def manual() -> str:
    """The head that people write, then the tables."""
    return (REFERENCE / "http-api.head.md").read_text() + tables()


def test_the_manual_is_current() -> None:
    """What is committed is what the routes say now."""
    assert (REFERENCE / "http-api.md").read_text() == manual(), f"run python {__file__}"


if __name__ == "__main__":
    (REFERENCE / "http-api.md").write_text(manual())
