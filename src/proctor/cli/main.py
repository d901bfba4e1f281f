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
    from collections.abc import Callable
    from io import TextIOWrapper


def supervisorctl(argv: list[str] | None = None) -> int:
    """The command: program name and arguments in, exit code out (compat supervisorctl.md)."""
    program, *arguments = sys.argv if argv is None else argv
    prepare_streams()
    try:
        line = options.parse(arguments)
        if "help" in line.values:
            print(options.HELP.format(program=program), end="")
            return 0
        ctl = controller_for(program, line)
    except UsageError as error:
        return options.complain(program, error)
    return survive_the_reader(lambda: _run(ctl, line.action))


def prepare_streams() -> None:
    """A stream that is closed leads nowhere; what cannot be shown or read as text is escaped."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  (until the end)
        text: TextIOWrapper = getattr(sys, name)
        if text.errors in ("strict", "surrogateescape"):
            is_unicode = text.encoding.lower().startswith("utf")
            text.reconfigure(errors="surrogateescape" if is_unicode else "backslashreplace")


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


def survive_the_reader(command: Callable[[], int]) -> int:
    """The exit status of a command; 1 when its output, or a terminal's input, cannot go on."""
    try:
        return command()
    except OSError as error:
        # Whoever reads our output has seen enough (`| head`), or more serious.
        if not isinstance(error, BrokenPipeError):
            print(f"Error: cannot go on: {error.strerror}", file=sys.stderr)
        # The interpreter would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(ctl: Controller, action: list[str]) -> int:
    try:
        if action:
            ctl.onecmd(" ".join(action))
            return ctl.exitstatus
        from proctor.cli.shell import run_shell

        run_shell(ctl)
    except KeyboardInterrupt:
        ctl.output("")
        # Leaving the shell is no failure; a command that was cut short is one (128 + SIGINT).
        return 130 if action else 0
    return 0
