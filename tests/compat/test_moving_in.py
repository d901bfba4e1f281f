"""Moving in: what pip leaves of the commands when Proctor is installed over Supervisor 4.3.

The original and superlance come from PyPI as in `.oracle/`; our wheels are built from this tree.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.implementations import REPOSITORY

pytestmark = pytest.mark.oracle

ORIGINAL = ("supervisor==4.3.0", "superlance==2.0.0")
COMMANDS = ("supervisord", "supervisorctl", "echo_supervisord_conf", "pidproxy")
TOOLS = ("crashmail", "crashmailbatch", "crashsms", "fatalmailbatch", "httpok", "memmon")


@dataclass(frozen=True, slots=True)
class Place:
    """An environment of its own, and the wheels to fill it with."""

    home: Path
    proctor: str
    compat: str

    def pip(self, *words: str) -> None:
        """Run pip for it; nothing but what is named is fetched."""
        pip = [sys.executable, "-m", "pip", "--python", str(self.home / "bin" / "python"), "-q"]
        done = subprocess.run([*pip, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def install(self, *what: str) -> None:
        """Install it without what it needs."""
        self.pip("install", "--no-deps", *what)

    def ours(self, *names: str) -> list[str]:
        """Those of these commands that are there and are Proctor's."""
        scripts = [(name, self.home / "bin" / name) for name in names]
        return [
            name
            for name, path in scripts
            if path.exists() and "from proctor." in path.read_text("utf-8")
        ]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Proctor and its distribution `supervisor`, built from this tree."""
    made = tmp_path_factory.mktemp("wheels")
    for tree in (REPOSITORY, REPOSITORY / "compat"):
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(made)]
        done = subprocess.run(build, cwd=tree, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    (proctor,), (compat,) = made.glob("proctor-*.whl"), made.glob("supervisor-*.whl")
    return str(proctor), str(compat)


@pytest.fixture
def place(tmp_path: Path, wheels: tuple[str, str]) -> Place:
    """Where nothing is installed yet."""
    home = tmp_path / "home"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    return Place(home, *wheels)


@pytest.mark.parametrize("steps", ["together", "proctor first", "compat first"])
def test_all_commands_are_ours_after_moving_in(place: Place, steps: str) -> None:
    """Whatever the order: pip takes the original's commands away, and ours are there."""
    place.install(*ORIGINAL)
    place.pip("uninstall", "-y", "superlance")
    if steps == "together":
        place.install(place.proctor, place.compat)
    else:
        pair = (place.proctor, place.compat)
        for wheel in pair if steps == "proctor first" else reversed(pair):
            place.install(wheel)
    assert place.ours(*COMMANDS, *TOOLS) == [*COMMANDS, *TOOLS]


def test_all_commands_are_there_after_the_next_version_of_each(place: Place) -> None:
    """Both own the commands; putting one of them in place of itself loses none."""
    place.install(place.proctor, place.compat)
    for wheel in (place.proctor, place.compat, place.proctor):
        place.install("--force-reinstall", wheel)
        assert place.ours(*COMMANDS) == [*COMMANDS]


def test_what_pip_takes_away_comes_back_as_the_manual_says(place: Place) -> None:
    """superlance has commands of the same names, and the distribution supervisor owns ours."""
    place.install(place.proctor, place.compat)
    place.install("superlance==2.0.0")
    assert place.ours(*TOOLS) == []
    place.pip("uninstall", "-y", "superlance", "supervisor")
    assert place.ours(*COMMANDS, *TOOLS) == []
    place.install("--force-reinstall", place.proctor)
    assert place.ours(*COMMANDS, *TOOLS) == [*COMMANDS, *TOOLS]
