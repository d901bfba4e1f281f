"""From a command line to a file and an environment (compat process.md, sections 4.1 and 8)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builders import a_process
from proctor.core.faults import Fault
from proctor.daemon.command import child_environment, resolve


def a_program(directory: Path, name: str, mode: int = 0o755) -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_a_path_is_used_as_it_is(tmp_path: Path) -> None:
    """Quotes group words; argv[0] is as written."""
    web = a_program(tmp_path, "web")
    command = resolve(a_process(command=f"{web} -x 'a b' \"c\""))
    assert command.filename == str(web)
    assert command.argv == (str(web), "-x", "a b", "c")


def test_a_name_is_looked_up_on_the_program_s_own_path_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its environment's PATH counts, else ours."""
    a_program(tmp_path / "ours", "web")
    own = a_program(tmp_path / "own", "web")
    monkeypatch.setenv("PATH", str(tmp_path / "ours"))
    spec = a_process(command="web", environment=(("PATH", f"/nowhere:{tmp_path / 'own'}"),))
    assert resolve(spec).filename == str(own)
    assert resolve(spec).argv == ("web",)
    assert resolve(a_process(command="web")).filename == str(tmp_path / "ours" / "web")


def test_the_first_match_on_the_path_counts(tmp_path: Path) -> None:
    """Even if it cannot be executed (gotcha G36)."""
    first = a_program(tmp_path / "a", "web", mode=0o644)
    a_program(tmp_path / "b", "web")
    path = f"{tmp_path / 'a'}:{tmp_path / 'b'}"
    with pytest.raises(Fault) as caught:
        resolve(a_process(command="web", environment=(("PATH", path),)))
    assert caught.value.text == f"NOT_EXECUTABLE: command at '{first}' is not executable"


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (
            "/bin/sh -c 'x",
            "NOT_EXECUTABLE: can't parse command \"/bin/sh -c 'x\": No closing quotation",
        ),
        ("", "NOT_EXECUTABLE: command is empty"),
        ("nowhere-to-be-found", "NO_FILE: can't find command 'nowhere-to-be-found'"),
        ("/nowhere/web -x", "NO_FILE: can't find command '/nowhere/web'"),
        ("/", "NOT_EXECUTABLE: command at '/' is a directory"),
    ],
)
def test_commands_that_cannot_be(command: str, text: str) -> None:
    """The part after the colon is the spawn error."""
    with pytest.raises(Fault) as caught:
        resolve(a_process(command=command))
    assert caught.value.text == text


def test_a_program_that_only_others_may_execute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system says so; root, who runs the tests, is never told."""
    path = a_program(tmp_path, "web")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(Fault) as caught:
        resolve(a_process(command=str(path)))
    assert caught.value.text == f"NOT_EXECUTABLE: no permission to run command '{path}'"


def test_the_environment_of_a_child() -> None:
    """Ours first, so that the configuration may override everything."""
    spec = a_process("web", "g", environment=(("SUPERVISOR_ENABLED", "no"), ("A", "b")))
    assert child_environment(spec, "unix:///s") == (
        ("SUPERVISOR_ENABLED", "1"),
        ("SUPERVISOR_SERVER_URL", "unix:///s"),
        ("SUPERVISOR_PROCESS_NAME", "web"),
        ("SUPERVISOR_GROUP_NAME", "g"),
        ("SUPERVISOR_ENABLED", "no"),
        ("A", "b"),
    )


def test_the_server_url_of_a_child() -> None:
    """The program's own counts; without any server an inherited one stays."""
    own = a_process(serverurl="http://x")
    assert dict(child_environment(own, "unix:///s"))["SUPERVISOR_SERVER_URL"] == "http://x"
    assert "SUPERVISOR_SERVER_URL" not in dict(child_environment(a_process(), None))


def test_another_user_changes_nothing_in_the_environment() -> None:
    """HOME and USER stay ours, as in the original (gotcha G39)."""
    environment = dict(child_environment(a_process(uid=12345), None))
    assert not {"HOME", "USER", "LOGNAME"} & environment.keys()
