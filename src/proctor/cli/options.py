"""The command line of supervisorctl.

Long options may be shortened as long as they stay unique; parsing stops at the action.
Source: compat supervisorctl.md, section 1; config.md, section 11.
The commands of `proctor` that ask a server begin alike; that is here, too.
"""

from __future__ import annotations

import getopt
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from proctor.core.settings import ClientSettings

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

# Of `proctor events` and the like.
HELP_OF_SERVER = """\
  -c, --configuration FILE   read [supervisorctl] from this file, instead of searching for one
  -s, --serverurl URL        the server: unix:///path/of.sock, http://host:port or https://...
  -u, --username NAME        log in with this name
  -p, --password PASSWORD    log in with this password
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
        from proctor.config.table import flag_meant

        hint = flag_meant(str(error), [name.rstrip("=") for name in _OPTIONS])
        raise UsageError(f"{error}{hint}") from error
    values: dict[str, str] = {}
    for typed, value in pairs:
        name = _NAMES.get(typed, typed.removeprefix("--"))
        if name in values and name != "help":
            raise UsageError(f"conflicting command line option {typed!r}")
        if name == "serverurl" and not _is_url(value):
            raise UsageError(f"invalid value for {typed} {value!r}: value {value!r} is not a URL")
        values[name] = value
    return CommandLine(values, action)


def parse_command(arguments: list[str], flag: str) -> tuple[CommandLine, bool]:
    """The words after `proctor <command>`, and whether the command's own flag is among them.

    Raises UsageError.
    """
    return parse([word for word in arguments if word != flag]), flag in arguments


def complain(program: str, error: UsageError) -> int:
    """Tell what cannot be understood; the exit status for it."""
    print(f"Error: {error}\nFor help, use {program} -h", file=sys.stderr)
    return 2


def settings_for(program: str, line: CommandLine) -> ClientSettings:
    """The configuration, and over it what was typed.

    Raises UsageError for whatever is wrong with the configuration, too.
    """
    from proctor.config.client import load_client
    from proctor.config.problems import ConfigError
    from proctor.config.world import RealWorld

    typed = line.values
    try:
        settings = load_client(program, typed.get("configuration"), RealWorld())
    except ConfigError as error:
        raise UsageError(str(error)) from error
    return settings._replace(
        serverurl=typed.get("serverurl", settings.serverurl),
        username=typed.get("username", settings.username),
        password=typed.get("password", settings.password),
        history_file=typed.get("history_file", settings.history_file),
        guessed=settings.guessed and "serverurl" not in typed,
    )


def _is_url(text: str) -> bool:
    """A scheme and something behind it; whether we speak it is found out by the first call."""
    scheme, colon, place = text.partition(":")
    letters = scheme.replace("+", "").replace("-", "").replace(".", "")
    is_scheme = letters.isascii() and letters.isalnum() and scheme[0].isalpha()
    return bool(colon) and is_scheme and place not in ("", "//")
