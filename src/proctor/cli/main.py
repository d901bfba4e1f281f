"""supervisorctl: from sys.argv to an exit code."""

from __future__ import annotations

import os
import sys

from proctor.cli import options
from proctor.cli.controller import Controller, Options
from proctor.cli.options import CommandLine, UsageError
from proctor.cli.verbs.all import VERBS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import TextIOWrapper


def supervisorctl(argv: list[str] | None = None) -> int:
    """The command: program name and arguments in, exit code out (compat supervisorctl.md)."""
    program, *arguments = sys.argv if argv is None else argv
    survive_any_encoding()
    try:
        line = options.parse(arguments)
        if "help" in line.values:
            print(options.HELP.format(program=program), end="")
            return 0
        ctl = controller_for(program, line)
    except UsageError as error:
        print(f"Error: {error}\nFor help, use {program} -h", file=sys.stderr)
        return 2
    return _run(ctl, line)


def survive_any_encoding() -> None:
    """A name or a log line that the terminal cannot show is shown escaped; it is never an error."""
    for stream in (sys.stdout, sys.stderr):
        text: TextIOWrapper = stream  # type: ignore[assignment]  # the interpreter's own
        if text.errors == "strict":
            is_unicode = text.encoding.lower().startswith("utf")
            text.reconfigure(errors="surrogateescape" if is_unicode else "backslashreplace")


def controller_for(program: str, line: CommandLine) -> Controller:
    """Raises UsageError for whatever is wrong with the configuration, too."""
    from proctor.config.client import load_client
    from proctor.config.problems import ConfigError
    from proctor.config.world import RealWorld

    typed = line.values
    try:
        settings = load_client(program, typed.get("configuration"), RealWorld())
    except ConfigError as error:
        raise UsageError(str(error)) from error
    chosen = Options(typed.get("serverurl", settings.serverurl))
    chosen.username = typed.get("username", settings.username)
    chosen.password = typed.get("password", settings.password)
    chosen.prompt = settings.prompt
    chosen.history_file = typed.get("history_file", settings.history_file)
    chosen.interactive = "interactive" in typed or not line.action
    ctl = Controller(chosen, VERBS)
    if settings.plugins:
        from proctor.cli.third_party import PluginError, load_plugins

        try:
            chosen.plugins = load_plugins(ctl, settings.plugins)
        except PluginError as error:
            raise UsageError(str(error)) from error
    return ctl


def _run(ctl: Controller, line: CommandLine) -> int:
    try:
        if line.action:
            ctl.onecmd(" ".join(line.action))
            return ctl.exitstatus
        from proctor.cli.shell import run_shell

        run_shell(ctl)
    except KeyboardInterrupt:
        ctl.output("")
        # Leaving the shell is no failure; a command that was cut short is one (128 + SIGINT).
        return 130 if line.action else 0
    except BrokenPipeError:
        # Whoever read our output has seen enough (`| head`); the interpreter would complain again
        # when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0
