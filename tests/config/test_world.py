"""The real World on this machine, and what supervisorctl has to load for its settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from proctor.config.commandline import Overrides
from proctor.config.load import load
from proctor.config.world import RealWorld, World


def test_relative_paths_stay_those_of_the_directory_at_start(tmp_path: Path) -> None:
    """Gotcha G8: wherever the daemon goes later, it finds the same files again."""
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.ini").write_text("[program:a]\ncommand=c\n")
    (tmp_path / "s.conf").write_text(
        "[supervisord]\nlogfile=conf.d/l\n[include]\nfiles=conf.d/*.ini\n"
    )
    world: World = RealWorld(str(tmp_path))
    assert world.read("s.conf").startswith(b"[supervisord]")
    assert (world.is_directory("conf.d"), world.is_directory("")) == (True, False)
    configuration = load("s.conf", Overrides(), world)
    assert [group.name for group in configuration.groups] == ["a"]
    assert configuration.daemon.logfile == str(tmp_path / "conf.d" / "l")


def test_users_and_groups_are_found_by_name_and_number() -> None:
    world = RealWorld()
    assert world.user("root") == world.user("0") == (0, 0)
    assert world.user("no such user") is world.user("99999999999999999999") is None
    assert world.group("0") == 0
    assert world.group("no such group") is None
    assert world.uid == os.geteuid()


def test_signals_have_their_full_names() -> None:
    assert RealWorld().signals["SIGTERM"] == 15


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("json:dumps", None),
        ("json:decoder.JSONDecoder", None),
        ("json:nope", "AttributeError"),
        ("no_such_module:x", "ModuleNotFoundError"),
        ("json", "module:attribute"),
    ],
)
def test_a_plug_in_that_cannot_be_imported_has_a_reason(spec: str, reason: str | None) -> None:
    found = RealWorld().why_unresolvable(spec)
    assert found is None if reason is None else reason in str(found)


def test_the_clients_settings_load_nothing_heavy(tmp_path: Path) -> None:
    """Every one-shot command pays for these imports."""
    file = tmp_path / "s.conf"
    file.write_text("[supervisorctl]\nserverurl=unix:///x\n")
    code = (
        "import sys\nfrom proctor.config.client import load_client\n"
        "from proctor.config.world import RealWorld\n"
        f"load_client('supervisorctl', {str(file)!r}, RealWorld())\n"
        "print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"asyncio", "ssl", "socket", "subprocess", "shlex", "difflib", "proctor.core.spec"}
    assert heavy.isdisjoint(ran.stdout.split())


def test_a_deleted_directory_is_no_reason_to_fall(tmp_path: Path) -> None:
    """Deployments swap directories under people's feet; absolute paths work from anywhere."""
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        f"import os\nos.chdir({str(gone)!r})\nos.rmdir({str(gone)!r})\n"
        "from proctor.config.world import RealWorld\nprint(RealWorld().cwd)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "/\n"
