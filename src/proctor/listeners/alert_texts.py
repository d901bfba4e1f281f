"""What a message says.  The words of each language are in alert_texts.toml.

A template is text with {fields}; a line whose fields are all empty is left out.  Facts come from
the daemon as `alert_facts` tells them.
"""

from __future__ import annotations

import string
import time
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from proctor.core.names import make_namespec
from proctor.core.values import dataclass
from proctor.listeners.alert_terms import Kind, Notice

LANGUAGES = ("en", "zh")
TITLE = "[{host}] {process}: {what}"
FIELDS = (
    "process", "group", "name", "host", "kind", "what", "when", "ended", "reason", "uptime",
    "lasted", "restarts", "failures", "output",
)  # fmt: skip


@cache
def _all_words() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((files(__package__) / "alert_texts.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Style:
    """How the messages of a rule look.  An empty `text` is the language's own template."""

    language: str = "en"
    title: str = TITLE
    text: str = ""
    lines: int = 10

    @property
    def words(self) -> Mapping[str, str]:
        """Those of its language."""
        return _all_words()[self.language]


def compose(style: Style, notices: Sequence[Notice], host: str) -> tuple[str, str]:
    """(title, text) of one message about all of the notices."""
    words = style.words
    told = [_fields(words, notice, host) for notice in notices]
    text = "\n\n".join(_filled(style.text or words["text"], fields) for fields in told)
    if len(told) == 1:
        return _filled(style.title, told[0]), text
    names = words["comma"].join(dict.fromkeys(fields["process"] for fields in told))
    return words["several"].format(host=host, number=len(told), names=names), text


def unknown_field(template: str) -> str | None:
    """A name in a template that no message has.  Raises ValueError when it is badly formed."""
    names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    unknown = next((name for name in names if name not in FIELDS), None)
    if unknown is None:
        template.format_map(dict.fromkeys(FIELDS, ""))
    return unknown


def _filled(template: str, fields: Mapping[str, str]) -> str:
    lines = []
    for line in template.split("\n"):
        names = [name for _, name, _, _ in string.Formatter().parse(line) if name]
        if not names or any(fields[name] for name in names):
            lines.append(line.format_map(fields))
    return "\n".join(lines)


def _fields(words: Mapping[str, str], notice: Notice, host: str) -> dict[str, str]:
    group, _, name = notice.process.partition(":")
    facts, over = notice.facts or {}, notice.kind == Kind.RECOVERED
    channels = [channel for channel in ("stderr", "stdout") if facts.get(channel)]
    output = [f"{words['output'].format(channel)}\n{facts[channel]}" for channel in channels]
    return {
        "process": make_namespec(group, name),
        "group": group,
        "name": name,
        "host": host,
        "kind": notice.kind,
        "what": words[notice.kind],
        "when": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(notice.when)),
        "ended": _ended(words, facts),
        "reason": notice.detail or facts.get("spawnerr", ""),
        "uptime": _uptime(notice, facts),
        "lasted": duration(notice.when - notice.since) if over else "",
        "restarts": "" if over else str(notice.restarts),
        "failures": str(notice.count) if notice.count > 1 else "",
        "output": "\n".join(output),
    }


def _uptime(notice: Notice, facts: Mapping[str, str]) -> str:
    """Of a run that ended; as we saw it, or else as the daemon did."""
    if notice.uptime is not None:
        return duration(notice.uptime)
    known = notice.kind == Kind.EXITED and "uptime" in facts
    return duration(float(facts["uptime"])) if known else ""


def _ended(words: Mapping[str, str], facts: Mapping[str, str]) -> str:
    if facts.get("signal"):
        return words["signal"].format(facts["signal"])
    status = facts.get("status", "")
    if status == "-1":
        return words["a_signal"]
    return words["status"].format(status) if status else ""


def duration(seconds: float) -> str:
    """`0:01:05` or `3d 2:00:00`."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return f"{f'{days}d ' if days else ''}{hour}:{minute:02d}:{second:02d}"
