"""Commands and directories that are not there: told by a check, and only when it is certain."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.a_world import MAIN, START, AWorld, read, warnings
from proctor.config.commandline import Overrides
from proctor.config.load import check_file
from proctor.config.world import Kept, RealWorld


def a_machine() -> AWorld:
    """With one program, one text, and a directory that we may not look into."""
    world = AWorld(unreadable={"/root"}, environ={"HOME": "/nope", "PATH": "/bin"})
    world.put("/bin/cat", "")
    world.put("/etc/passwd", "")
    world.executable.add("/bin/cat")
    return world


def told(options: str, before: str = "") -> list[str]:
    """The warnings of a check, without the place."""
    world = a_machine()
    world.put(MAIN, f"{START}{before}[program:x]\n{options}\n")
    text, good = check_file(MAIN, Overrides(), world, as_json=False)
    assert good
    *lines, last = text.splitlines()
    assert last.startswith(f"{MAIN}: no mistakes")
    return [line.removeprefix("warning: [program:x] ") for line in lines]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("command=/no/such/command -x", "command: /no/such/command does not exist"),
        ("command=/bin", "command: /bin is a directory"),
        ("command=/etc/passwd", "command: /etc/passwd is not executable"),
        ("command=%(here)s/nope", "command: /etc/nope does not exist"),
        ("command=", "command: is empty"),
        ("command=/bin/cat 'x", "command: cannot be taken apart: No closing quotation"),
        (
            "command=nope\nenvironment=PATH='/bin:/etc'",
            "command: no nope in any directory of its PATH, /bin:/etc",
        ),
        ("command=passwd\nenvironment=PATH=/etc", "command: /etc/passwd is not executable"),
    ],
)
def test_a_command_that_cannot_be_executed(options: str, line: str) -> None:
    """With the place; a mistake it is not, as the file may come to be."""
    assert told(options) == [f"{line} ({MAIN}:3)"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/no/such", "/no/such does not exist"), ("/etc/passwd", "/etc/passwd is not a directory")],
)
def test_a_directory_that_is_none(path: str, reason: str) -> None:
    """Once, however many processes would start there."""
    numbers = "numprocs=3\nprocess_name=x%(process_num)s"
    said = told(f"command=/bin/cat\ndirectory={path}\n{numbers}")
    assert said == [f"directory: {reason} ({MAIN}:4)"]


@pytest.mark.parametrize(
    "options",
    [
        "command=/bin/cat\ndirectory=/etc",
        "command=cat\nenvironment=PATH='/etc:/bin'",
        # Another environment, another directory, or another user may find it.
        "command=nope",
        "command=%(ENV_HOME)s/nope",
        "command=nope\nenvironment=PATH='%(ENV_HOME)s/bin'",
        "command=nope\nenvironment=PATH='/bin:bin'",
        "command=bin/nope\ndirectory=/etc",
        "command=./nope",
        "command=/root/nope\ndirectory=/root/nope",
        "command=/bin/cat\ndirectory=%(ENV_HOME)s",
        "command=/bin/cat\ndirectory=nope",
    ],
)
def test_what_is_not_certain_is_not_said(options: str) -> None:
    """A warning that is wrong would cost more than one that is missing."""
    assert told(options) == []


def test_a_server_in_a_directory_that_is_not_there() -> None:
    """A warning, for it may be made before we begin, as below /run."""
    world = a_machine()
    for file, count in (("/nope/s", 1), ("/tmp/s", 0), ("/root/s/s", 0), ("%(ENV_HOME)s/s", 0)):
        world.put(MAIN, f"{START}[unix_http_server]\nfile={file}\n")
        text, good = check_file(MAIN, Overrides(), world, as_json=False)
        assert good
        assert text.count(f"[unix_http_server] file: /nope does not exist ({MAIN}:3)") == count


def test_a_path_that_all_programs_inherit() -> None:
    """That of [supervisord] counts for them, unless it comes from this environment."""
    assert len(told("command=nope", before="environment=PATH=/bin\n")) == 1
    assert told("command=nope", before="environment=PATH=%(ENV_HOME)s\n") == []


def test_a_start_does_not_look() -> None:
    """Nor a reread: they would tell of each file that is not there yet, every time."""
    text = f"{START}[program:x]\ncommand=/nope\ndirectory=/nope\n"
    assert warnings(read(text, a_machine())) == []


def test_what_is_at_a_path(tmp_path: Path) -> None:
    """On a real machine."""
    world = RealWorld(str(tmp_path))
    (tmp_path / "text").touch(0o644)
    (tmp_path / "program").touch(0o755)
    found = [
        world.what_is(name) for name in ("text", "program", ".", "nope", "text/x", "/dev/null")
    ]
    kinds = [Kept.FILE, Kept.PROGRAM, Kept.DIRECTORY, Kept.NOTHING, Kept.NOTHING, Kept.UNKNOWN]
    assert found == kinds
    assert world.what_is("\0") is Kept.UNKNOWN
