"""What is shipped: the page must be in the wheel, file by file, and small."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import proctor.web
from support.implementations import REPOSITORY

STATIC = Path(proctor.web.__file__).parent / "static"
LIMIT = 25 * 1024
# With the views that are loaded once the table stands.
LIMIT_OF_ALL = 40 * 1024
CHARTS = "spark.js"


def test_the_wheel_has_all_files_of_the_page(tmp_path: Path) -> None:
    """Installed from the wheel, the page works without network and without this repository."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(build, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    shipped = set(zipfile.ZipFile(wheel).namelist())
    for path in STATIC.rglob("*"):
        if path.is_file():
            assert f"proctor/web/static/{path.relative_to(STATIC).as_posix()}" in shipped


def _needed(path: Path, found: set[Path]) -> set[Path]:
    """A module and all that it imports before it runs."""
    if path not in found:
        found.add(path)
        for name in re.findall(r'from\s*"([^"]*)"', path.read_text("utf-8")):
            _needed((path.parent / name).resolve(), found)
    return found


def _weights(files: set[Path]) -> dict[str, int]:
    """Each compressed by itself, as a proxy in front of us sends them."""
    return {
        path.name: len(gzip.compress(path.read_bytes())) for path in files if path.name != CHARTS
    }


def test_the_page_is_small() -> None:
    """What is needed before the table stands, and what comes after it; without the charts."""
    first = _weights({*_needed(STATIC / "main.js", set()), STATIC / "page.css"})
    assert len(first) > 10
    assert sum(first.values()) <= LIMIT, first
    every = {path for path in STATIC.rglob("*") if path.suffix in {".js", ".css"}}
    assert sum(_weights(every - {STATIC / "classic.css"}).values()) <= LIMIT_OF_ALL


def test_the_page_asks_early_for_all_it_needs() -> None:
    """No module waits until another one, which imports it, has come."""
    from proctor.web.markup import live_page

    named = set(re.findall(r'<link rel="modulepreload" href="static/([^"]*)"', live_page()))
    needed = {
        path.relative_to(STATIC).as_posix() for path in _needed(STATIC / "main.js", set())
    } - {"main.js"}
    assert named == needed
