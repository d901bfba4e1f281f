"""Commands and directories that are not there: what would fail if it began now.

Only for a check that a person asks for, as the file system is that of this moment; and only what
is certain.  Not certain is what depends on the environment or the directory that supervisord will
have, or on what this user may not see.  Source: compat process.md, section 4.1.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable

from proctor.config.ini import Section, Sections
from proctor.config.problems import Findings
from proctor.config.world import Kept, World
from proctor.core.settings import ServerSettings
from proctor.core.spec import GroupSpec, ProcessSpec

_OF_THIS_ENVIRONMENT = "%(ENV_"


def check_presence(
    sections: Sections,
    groups: Iterable[GroupSpec],
    servers: Iterable[ServerSettings],
    world: World,
    findings: Findings,
) -> None:
    """Add a warning for each command and directory that is certainly not usable."""
    _check_programs(sections, groups, world, findings)
    for server in servers:
        section, directory = sections.get(server.section), posixpath.dirname(server.file or "")
        if section is None or "file" not in section.options:
            continue
        if directory and world.what_is(directory) is Kept.NOTHING:
            _warn(section, "file", f"{directory} does not exist", findings)


def _check_programs(
    sections: Sections, groups: Iterable[GroupSpec], world: World, findings: Findings
) -> None:
    origins = {str(each.place): sections.get(each.name) for each in sections.own()}
    daemon = sections.get("supervisord")
    known_path = _does_not_depend(daemon, "environment")
    for spec in (process for group in groups for process in group.processes):
        section = origins.get(spec.origin)
        if section is None:
            continue
        path = dict(spec.environment).get("PATH", "")
        if not (known_path and _does_not_depend(section, "environment")):
            path = ""
        reasons = {
            "command": "is empty" if _is_empty(section) else _of_command(spec, path, world),
            "directory": _of_directory(spec, world),
        }
        for option, reason in reasons.items():
            if reason:
                _warn(section, option, reason, findings)


def _warn(section: Section, option: str, reason: str, findings: Findings) -> None:
    """Unless it may be right where the daemon will run."""
    if _does_not_depend(section, option):
        place = section.options[option].place
        findings.warn(f"[{section.name}] {option}: {reason}", place, section.name, option)


def _is_empty(section: Section) -> bool:
    command = section.options.get("command")
    return command is not None and not command.text.strip()


def _does_not_depend(section: Section | None, option: str) -> bool:
    value = None if section is None else section.options.get(option)
    return value is None or _OF_THIS_ENVIRONMENT not in value.text


def _of_command(spec: ProcessSpec, path: str, world: World) -> str:
    """Why it cannot be executed; "" when it can, or when that is not certain."""
    try:
        words = shlex.split(spec.command)
    except ValueError as error:
        return f"cannot be taken apart: {error}"
    program = words[0] if words else ""
    if program.startswith("/"):
        return _of_program(program, world)
    directories = path.split(":")
    if not program or "/" in program or not all(each.startswith("/") for each in directories):
        return ""
    for directory in directories:
        candidate = posixpath.join(directory, program)
        if world.what_is(candidate) is not Kept.NOTHING:
            return _of_program(candidate, world)
    return f"no {program} in any directory of its PATH, {path}"


def _of_program(file: str, world: World) -> str:
    match world.what_is(file):
        case Kept.NOTHING:
            return f"{file} does not exist"
        case Kept.DIRECTORY:
            return f"{file} is a directory"
        case Kept.FILE:
            return f"{file} is not executable"
        case _:
            return ""


def _of_directory(spec: ProcessSpec, world: World) -> str:
    path = spec.directory or ""
    if not path.startswith("/"):
        return ""
    match world.what_is(path):
        case Kept.NOTHING:
            return f"{path} does not exist"
        case Kept.FILE | Kept.PROGRAM:
            return f"{path} is not a directory"
        case _:
            return ""
