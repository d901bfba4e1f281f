"""The command line of supervisorctl.

Long options may be shortened as long as they stay unique; parsing stops at the action.  Not
argparse and not getopt: both cost a few milliseconds, and their messages differ from those that
users know.  Source: compat supervisorctl.md, section 1; config.md, section 11.
"""

from __future__ import annotations

HELP = """\
supervisorctl: ask a running supervisord, and tell it what to do

usage: {program} [options] [action [arguments]]

  -c, --configuration FILE   read [supervisorctl] from this file, instead of searching for one
  -s, --serverurl URL        the server: unix:///path/of.sock or http://host:port
  -u, --username NAME        log in with this name
  -p, --password PASSWORD    log in with this password
  -r, --history-file FILE    keep the lines typed in the shell in this file
  -i, --interactive          ask before shutdown and reload, and for a missing login
  -h, --help                 show this text and exit

Without an action, a shell asks for actions.  The action "help" lists them all;
"help <action>" tells more about one.
"""


class UsageError(Exception):
    """A command line that cannot be understood."""


class Option:
    """A row: the field it sets, its spellings, and whether a value follows."""

    __slots__ = ("field", "longs", "short", "takes_value")

    def __init__(self, field: str, short: str, *longs: str, takes_value: bool = False) -> None:
        self.field, self.short, self.longs, self.takes_value = field, short, longs, takes_value


OPTIONS = (
    Option("configuration", "c", "configuration", takes_value=True),
    Option("help", "h", "help"),
    Option("help", "?"),
    Option("interactive", "i", "interactive"),
    Option("serverurl", "s", "serverurl", takes_value=True),
    Option("username", "u", "username", takes_value=True),
    Option("password", "p", "password", takes_value=True),
    # The original accepts only the spelling with the underscore (gotcha G89).
    Option("history_file", "r", "history_file", "history-file", takes_value=True),
)


class CommandLine:
    """What was typed: `fields` maps a field to (the option as typed, its value)."""

    __slots__ = ("action", "fields")

    def __init__(self, fields: dict[str, tuple[str, str]], action: list[str]) -> None:
        self.fields, self.action = fields, action

    def value(self, field: str) -> str | None:
        """The value of an option; None when it was not given."""
        return self.fields[field][1] if field in self.fields else None


def parse(arguments: list[str]) -> CommandLine:
    """Raises UsageError with the text for the user."""
    pairs, action = _split(arguments)
    fields: dict[str, tuple[str, str]] = {}
    for option, typed, value in pairs:
        if option.field in fields and option.field != "help":
            raise UsageError(f"conflicting command line option {typed!r}")
        fields[option.field] = (typed, value)
    if "serverurl" in fields:
        _check_url(*fields["serverurl"])
    return CommandLine(fields, action)


def _split(arguments: list[str]) -> tuple[list[tuple[Option, str, str]], list[str]]:
    found: list[tuple[Option, str, str]] = []
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            found.append(_long(word[2:], rest))
        else:
            found.extend(_shorts(word[1:], rest))
    return found, rest


def _long(word: str, rest: list[str]) -> tuple[Option, str, str]:
    name, equals, value = word.partition("=")
    option = _find_long(name)
    typed = f"--{next((long for long in option.longs if long.startswith(name)), name)}"
    if not option.takes_value:
        if equals:
            raise UsageError(f"option {typed} must not have an argument")
    elif not equals:
        value = _next(typed, rest)
    return option, typed, value


def _find_long(name: str) -> Option:
    exact = [option for option in OPTIONS if name in option.longs]
    matches = exact or [
        option for option in OPTIONS if any(long.startswith(name) for long in option.longs)
    ]
    if not matches:
        raise UsageError(f"option --{name} not recognized")
    if len(matches) > 1:
        raise UsageError(f"option --{name} not a unique prefix")
    return matches[0]


def _shorts(letters: str, rest: list[str]) -> list[tuple[Option, str, str]]:
    found: list[tuple[Option, str, str]] = []
    while letters:
        typed, letters = f"-{letters[0]}", letters[1:]
        option = next((option for option in OPTIONS if option.short == typed[1]), None)
        if option is None:
            raise UsageError(f"option {typed} not recognized")
        value = ""
        if option.takes_value:
            value, letters = letters or _next(typed, rest), ""
        found.append((option, typed, value))
    return found


def _next(typed: str, rest: list[str]) -> str:
    if not rest:
        raise UsageError(f"option {typed} requires argument")
    return rest.pop(0)


def _check_url(typed: str, url: str) -> None:
    """A scheme and something behind it; whether we speak it is found out by the first call."""
    scheme, colon, place = url.partition(":")
    letters = scheme.replace("+", "").replace("-", "").replace(".", "")
    is_scheme = letters.isascii() and letters.isalnum() and scheme[0].isalpha()
    if not (colon and scheme and is_scheme and place not in ("", "//")):
        raise UsageError(f"invalid value for {typed} {url!r}: value {url!r} is not a URL")
