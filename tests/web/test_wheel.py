"""What is shipped: the page must be in the wheel, file by file, and small."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zipfile
from pathlib import Path

import proctor.web
from support.implementations import REPOSITORY

STATIC = Path(proctor.web.__file__).parent / "static"
LIMIT = 25 * 1024


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


def test_the_page_is_small() -> None:
    """All scripts and styles, each compressed by itself, as a proxy in front of us sends them."""
    files = [path for path in STATIC.rglob("*") if path.suffix in {".js", ".css"}]
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in files}
    del sizes["classic.css"]
    assert sum(sizes.values()) <= LIMIT, sizes
