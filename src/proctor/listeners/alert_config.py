"""The options of alerts: in [alerts] and [alerts:x] of a file, and as flags of the command line.

[alerts] is the first rule, if it has channels; each [alerts:x] is another, which takes whatever it
does not say itself, but the channels, from [alerts].  A flag stands in for the option of [alerts]
that has its name.  Other sections belong to others, so supervisord.conf may hold these, too.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from proctor.config.convert import INTEGER, TEXT, Kind
from proctor.config.ini import Section, Sections, Value
from proctor.config.problems import Findings, Place, Problem
from proctor.config.reader import Context, Reader
from proctor.config.source import names_of, read_main
from proctor.config.table import Option, closest
from proctor.config.world import World
from proctor.core.values import dataclass
from proctor.listeners import alert_terms, alert_texts
from proctor.listeners.alert_channels import Channel, open_channel
from proctor.listeners.alert_terms import Patience, Quiet, Rule
from proctor.listeners.alert_texts import FIELDS, LANGUAGES, TITLE, Style

T = TypeVar("T")

SECTION = "alerts"
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_KINDS = tuple(alert_terms.Kind)


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A rule with its ways out and its looks."""

    rule: Rule
    channels: tuple[Channel, ...]
    style: Style


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything alerts was told.  `queue` is a directory; `retry` the first pause in seconds."""

    rules: tuple[AlertRule, ...]
    patience: Patience
    queue: str
    retry: float

    @property
    def channels(self) -> dict[str, Channel]:
        """All channels by key, each once."""
        return {channel.key: channel for rule in self.rules for channel in rule.channels}


def _kind(expected: str, read: Callable[[str], T], words: Sequence[str] = ()) -> Kind[T]:
    return Kind(expected, lambda text, _: read(text.strip()), tuple(words))


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text)
    if match is None:
        raise ValueError(f"{text!r} is not a length of time")
    return float(match[1]) * _SECONDS[match[2]]


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{text!r} is not a number above 0")
    return int(text)


def _globs(text: str) -> tuple[str, ...]:
    return tuple(re.split(r"[\s,]+", text))


def _kinds(text: str) -> frozenset[alert_terms.Kind]:
    words = [word for word in _globs(text.lower()) if word]
    for word in words:
        if word not in _KINDS:
            raise ValueError(_unknown(f"kind is called {word!r}", word, _KINDS))
    return frozenset(alert_terms.Kind(word) for word in words)


def _unknown(what: str, word: str, known: Sequence[str]) -> str:
    close = closest(word, known)
    return f"no {what}" + (f"; did you mean {close}?" if close else "")


def _quiet(text: str) -> Quiet | None:
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)", text)
    if match is None:
        raise ValueError(f"{text!r} is not a span of hours")
    begin, end = (int(match[at]) * 60 + int(match[at + 1]) for at in (1, 3))
    if begin == end:
        raise ValueError(f"{text!r} is no time at all")
    return Quiet(begin, end)


def _flapping(text: str) -> tuple[int, float]:
    failures, slash, window = text.partition("/")
    if not slash:
        raise ValueError(f"{text!r} is not failures/time")
    return _count(failures.strip()), _seconds(window.strip())


def _language(text: str) -> str:
    if text.lower() not in LANGUAGES:
        raise ValueError(f"no texts in {text!r}")
    return text.lower()


def _template(text: str) -> str:
    name = alert_texts.unknown_field(text)
    if name is not None:
        raise ValueError(_unknown(f"field is called {{{name}}}", name, FIELDS))
    return text


def _opened(read: Reader) -> tuple[Channel, ...]:
    """The channels of a section; what is wrong with one is said at its own line."""
    text, value = read.text(CHANNELS), read.section.options.get(CHANNELS.name)
    channels = []
    for number, line in enumerate((text or "").split("\n")):
        url = line.strip()
        try:
            channels += [open_channel(url)] if url else []
        except ValueError as error:
            assert value is not None, "there was a text"
            # A URL may hold passwords: what stands before its colon holds none.
            scheme, colon, _ = url.partition(":")
            said = f"{scheme}: {error}" if colon and scheme.isalnum() else str(error)
            place = value.place_of(number)
            found = Problem(said, place, read.section.name, CHANNELS.name, None, _CHANNEL)
            read.context.findings.add(found)
    return tuple(channels)


_TIME = _kind("a time such as 30, 30s, 10m, 4h or 1d", _seconds)
_COUNT = _kind("a whole number above 0", _count)
_TEMPLATE = _kind(f"text with any of {{{'}, {'.join(FIELDS)}}}", _template)
_SOME_KINDS = _kind(f"any of {', '.join(_KINDS)}", _kinds)

_CHANNEL = "a URL or command:... in each line"
CHANNELS = Option(
    "channels", TEXT, "",
    text="where to send: URLs of apprise, http(s):// webhooks, or command: and a shell command",
)  # fmt: skip
PROGRAMS: Option[tuple[str, ...]] = Option(
    "programs", _kind("patterns such as web*, group:* or *", _globs), ("*",),
    text="whose trouble counts: patterns for name, group or group:name",
)  # fmt: skip
KINDS = Option(
    "kinds", _SOME_KINDS, frozenset(_KINDS), text=f"what counts: any of {', '.join(_KINDS)} (all)"
)
BATCH = Option("batch", _TIME, 10.0, text="gather for so long, then send one message (10s)")
QUIET: Option[Quiet | None] = Option(
    "quiet", _kind("a span of hours such as 22:00-07:00", _quiet), None,
    text="hours in which messages wait, such as 22:00-07:00",
)  # fmt: skip
LANG = Option(
    "lang", _kind(f"one of {', '.join(LANGUAGES)}", _language, tuple(LANGUAGES)), "en",
    text="language of the texts: en or zh (en)",
)  # fmt: skip
TITLE_ = Option("title", _TEMPLATE, TITLE, text="template of the title")
TEXT_ = Option("text", _TEMPLATE, "", text="template of the text")
LINES = Option("lines", INTEGER, 10, text="how many of the last output lines to add (10)")
FLAPPING = Option(
    "flapping", _kind("failures/time such as 5/10m", _flapping), (5, 600.0),
    text="so many failures in so short a time are flapping (5/10m)",
)  # fmt: skip
STEADY = Option("steady", _TIME, 10.0, text="running for so long is recovered (10s)")
QUEUE = Option("queue", TEXT, "", text="directory for what is not yet delivered")
RETRY = Option("retry", _TIME, 5.0, text="first pause after a failure; it doubles up to 15m (5s)")

_OF_A_RULE: tuple[Option[object], ...] = (
    CHANNELS, PROGRAMS, KINDS, BATCH, QUIET, LANG, TITLE_, TEXT_, LINES,
)  # fmt: skip
_OF_ALL: tuple[Option[object], ...] = (FLAPPING, STEADY, QUEUE, RETRY)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """A flag for each option; --channel may be repeated."""
    parser.add_argument("--channel", "--channels", action="append", metavar="URL", dest="channels",
                        help=CHANNELS.text + "; may be repeated")  # fmt: skip
    for option in (*_OF_A_RULE[1:], *_OF_ALL):
        parser.add_argument(f"--{option.name}", help=option.text, metavar="X")


def load(path: str | None, flags: argparse.Namespace, world: World) -> Settings:
    """Read the file, if there is one, and the flags.  Raises ConfigError."""
    findings = Findings()
    context = Context(world, findings, names_of(world))
    base, others = Section(SECTION, Place("command line"), {}), list[Section]()
    if path is not None:
        sections = read_main(path, world, findings).sections
        base = sections.get(SECTION) or Section(SECTION, Place(path), {})
        others = list(sections.starting_with(f"{SECTION}:"))
        _misspelt(sections, context)
        if SECTION not in [each.name for each in sections.own()] and not others:
            Reader(base, context).fail(f"{path} has no section [{SECTION}]")
    base.options.update(_typed(flags))
    first = _rule(base, context, None)
    rules = [first, *(_rule(section, context, first) for section in others)]
    rules = [rule for rule in rules if rule.channels]
    settings = _settings(tuple(rules), Reader(base, context), path)
    if not rules and not findings.problems:
        Reader(base, context).fail(
            "nothing to send to: no channels", hint="set channels in [alerts], or use --channel"
        )
    findings.raise_if_any()
    return settings


def _misspelt(sections: Sections, context: Context) -> None:
    """Say which sections look as if they were meant for us: nobody else would read them either."""
    for section in sections.own():
        word, colon, name = section.name.partition(":")
        if word != SECTION and closest(word, [SECTION]):
            hint = f"did you mean [{SECTION}{colon}{name}]?"
            Reader(section, context).fail(f"[{section.name}] is no section of alerts", hint=hint)


def _typed(flags: argparse.Namespace) -> dict[str, Value]:
    typed = {}
    for option in (*_OF_A_RULE, *_OF_ALL):
        value = getattr(flags, option.name)
        if value is not None:
            text = "\n".join(value) if isinstance(value, list) else value
            # What came through supervisord was expanded there.
            typed[option.name] = Value(text.replace("%", "%%"), Place(f"--{option.name}"))
    return typed


def _rule(section: Section, context: Context, base: AlertRule | None) -> AlertRule:
    """A rule; what its section does not say is as in `base`, or by default."""
    read = Reader(section, context)
    names = [option.name for option in _OF_A_RULE + (() if base else _OF_ALL)]
    for name in section.options:
        if name not in names:
            close = closest(name, names)
            hint = f"did you mean {close}?" if close else f"known are {', '.join(names)}"
            read.fail(f"no option is called {name!r}", name, hint=hint)
    if base and not read.has(CHANNELS):
        read.fail(f"[{section.name}] has no channels", hint="each [alerts:x] needs its own")

    def get(option: Option[T], inherited: T) -> T:
        return read.get(option) if read.has(option) else inherited

    rule, style = (base.rule, base.style) if base else (Rule(SECTION), Style())
    rule = Rule(
        section.name,
        get(PROGRAMS, rule.programs),
        get(KINDS, rule.kinds),
        get(BATCH, rule.batch),
        get(QUIET, rule.quiet),
    )
    style = Style(
        get(LANG, style.language),
        get(TITLE_, style.title),
        get(TEXT_, style.text),
        get(LINES, style.lines),
    )
    return AlertRule(rule, _opened(read), style)


def _settings(rules: tuple[AlertRule, ...], read: Reader, path: str | None) -> Settings:
    failures, window = read.get(FLAPPING)
    return Settings(
        rules,
        Patience(failures, window, read.get(STEADY)),
        read.get(QUEUE) or (f"{path}.queue" if path else _state_directory()),
        read.get(RETRY),
    )


def _state_directory() -> str:
    """Where a user's, or the system's, programs keep what they must not forget."""
    home = "/var/lib" if os.geteuid() == 0 else os.path.expanduser("~/.local/state")
    return os.path.join(home, "proctor", os.environ.get("SUPERVISOR_PROCESS_NAME", SECTION))
