"""The command line of supervisorctl.

Long options may be shortened as long as they stay unique; parsing stops at the action.
Source: compat supervisorctl.md, section 1; config.md, section 11.
"""

from __future__ import annotations

import getopt

HELP = """\
supervisorctl: ask a running supervisord, and tell it what to do

usage: {program} [options] [action [arguments]]

  -c, --configuration FILE   read [supervisorctl] from this file, instead of searching for one
  -s, --serverurl URL        the server: unix:///path/of.sock, http://host:port or https://...
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


# The long spelling of an option; "=": a value follows; the letter that says the same.
_OPTIONS = {
    "configuration=": "c:",
    "help": "h",
    "interactive": "i",
    "serverurl=": "s:",
    "username=": "u:",
    "password=": "p:",
    "history_file=": "r:",
}
_NAMES = {f"-{short[0]}": long.rstrip("=") for long, short in _OPTIONS.items()} | {"-?": "help"}


class CommandLine:
    """What was typed: the values of the options by their long names, and the action."""

    __slots__ = ("action", "values")

    def __init__(self, values: dict[str, str], action: list[str]) -> None:
        self.values, self.action = values, action


def parse(arguments: list[str]) -> CommandLine:
    """Read the words after the program's name.  Raises UsageError with the text for the user."""
    # The original's help shows this spelling, but only the other one works there (gotcha G89).
    theirs, works = "--history-file", "--history_file"
    words = [word.replace(theirs, works) if word.startswith(theirs) else word for word in arguments]
    try:
        pairs, action = getopt.getopt(words, "?" + "".join(_OPTIONS.values()), list(_OPTIONS))
    except getopt.GetoptError as error:
        raise UsageError(str(error)) from error
    values: dict[str, str] = {}
    for typed, value in pairs:
        name = _NAMES.get(typed, typed.removeprefix("--"))
        if name in values and name != "help":
            raise UsageError(f"conflicting command line option {typed!r}")
        if name == "serverurl" and not _is_url(value):
            raise UsageError(f"invalid value for {typed} {value!r}: value {value!r} is not a URL")
        values[name] = value
    return CommandLine(values, action)


def _is_url(text: str) -> bool:
    """A scheme and something behind it; whether we speak it is found out by the first call."""
    scheme, colon, place = text.partition(":")
    letters = scheme.replace("+", "").replace("-", "").replace(".", "")
    is_scheme = letters.isascii() and letters.isalnum() and scheme[0].isalpha()
    return bool(colon) and is_scheme and place not in ("", "//")
