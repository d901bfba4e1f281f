"""load(path) -> Configuration: the whole way from a file to what is to be run, one line a step.

Nothing is started, stopped or opened by reading.  All mistakes are gathered and raised together.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import field
from typing import NamedTuple

from proctor.config.build import build_daemon, build_rpcinterfaces, build_servers
from proctor.config.check import check
from proctor.config.commandline import Overrides
from proctor.config.discover import find
from proctor.config.groups import build_groups
from proctor.config.ini import Sections
from proctor.config.logins import build_logins
from proctor.config.presence import check_presence
from proctor.config.problems import ConfigError, Findings, Problem, report, report_as_json
from proctor.config.reader import Context
from proctor.config.safety import check_directories, check_files
from proctor.config.source import Source, names_of, read_includes, read_main
from proctor.config.world import World
from proctor.core.logins import Logins
from proctor.core.settings import DaemonSettings, PluginSettings, ServerSettings
from proctor.core.spec import GroupSpec
from proctor.core.values import dataclass

_LEVELS = ("warn", "info")


@dataclass(frozen=True, slots=True)
class Configuration:
    """All that the files say, checked.

    `path` is absolute, for the next reading; `includes` maps each include pattern to what it
    matched; `notes` are to be written to the main log at start, in this order.
    """

    path: str
    daemon: DaemonSettings
    servers: tuple[ServerSettings, ...] = ()
    logins: Logins = field(default_factory=Logins)
    rpcinterfaces: tuple[PluginSettings, ...] = ()
    groups: tuple[GroupSpec, ...] = ()
    notes: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()
    includes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def load(
    path: str,
    overrides: Overrides,
    world: World,
    previous: Configuration | None = None,
    *,
    for_a_person: bool = False,
) -> Configuration:
    """Read the file and everything it includes.

    `previous` is the configuration in force: what it was made of must not silently be missing now.
    `for_a_person`: also warn of commands and directories that are not there at this moment.
    Raises ConfigError with every mistake; nothing is half-used.
    """
    findings = Findings()
    source = _read(path, world, findings, previous)
    context = Context(world, findings, names_of(world))
    parts = _build(source.sections, path, overrides, context)
    _check(source, parts, context, for_a_person=for_a_person)
    findings.raise_if_any()
    return _put_together(source, parts, context)


def _read(path: str, world: World, findings: Findings, previous: Configuration | None) -> Source:
    source = read_main(path, world, findings)
    read_includes(source, world, findings, previous.includes if previous else None)
    # Half a file leads to mistakes that are none: report what is unreadable alone.
    findings.raise_if_any()
    return source


class _Parts(NamedTuple):
    """What the sections say, each for itself; `daemon` None is among the findings."""

    daemon: DaemonSettings | None
    servers: tuple[ServerSettings, ...]
    logins: Logins
    rpcinterfaces: tuple[PluginSettings, ...]
    groups: tuple[GroupSpec, ...]


def _build(sections: Sections, path: str, overrides: Overrides, context: Context) -> _Parts:
    daemon = build_daemon(sections, path, overrides.values, context)
    rpcinterfaces = build_rpcinterfaces(sections, context)
    groups = build_groups(sections, daemon.environment if daemon else (), context)
    servers = build_servers(sections, context)
    logins = build_logins(sections, servers, context)
    return _Parts(daemon, servers, logins, rpcinterfaces, groups)


def _check(source: Source, parts: _Parts, context: Context, *, for_a_person: bool) -> None:
    """What can be judged only when all parts are known."""
    daemon, servers, groups = parts.daemon, parts.servers, parts.groups
    world, findings = context.world, context.findings
    check(source.sections, groups, servers, findings)
    check_files(source.files, world, findings)
    if for_a_person:
        check_presence(source.sections, groups, servers, world, findings)
    if daemon is not None:
        check_directories(daemon, servers, groups, world, findings)


def _put_together(source: Source, parts: _Parts, context: Context) -> Configuration:
    assert parts.daemon is not None, "a missing [supervisord] is a problem"
    notes = sorted(context.findings.notes, key=lambda note: _LEVELS.index(note.level))
    return Configuration(
        path=posixpath.normpath(posixpath.join(context.world.cwd, source.path)),
        daemon=parts.daemon,
        servers=parts.servers,
        logins=parts.logins,
        rpcinterfaces=parts.rpcinterfaces,
        groups=parts.groups,
        notes=tuple(notes),
        files=tuple(source.files),
        includes=source.includes,
    )


def check_file(
    path: str | None,
    overrides: Overrides,
    world: World,
    *,
    as_json: bool,
    strict: bool = False,
    encoding: str = "utf-8",
    program: str = "",
) -> tuple[str, bool]:
    """What `--check` prints in `encoding`, and whether the file is good.

    `strict`: only a file without warnings is.  Without a path it is searched for, as `program`
    (argv[0]) does.
    """
    problems: tuple[Problem, ...]
    try:
        path = path or find(program, world)
        problems, notes = (), load(path, overrides, world, for_a_person=True).notes
    except ConfigError as error:
        problems, notes = error.problems, error.notes
    warnings = sum(note.level == "warn" for note in notes)
    good = not problems and not (strict and warnings)
    if as_json:
        return report_as_json(problems, notes, good=good), good
    said = [report(problems, notes)] + ([] if problems else [f"{path}: {_verdict(warnings)}"])
    text = "\n".join(filter(None, said))
    # Names and values may be anything; what the terminal cannot show is shown escaped.
    return text.encode(encoding, "backslashreplace").decode(encoding), good


def _verdict(warnings: int) -> str:
    counted = {0: "", 1: ", 1 warning"}.get(warnings, f", {warnings} warnings")
    return f"no mistakes{counted}"
