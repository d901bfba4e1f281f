"""docs/reference/http-api.md and openapi.json are what the route table says.

`python tests/web/test_manual.py` writes them anew.
"""

from __future__ import annotations

import json
from pathlib import Path

from proctor.web.manual import tables
from proctor.web.openapi import document
from proctor.web.rest.all import ROUTES

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def manual() -> str:
    """The head that people write, then the tables."""
    return (REFERENCE / "http-api.head.md").read_text() + tables()


def test_the_manual_is_current() -> None:
    """What is committed is what the routes say now."""
    assert (REFERENCE / "http-api.md").read_text() == manual(), f"run python {__file__}"


def openapi() -> str:
    """As it is committed: for people who read what changed."""
    return json.dumps(document(ROUTES), indent=1, ensure_ascii=False) + "\n"


def test_the_description_is_current() -> None:
    """So who writes a client finds every change in the history."""
    assert (REFERENCE / "openapi.json").read_text() == openapi(), f"run python {__file__}"


def test_every_row_has_a_name_and_a_path_of_its_own() -> None:
    """Tools make functions of the names."""
    names = [route.name for route in ROUTES]
    assert len(set(names)) == len(names)
    asked = [(route.method, route.path) for route in ROUTES]
    assert len(set(asked)) == len(asked)


if __name__ == "__main__":
    (REFERENCE / "http-api.md").write_text(manual())
    (REFERENCE / "openapi.json").write_text(openapi())
