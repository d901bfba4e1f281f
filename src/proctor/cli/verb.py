"""Verb: one action of supervisorctl.  The rows stand beside their functions in `verbs/`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from proctor.cli.controller import Controller


class Verb:
    """`run(ctl, argument)` does it; `help` is shown by `help <name>`; `completes` is what the shell
    offers behind it: "processes", "groups" or nothing; `own`: the original has none of that name.
    """

    __slots__ = ("completes", "help", "name", "own", "run")

    def __init__(
        self,
        name: str,
        run: Callable[[Controller, str], None],
        help: str,
        completes: str = "",
        own: bool = False,
    ) -> None:
        self.name, self.run, self.help, self.completes = name, run, help, completes
        self.own = own


def stands_alone(ctl: Controller, verb: str, argument: str, help: str) -> bool:
    """Whether there is nothing behind a verb that takes nothing; if there is, that is said."""
    if not argument:
        return True
    ctl.fail(f"Error: {verb} accepts no arguments")
    ctl.output(help)
    return False
