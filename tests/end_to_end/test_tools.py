"""The Makefile and the benchmarks, as somebody meets them who is new here."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from support.daemon import run

ROOT = Path(__file__).parents[2]


def test_a_venv_without_the_tools_is_completed(scratch: Path) -> None:
    """The README's first command makes one that can only run Proctor.  And what a change of the
    project's tools asks for is installed, once."""
    if shutil.which("make") is None:
        pytest.skip("there is no make")

    def wants_to_install() -> bool:
        said = run(["make", "-n", "fast"], cwd=scratch).out
        assert ".venv/bin/python -m pytest tests/core tests/config tests/architecture" in said
        return ".venv/bin/pip install -q -e '.[dev]'" in said

    for name in ("Makefile", "pyproject.toml", "compat/pyproject.toml"):
        (scratch / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, scratch / name)
    (scratch / ".venv/bin").mkdir(parents=True)
    assert wants_to_install()
    ruff = scratch / ".venv/bin/ruff"
    ruff.touch()
    assert not wants_to_install()
    _make_older(ruff, than=scratch / "pyproject.toml")
    assert wants_to_install()


def _make_older(file: Path, than: Path) -> None:
    moment = than.stat().st_mtime_ns - 1_000_000_000
    os.utime(file, ns=(moment, moment))


@pytest.mark.parametrize("name", ["bench.py", "events.py"])
def test_without_the_original_there_is_nothing_to_compare_with(scratch: Path, name: str) -> None:
    """A sentence, before anything is built or run."""
    answer = run([sys.executable, str(ROOT / "benchmarks" / name), "--original", str(scratch)])
    assert (answer.code, answer.out) == (2, "")
    assert f"error: no supervisord in {scratch};" in answer.err
