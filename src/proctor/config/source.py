"""Reads the main file and its includes through a World, and says what could not be read.

1. Only the main file's [include] counts; patterns are relative to the main file's directory.
2. Files are text in UTF-8, with or without a mark; else in the locale's encoding, else Latin-1
   (gotcha G48).
3. At the first start an include that matches nothing, or cannot be read, is a warning.  Later,
   beside a `previous` reading, it is a mistake if it would take running programs away (scenario
   rows 2 and 3).

Source: compat config.md, section 3.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import NamedTuple

from proctor.config.expand import ExpansionError, expand
from proctor.config.ini import Sections, read_into
from proctor.config.problems import ConfigError, Findings, Place, Problem
from proctor.config.world import World


class Source(NamedTuple):
    """What was read: the sections, every file, and what each include pattern matched."""

    path: str
    sections: Sections
    files: list[str]
    includes: dict[str, tuple[str, ...]]


def names_of(world: World) -> dict[str, object]:
    """The names that every option may use: ENV_X for each variable X at start."""
    return {f"ENV_{name}": value for name, value in world.environ.items()}


def here_of(file: str, world: World) -> str:
    """What %(here)s means in a file: its directory, absolute."""
    return posixpath.normpath(posixpath.dirname(posixpath.join(world.cwd, file)))


def read_main(path: str, world: World, findings: Findings) -> Source:
    """The main file alone.  Raises ConfigError when it cannot be read or understood."""
    if not world.exists(path):
        raise ConfigError([Problem(f"could not find config file {path}", Place(path))])
    source = Source(path, Sections(), [], {})
    try:
        problem = _read(source, path, world, findings)
    except OSError as error:
        text = f"could not read config file {path}"
        raise ConfigError([Problem(text, Place(path), hint=str(error.strerror))]) from error
    if problem is not None:
        findings.add(problem)
    return source


def read_includes(
    source: Source, world: World, findings: Findings, previous: Mapping[str, tuple[str, ...]] | None
) -> None:
    """Add what the main file includes.  `previous`: what its patterns matched the last time."""
    for place, pattern in _patterns(source, world, findings):
        matches = tuple(file for file in world.glob(pattern) if not world.is_directory(file))
        source.includes[pattern] = matches
        if not matches:
            _nothing_matches(pattern, place, findings, previous)
        for file in matches:
            try:
                problem = _read(source, file, world, findings)
            except OSError as error:
                _unreadable(file, error, place, findings, previous)
                continue
            text = f'Included extra file "{file}" during parsing'
            findings.add(Problem(text, level="info"))
            if problem is not None:
                findings.add(problem)


def _patterns(source: Source, world: World, findings: Findings) -> list[tuple[Place, str]]:
    section = source.sections.get("include")
    if section is None:
        return []
    value = section.options.get("files")
    if value is None:
        text = ".ini file has [include] section, but no files setting"
        findings.add(Problem(text, section.place, "include", "files"))
        return []
    here = here_of(source.path, world)
    names = {**names_of(world), "here": here, "host_node_name": world.hostname}
    try:
        patterns = expand(value.text, names, "include.files").split()
    except ExpansionError as error:
        text = str(error)
        findings.add(Problem(text, value.place, "include", "files", value.text, hint=error.hint))
        return []
    return [(value.place, posixpath.join(here, pattern)) for pattern in patterns]


def _nothing_matches(
    pattern: str,
    place: Place,
    findings: Findings,
    previous: Mapping[str, tuple[str, ...]] | None,
) -> None:
    text = f'No file matches via include "{pattern}"'
    before = (previous or {}).get(pattern)
    if not before:
        findings.warn(text)
        return
    hint = "restore the files, or take the pattern out of [include] if their programs are to go"
    expected = f"at least one of the files that matched before: {', '.join(before)}"
    findings.add(Problem(text, place, "include", "files", pattern, expected, hint))


def _unreadable(
    file: str,
    error: OSError,
    place: Place,
    findings: Findings,
    previous: Mapping[str, tuple[str, ...]] | None,
) -> None:
    text = f"could not read included file {file}: {error.strerror}"
    if previous is None:
        findings.warn(text, place)
    else:
        findings.add(Problem(text, place, "include", "files", file))


def _read(source: Source, file: str, world: World, findings: Findings) -> Problem | None:
    text = _decode(world.read(file), file, world, findings)
    source.files.append(posixpath.join(world.cwd, file))
    return read_into(source.sections, text, file)


def _decode(data: bytes, file: str, world: World, findings: Findings) -> str:
    for encoding in ("utf-8-sig", world.encoding):
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    findings.warn("not UTF-8, nor in the locale's encoding: read as Latin-1", Place(file))
    return data.decode("latin-1")
