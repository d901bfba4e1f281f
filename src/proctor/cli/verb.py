"""Verb: one action of supervisorctl.  The rows stand beside their functions in `verbs/`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from proctor.cli.controller import Controller


class Verb:
    """`run(ctl, argument)` does it; `help` is shown by `help <name>`; `completes` is what the shell
    offers behind it: "processes", "groups" or nothing."""

    __slots__ = ("completes", "help", "name", "run")

    def __init__(
        self, name: str, run: Callable[[Controller, str], None], help: str, completes: str = ""
    ) -> None:
        self.name, self.run, self.help, self.completes = name, run, help, completes
