"""Who may import whom, and what a one-shot command must not load."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "src" / "proctor"

KEEPER_MAY_IMPORT = frozenset(
    """__future__ collections ctypes errno fcntl os resource
    select struct sys time typing""".split()  # noqa: SIM905
)
# thin.py alone knows what is beneath these.
THIN_MAY_IMPORT = frozenset({"_json", "_signal", "_socket", "json", "signal", "socket"})


def _imported(path: Path) -> set[str]:
    """The modules that a file imports at any depth, by their full names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            found.add(node.module or "")
    return found


def test_the_contracts_are_kept() -> None:
    """The storeys of docs/architecture.md, as written in .importlinter."""
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_keeper_stands_alone() -> None:
    """It imports only itself and a handful of small modules of the standard library."""
    for path in SOURCE.joinpath("keeper").glob("*.py"):
        for module in _imported(path):
            allowed = module.startswith("proctor.keeper")
            allowed = allowed or module.split(".")[0] in KEEPER_MAY_IMPORT
            allowed = allowed or (path.name == "thin.py" and module in THIN_MAY_IMPORT)
            assert allowed, f"{path.name} imports {module}"


def test_proctor_never_imports_the_compatibility_package() -> None:
    """compat imports us, never the other way round."""
    for path in SOURCE.rglob("*.py"):
        assert not [m for m in _imported(path) if m.split(".")[0] == "supervisor"], path


def test_dataclasses_are_made_in_one_way() -> None:
    """By core/values.py: those of the standard library take twice the memory."""
    for path in SOURCE.rglob("*.py"):
        if path.name != "values.py":
            text = path.read_text(encoding="utf-8")
            names = re.findall(r"^from dataclasses import (.*)", text, re.MULTILINE)
            assert "dataclass" not in ", ".join(names).split(", "), path


ONE_SHOT = """\
import sys
from proctor.cli.main import supervisorctl
code = supervisorctl(["supervisorctl", "-s", "unix:///nonexistent/socket", "status"])
heavy = {"asyncio", "ssl", "http.client", "xmlrpc.client", "concurrent.futures", "logging"}
print(code, sorted(heavy & set(sys.modules)))
"""


def test_a_one_shot_command_is_light(tmp_path: Path) -> None:
    """It loads neither asyncio nor ssl nor the standard library's HTTP."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", ONE_SHOT], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "4 []", done.stdout + done.stderr


DAEMON = """\
import sys
from proctor.runtime.loading import import_asyncio_without_ssl
import_asyncio_without_ssl()
import proctor.supervisord
import proctor.runtime.run
heavy = {"ssl", "hashlib", "secrets", "random", "tempfile", "shutil", "sqlite3", "http.client"}
heavy |= {"datetime", "pathlib", "difflib", "proctor.web.classic", "proctor.web.rest.all"}
heavy |= {"proctor.posix.local_host", "proctor.web.metrics"}
heavy |= {"argparse", "ctypes", "email", "ipaddress", "unittest", "urllib.parse", "xmlrpc.client"}
heavy |= {"proctor.api.documents"}
print(sorted(heavy & set(sys.modules)))
"""


def test_a_daemon_is_light() -> None:
    """What only passwords, TLS, browsers or a journal need is loaded when there are any."""
    done = subprocess.run([sys.executable, "-I", "-c", DAEMON], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stdout + done.stderr


KEEPER = """\
import sys
sys.path.append(sys.argv[1])
import proctor.keeper.main
import proctor.keeper.loop
heavy = {"array", "collections", "collections.abc", "contextlib", "ctypes", "enum", "fcntl"}
heavy |= {"functools", "json", "re", "selectors", "signal", "socket", "types", "typing"}
heavy |= {"asyncio", "dataclasses", "site", "ssl"}
print(sorted(heavy & set(sys.modules)))
"""


def test_a_keeper_is_light() -> None:
    """It loads nothing that is there for people only (docs/decisions/0021)."""
    command = [sys.executable, "-I", "-S", "-X", "utf8", "-c", KEEPER, str(SOURCE.parent)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stdout + done.stderr


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.stem)
def test_files_stay_readable(path: Path) -> None:
    """Every package says what it is for; every file begins with what it does."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{path} has no docstring"
