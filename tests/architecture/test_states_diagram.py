"""The diagram in docs/architecture.md is made from EDGES.  Run this file to make it again."""

from __future__ import annotations

from pathlib import Path

from proctor.core.states import EDGES

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"
BEGIN, END = "<!-- states -->\n", "<!-- /states -->\n"


def diagram() -> str:
    """EDGES as a state diagram."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> STOPPED"]
    for state, following in EDGES.items():
        lines += [f"    {state.name} --> {each.name}" for each in sorted(following)]
    return "\n".join([*lines, "```", ""])


def _parts() -> tuple[str, str, str]:
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    inside, _, after = rest.partition(END)
    return before, inside, after


def test_the_diagram_is_up_to_date() -> None:
    """If not: python tests/architecture/test_states_diagram.py"""
    assert _parts()[1] == diagram()


if __name__ == "__main__":
    head, _, tail = _parts()
    DOCUMENT.write_text(head + BEGIN + diagram() + END + tail, encoding="utf-8")
