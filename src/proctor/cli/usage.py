"""What `proctor` says of itself: all its commands, one of them, and what is wrong with a line.

Only for the commands that read their words themselves; the others have their own help.
"""

from __future__ import annotations

import re
import sys

COMMANDS = """\
usage: proctor <command> ...

  alerts ...            tell people when programs are in trouble (an event listener)
  check FILE [--json] [--strict]
                        say everything that is wrong with a configuration; start nothing
  ctl ...               supervisorctl
  demo                  run an example with real programs until Ctrl-C
  events ...            follow what happens to the programs
  healthy ...           whether the daemon and its programs are well, for containers
  hash-password         read a password, print what a configuration should keep of it;
                        --token makes a token and its hash
  supervisord ...       supervisord
  version               the version of Proctor
"""

_HELP = {
    "check": """\
usage: proctor check FILE [--json] [--strict]

Prints every mistake of a configuration, and what is doubtful; starts nothing.  Ends with 0 when the
file can be used, else with 2.

  --json                a report for programs
  --strict              end with 2 on warnings, too
""",
    "demo": """\
usage: proctor demo

Runs a supervisord in the foreground with five small programs, and prints what to try in another
terminal and in a browser.  Ctrl-C ends everything and removes its files.
""",
    "hash-password": """\
usage: proctor hash-password [--token]

Reads a password, from the terminal without showing it or else from stdin, and prints the hash that
a configuration should keep of it.

  --token               make a token for [api_token:x], and its hash, instead
""",
    "version": """\
usage: proctor version

Prints the version of Proctor.
""",
}
_OPTIONS = {"check": ("--json", "--strict"), "hash-password": ("--token",)}


def help_of(command: str) -> str:
    """The help of one command; of all when it is none of those told here."""
    return _HELP.get(command, COMMANDS)


def complain(program: str, words: list[str]) -> int:
    """Tell what is wrong with these words, on stderr; the exit status."""
    if words:
        print(f"Error: {_what_is_wrong(words)}", file=sys.stderr)
        known = f"{program} {words[0]}" if words[0] in _HELP else program
        print(f"For help, use {known} --help", file=sys.stderr)
    else:
        print(COMMANDS, end="", file=sys.stderr)
    return 2


def _what_is_wrong(words: list[str]) -> str:
    from proctor.config.table import hinted

    command, *rest = words
    if command not in _HELP:
        hint = _meant(command)
        return f"proctor has no command {command!r}" + (f"; {hint}" if hint else "")
    options = _OPTIONS.get(command, ())
    for word in rest:
        if word.startswith("-") and word not in options:
            return hinted(f"{command} does not know {word}", word, [*options, "--help"])
    if command == "check":
        files = [word for word in rest if word not in options]
        return "check takes one FILE" + (f", not {len(files)}" if files else "")
    return f"{command} takes no arguments, not {' '.join(rest)!r}"


def _meant(command: str) -> str:
    """A command of ours that is most like it, or an action of supervisorctl."""
    from proctor.cli.verbs.all import VERBS
    from proctor.config.table import closest, did_you_mean

    ours = [line.split()[0] for line in COMMANDS.splitlines() if re.match(r"  \S", line)]
    action = closest(command, VERBS)
    theirs = f"did you mean `proctor ctl {action}`?" if action else ""
    return did_you_mean(command, ours) or theirs
