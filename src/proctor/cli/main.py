"""supervisorctl: from sys.argv to an exit code."""

from __future__ import annotations

import sys

from proctor.cli import exitcodes, options
from proctor.cli.controller import Controller, Options
from proctor.cli.options import CommandLine, UsageError
from proctor.cli.streams import prepare_streams, survive_the_reader
from proctor.cli.verbs.all import VERBS


def supervisorctl(argv: list[str] | None = None) -> int:
    """The command: program name and arguments in, exit code out (compat supervisorctl.md)."""
    program, *arguments = sys.argv if argv is None else argv
    prepare_streams()
    return survive_the_reader(lambda: _carry_out(program, arguments))


def _carry_out(program: str, arguments: list[str]) -> int:
    try:
        line = options.parse(arguments)
        if "help" in line.values:
            print(options.HELP.format(program=program), end="")
            return 0
        ctl = controller_for(program, line)
    except UsageError as error:
        return options.complain(program, error)
    return _run(ctl, line.action)


def controller_for(program: str, line: CommandLine) -> Controller:
    """Raises UsageError for whatever is wrong with the configuration, too."""
    settings = options.settings_for(program, line)
    chosen = Options(settings.serverurl)
    chosen.username, chosen.password = settings.username, settings.password
    chosen.guessed = settings.guessed
    chosen.prompt = settings.prompt
    chosen.trust = settings.trust
    chosen.history_file = settings.history_file
    chosen.interactive = "interactive" in line.values or not line.action
    ctl = Controller(chosen, VERBS)
    if settings.plugins:
        from proctor.cli.third_party import PluginError, load_plugins

        try:
            chosen.plugins = load_plugins(ctl, settings.plugins)
        except PluginError as error:
            raise UsageError(str(error)) from error
    return ctl


def _run(ctl: Controller, action: list[str]) -> int:
    try:
        if action:
            ctl.onecmd(" ".join(action))
            return exitcodes.GENERAL if ctl.unheard else ctl.exitstatus
        from proctor.cli.shell import run_shell

        run_shell(ctl)
    except KeyboardInterrupt:
        ctl.output("")
        # Leaving the shell is no failure; a command that was cut short is one (128 + SIGINT).
        return 130 if action else 0
    return 0
