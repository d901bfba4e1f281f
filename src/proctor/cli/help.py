"""help: the list of actions, and a text for each.

Every plug-in is asked for a topic, the actions of our own first; each that knows nothing says so.
Source: compat supervisorctl.md, section 8.
"""

from __future__ import annotations

import sys
from cmd import Cmd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from proctor.cli.controller import Controller

_HELP = """\
help                    the list of all actions
help <action>           what an action does and how it is called"""


def show_help(ctl: Controller, topic: str) -> None:
    """The list of actions without a topic, else what is known about it."""
    if topic == "help":
        ctl.output(_HELP)
        return
    if not topic:
        show_topics("default", [name for name, verb in ctl.verbs.items() if not verb.own])
        show_topics("more", [name for name, verb in ctl.verbs.items() if verb.own])
    elif topic in ctl.verbs:
        ctl.output(ctl.verbs[topic].help)
    else:
        ctl.output(f"*** No help on {topic}")
    for plugin in ctl.options.plugins:
        plugin.do_help(topic)


def show_topics(title: str, names: list[str]) -> None:
    """A block of names in columns, for a screen of 80."""
    columns = Cmd(stdout=sys.stdout)
    sys.stdout.write("\n")
    columns.print_topics(f"{title} commands (type help <topic>):", sorted(names), 15, 80)
    sys.stdout.flush()
