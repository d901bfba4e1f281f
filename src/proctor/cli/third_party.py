"""ctl plug-ins: actions of others, from the [ctlplugin:x] sections of the main file.

A plug-in is made by `factory(controller, **options)`; its methods `do_<action>(argument)` are
actions.  Source: compat plugins.md, section 2.
"""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from proctor.cli.controller import Controller
from proctor.cli.help import show_topics
from proctor.core.settings import PluginSettings


class Plugin(Protocol):
    """What a factory has to return; `ControllerPluginBase` is the usual way to one."""

    name: str

    def do_help(self, topic: str) -> None:
        """Show a topic, or with "" the list of all."""


class PluginError(Exception):
    """A plug-in that cannot be loaded; the text is for the user."""


class ControllerPluginBase:
    """Base class of plug-ins.  `ctl` is the controller, `name` the x of [ctlplugin:x]."""

    name = ""

    def __init__(self, controller: Controller) -> None:
        self.ctl = controller

    def do_help(self, topic: str) -> None:
        """Show what `help_<topic>` or the docstring of `do_<topic>` says."""
        if not topic:
            documented = [action for action in actions_of(self) if self._documentation(action)]
            show_topics(self.name, documented)
            return
        show = getattr(self, f"help_{topic}", None)
        if show is not None:
            show()
            return
        text = self._documentation(topic)
        self.ctl.output(text if text else f"*** No help on {topic}")

    def _documentation(self, action: str) -> str:
        if hasattr(self, f"help_{action}"):
            return action
        function = getattr(self, f"do_{action}", None)
        # Also None has a docstring, from Python 3.13 on.
        return "" if function is None else function.__doc__ or ""


def actions_of(plugin: object) -> list[str]:
    """The names of the actions a plug-in brings."""
    names = [name.removeprefix("do_") for name in dir(plugin) if name.startswith("do_")]
    return [name for name in names if name != "help"]


def load_plugins(controller: Controller, settings: tuple[PluginSettings, ...]) -> list[Plugin]:
    """Make the plug-ins in the order of the file.  Raises PluginError."""
    return [_load(controller, one) for one in settings]


def _load(controller: Controller, settings: PluginSettings) -> Plugin:
    module, _, path = settings.factory.partition(":")
    section = f"ctlplugin:{settings.name}"
    try:
        factory: object = import_module(module)
        for attribute in path.split("."):
            factory = getattr(factory, attribute)
    except Exception as error:  # importing a plug-in runs its code
        text = f"{settings.factory} cannot be resolved within [{section}]"
        raise PluginError(f"{text}\n  {type(error).__name__}: {error}") from error
    if not callable(factory):
        raise PluginError(f"{settings.factory} within [{section}] is not callable")
    plugin = cast(Plugin, factory(controller, **dict(settings.options)))
    plugin.name = settings.name
    return plugin
