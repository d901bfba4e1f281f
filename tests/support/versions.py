"""Proctor as it would be installed, in versions of the test's own making."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import proctor

SOURCE = Path(proctor.__file__).parent


class Installation:
    """A copy of the package that a daemon runs from; `install` puts another version in its place.

    As a package manager does it: new files under the old names, while the old ones are in use.
    What was compiled comes along.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._count = 0
        self.root = directory / "installed"
        self.install()

    @property
    def command(self) -> list[str]:
        """What a user would run, without arguments."""
        return [sys.executable, "-P", "-m", "proctor.supervisord"]

    @property
    def environment(self) -> dict[str, str]:
        """What makes Python find it."""
        return {"PYTHONPATH": str(self.root)}

    def install(self, version: str = "0.1.0", **broken: str) -> None:
        """Install this version.  `broken` maps a module (dots as __) to what is put at its end."""
        self._count += 1
        new = self._directory / f"version-{self._count}"
        # What another process is just compiling has a name of its own for a moment.
        passing = shutil.ignore_patterns("*.pyc.*")
        shutil.copytree(SOURCE, new / "proctor", ignore=passing)
        file = new / "proctor/core/version.py"
        text = file.read_text()
        file.write_text(text.replace('PROCTOR_VERSION = "0.1.0"', f'PROCTOR_VERSION = "{version}"'))
        for module, code in broken.items():
            with (new / "proctor" / f"{module.replace('__', '/')}.py").open("a") as source:
                source.write(f"\n{code}\n")
        link = self._directory / "link"
        link.symlink_to(new)
        link.rename(self.root)
