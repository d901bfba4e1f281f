"""What no single row can see: unknown words, and programs or servers that get in each other's way.

All of these are warnings: the original starts such configurations, and so do we.
Source: gotchas G45, G56; compat logging.md, section 2.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from proctor.config.ini import Section, Sections
from proctor.config.options.all import SECTIONS, section_type
from proctor.config.problems import Findings
from proctor.config.table import closest, did_you_mean
from proctor.core.settings import ServerSettings
from proctor.core.spec import GroupSpec

# Sections that programs of ours read in the same file.
_OF_OTHERS = frozenset({"alerts"})
# The original runs these, under a name that no command can say.
_NEED_A_NAME = frozenset({"program:", "eventlistener:", "fcgi-program:", "group:"})


def check(
    sections: Sections,
    groups: Iterable[GroupSpec],
    servers: Iterable[ServerSettings],
    findings: Findings,
) -> None:
    """Add a warning for everything that looks like an oversight."""
    _repeats(sections, findings)
    for section in sections.own():
        _unknown_words(section, findings)
    _shared_logs(groups, findings)
    _shared_addresses(servers, findings)


def _repeats(sections: Sections, findings: Findings) -> None:
    for section, option, first, again in sections.repeats:
        if option:
            text = f"[{section}] {option} is set already at {first}; that value is ignored"
        else:
            text = f"[{section}] is written already at {first}; both are read as one section"
        findings.warn(text, again, section, option)


def _unclosed_headers(section: Section, findings: Findings) -> None:
    """`[program:a` is an option `[program` with the value `a`, here as in the original."""
    for name, value in section.options.items():
        if name.startswith("["):
            header = f"{name}:{value.text}".partition("\n")[0]
            text = f"{header} has no ']', so it begins no section: [{section.name}] goes on"
            hint = f"did you mean {header}]?"
            findings.warn(text, value.place, section.name, name, hint)


def _unknown_words(section: Section, findings: Findings) -> None:
    _unclosed_headers(section, findings)
    kind = section_type(section.name)
    if kind is None:
        prefix, colon, name = section.name.partition(":")
        if prefix in _OF_OTHERS:
            return
        known = [each.name for each in SECTIONS] + [f"{each}:" for each in _OF_OTHERS if colon]
        close = closest(prefix + colon, known)
        hint = f"did you mean [{close}{name if close.endswith(':') else ''}]?" if close else ""
        text = f"unknown section [{section.name}] is ignored"
        findings.warn(text, section.place, section.name, hint=hint)
        return
    if section.name in _NEED_A_NAME:
        findings.warn(f"[{section.name}] has no name behind the colon", section.place, section.name)
    if kind.open_ended:
        return
    known = [row.name for row in kind.options]
    for name, value in section.options.items():
        if name not in known and not name.startswith("["):
            text = f"unknown option {name!r} in [{section.name}] is ignored"
            findings.warn(text, value.place, section.name, name, did_you_mean(name, known))


def _shared_logs(groups: Iterable[GroupSpec], findings: Findings) -> None:
    writers: dict[str, set[str]] = defaultdict(set)
    for group in groups:
        for process in group.processes:
            for stream in (process.stdout, process.stderr):
                if stream.path is not None and stream.maxbytes > 0:
                    writers[stream.path].add(f"{group.name}:{process.name}")
    for path, names in writers.items():
        if len(names) > 1 and not path.startswith("/dev/"):
            listed = ", ".join(sorted(names))
            findings.warn(f"{listed} write to one log, {path}, and each would rotate it")


def _shared_addresses(servers: Iterable[ServerSettings], findings: Findings) -> None:
    seen: dict[str, str] = {}
    for server in servers:
        address = server.file if server.file is not None else f"{server.host}:{server.port}"
        first = seen.setdefault(address, server.section)
        if first != server.section:
            findings.warn(f"[{first}] and [{server.section}] both listen on {address}")
