"""Configuration files for tools, read and checked; names of processes, and words for numbers."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from configparser import RawConfigParser
from typing import Any, NoReturn

from proctor.cli.controller import Options
from proctor.config.expand import expand as _expand
from proctor.config.load import Configuration
from proctor.core.exits import ExitStatus, signal_name
from proctor.core.names import make_namespec, split_namespec
from proctor.core.version import VERSION
from supervisor.absent import absent
from supervisor.configs import ProcessConfig, View

__all__ = [
    "VERSION",
    "ClientOptions",
    "ServerOptions",
    "UnhosedConfigParser",
    "decode_wait_status",
    "expand",
    "make_namespec",
    "signame",
    "split_namespec",
]
__getattr__ = absent(__name__)

signame = signal_name


def expand(value: str, expansions: Mapping[str, object], name: str) -> str:
    """The text with its %(names)s replaced.  Raises ValueError, which names `name`."""
    return _expand(value, expansions, name)


def decode_wait_status(sts: int) -> tuple[int, str]:
    """(exit code or -1, words) of a number that waitpid(2) gave."""
    status = ExitStatus.from_wait(sts)
    return status.number, str(status)


def _refuse(program: str, error: Exception) -> NoReturn:
    print(f"Error: {error}\nFor help, use {program} -h", file=sys.stderr)
    raise SystemExit(2) from error


class ServerOptions(View):
    """A configuration file of supervisord, once `realize` has read it."""

    _read: Configuration | None = None

    @property
    def configuration(self) -> Configuration:
        """As read.  Raises AttributeError before."""
        if self._read is None:
            raise AttributeError("realize() was not called")
        return self._read

    def realize(
        self, args: Sequence[str] | None = None, doc: str | None = None, progname: str | None = None
    ) -> None:
        """Read what this command line of supervisord asks for.

        A mistake is told on stderr and raises SystemExit(2), as in the program.
        """
        from proctor.config.commandline import UsageError, parse
        from proctor.config.discover import find
        from proctor.config.load import load
        from proctor.config.problems import ConfigError
        from proctor.config.world import RealWorld

        program, world = progname or sys.argv[0], RealWorld()
        try:
            overrides = parse(sys.argv[1:] if args is None else args, world)
            path = overrides.configuration or find(program, world)
            self._read = load(path, overrides, world)
        except (ConfigError, UsageError) as error:
            _refuse(program, error)


class ClientOptions(Options):
    """How supervisorctl reaches its server, once `realize` has read its configuration."""

    def __init__(self) -> None:
        super().__init__("http://localhost:9001")
        self.args: list[str] = []

    def realize(
        self, args: Sequence[str] | None = None, doc: str | None = None, progname: str | None = None
    ) -> None:
        """Read what this command line of supervisorctl asks for; mistakes as in ServerOptions."""
        from proctor.cli.main import controller_for
        from proctor.cli.options import UsageError, parse

        program = progname or sys.argv[0]
        try:
            line = parse(list(sys.argv[1:] if args is None else args))
            vars(self).update(vars(controller_for(program, line).options), args=line.action)
        except UsageError as error:
            _refuse(program, error)


_NONE = object()


class UnhosedConfigParser(RawConfigParser):
    """A configuration file by itself; `expansions` are names for %(names)s in its values."""

    mysection = "supervisord"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        rules = {"inline_comment_prefixes": (";", "#"), "strict": False}
        super().__init__(*args, **{**rules, **kwargs})
        self.expansions: dict[str, object] = {}

    def getdefault(self, option: str, default: Any = _NONE, **more: Any) -> Any:
        """An option of `mysection`."""
        return self.saneget(self.mysection, option, default, **more)

    def saneget(
        self,
        section: str,
        option: str,
        default: Any = _NONE,
        do_expand: bool = True,
        expansions: Mapping[str, object] | None = None,
    ) -> Any:
        """The value, expanded unless told not to.  Raises configparser's errors without default."""
        if default is not _NONE and not self.has_option(section, option):
            return default
        value = self.get(section, option)
        names = {**self.expansions, **(expansions or {})}
        return expand(value, names, f"{section}.{option}") if do_expand else value


def processes_of(
    parser: RawConfigParser, section: str, group: str, daemon: Configuration
) -> list[ProcessConfig]:
    """The processes of a section, as members of `group` of a daemon with that configuration.

    Raises ValueError for mistakes.
    """
    from proctor.config.groups import build_groups
    from proctor.config.ini import Sections, Value
    from proctor.config.problems import ConfigError, Findings, Place
    from proctor.config.reader import Context
    from proctor.config.source import names_of
    from proctor.config.world import RealWorld

    place, sections = Place(daemon.path), Sections()
    values = {name: str(value) for name, value in parser.items(section)}
    for name, options in (
        (section, values),
        (f"group:{group}", {"programs": section.partition(":")[2]}),
    ):
        sections.open(name, place)
        for option, text in options.items():
            sections.set(name, option, Value(text, place))
    world, findings = RealWorld(), Findings()
    context = Context(world, findings, names_of(world))
    inherited = daemon.daemon.environment
    context.names.update((f"ENV_{name}", value) for name, value in inherited)
    try:
        (found,) = build_groups(sections, inherited, context)
        findings.raise_if_any()
    except ConfigError as error:
        raise ValueError(str(error)) from error
    return [ProcessConfig(spec) for spec in found.processes]
