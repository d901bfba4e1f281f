"""[supervisorctl] and [ctlplugin:x] to ClientSettings: what supervisorctl needs, and no more.

Includes are read only when the main file has no [supervisorctl] (gotcha G51); plug-ins are imported
by whoever loads them.  Kept light, as this is on the path of every one-shot command: what it loads
has named tuples instead of dataclasses, which bring inspect along and cost a third of a `status`.
Source: compat config.md, sections 1, 8 and 10.
"""

from __future__ import annotations

from proctor.config.discover import search
from proctor.config.ini import Section, Sections
from proctor.config.options import client as rows
from proctor.config.plugins import build_plugin
from proctor.config.problems import ConfigError, Findings, Problem
from proctor.config.reader import Context, Reader
from proctor.config.source import names_of, read_includes, read_main
from proctor.config.world import World
from proctor.core.settings import ClientSettings, PluginSettings, TrustSettings


def load_client(program: str, path: str | None, world: World) -> ClientSettings:
    """Read the file; without a path, the first that `discover` finds, or else the defaults.

    `program` is argv[0].  Raises ConfigError.
    """
    path = path or search(program, world)
    if path is None:
        return ClientSettings(guessed=True)
    findings = Findings()
    source = read_main(path, world, findings)
    findings.raise_if_any()
    if source.sections.get("supervisorctl") is None:
        read_includes(source, world, findings, None)
    section = source.sections.get("supervisorctl")
    findings.raise_if_any()
    if section is None:
        text = ".ini file does not include supervisorctl section"
        raise ConfigError([Problem(text, hint=f"add a line [supervisorctl] to {path}")])
    context = Context(world, findings, names_of(world))
    settings = _settings(section, _plugins(source.sections, context), context)
    findings.raise_if_any()
    return settings


def _settings(
    section: Section, plugins: tuple[PluginSettings, ...], context: Context
) -> ClientSettings:
    reader = Reader(section, context)
    history_file = reader.get(rows.HISTORY_FILE)
    return ClientSettings(
        serverurl=reader.get(rows.SERVERURL),
        username=reader.get(rows.USERNAME),
        password=reader.get(rows.PASSWORD),
        prompt=reader.get(rows.PROMPT),
        history_file=history_file and context.world.expand_user(history_file),
        trust=_trust(reader, context),
        plugins=plugins,
    )


def _trust(reader: Reader, context: Context) -> TrustSettings:
    files = (reader.get(row) for row in (rows.CAFILE, rows.CERTFILE, rows.KEYFILE))
    return TrustSettings(*(path and context.world.expand_user(path) for path in files))


def _plugins(sections: Sections, context: Context) -> tuple[PluginSettings, ...]:
    found = (
        build_plugin(section, rows.CTL_FACTORY, context)
        for section in sections.starting_with("ctlplugin:")
    )
    return tuple(plugin for plugin in found if plugin is not None)
