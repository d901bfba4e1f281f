"""Plug-ins named in the configuration: [rpcinterface:x], [ctlplugin:x], result handlers.

Apart from `build` so that supervisorctl need not load what only the daemon needs.
Source: compat config.md, section 10.
"""

from __future__ import annotations

from proctor.config.ini import Section
from proctor.config.reader import Context, Reader
from proctor.config.table import Option
from proctor.core.settings import PluginSettings


def build_plugin(
    section: Section, row: Option[str | None], context: Context, not_for_it: str = ""
) -> PluginSettings | None:
    """A plug-in's name, factory and all its other options; None, and a Problem, if unusable.

    The option `not_for_it` is ours, so the plug-in does not get it.  Whether the factory can be
    imported is another question: `check_factory`.
    """
    reader = Reader(section, context)
    factory = reader.get(row)
    if factory is None:
        if not reader.has(row):
            reader.fail(f"section [{section.name}] does not specify a {row.name}")
        return None
    options = []
    for name, value in section.options.items():
        text = reader.expand(name, value) if name not in (row.name, not_for_it) else None
        if text is not None:
            options.append((name, text))
    return PluginSettings(section.name.partition(":")[2], factory, tuple(options))


def check_factory(reader: Reader, spec: str, option: str) -> None:
    """A Problem unless `spec` can be imported."""
    reason = reader.context.world.why_unresolvable(spec)
    if reason is not None:
        text = f"{spec} cannot be resolved within [{reader.section.name}]"
        reader.fail(text, option, "module:attribute that can be imported", reason)
