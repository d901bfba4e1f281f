"""The Makefile and the benchmarks, as somebody meets them who is new here."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from support.daemon import run

ROOT = Path(__file__).parents[2]


def test_a_venv_without_the_tools_is_completed(scratch: Path) -> None:
    """The README's first command makes one that can only run Proctor."""
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    shutil.copy(ROOT / "Makefile", scratch)
    (scratch / ".venv/bin").mkdir(parents=True)
    assert ".venv/bin/pip install -q -e '.[dev]'" in run(["make", "-n", "fast"], cwd=scratch).out
    (scratch / ".venv/bin/ruff").touch()
    lines = run(["make", "-n", "fast"], cwd=scratch).lines
    assert lines[0] == ".venv/bin/python -m pytest tests/core tests/config tests/architecture"


@pytest.mark.parametrize("name", ["bench.py", "events.py"])
def test_without_the_original_there_is_nothing_to_compare_with(scratch: Path, name: str) -> None:
    """A sentence, before anything is built or run."""
    answer = run([sys.executable, str(ROOT / "benchmarks" / name), "--original", str(scratch)])
    assert (answer.code, answer.out) == (2, "")
    assert f"error: no supervisord in {scratch};" in answer.err
