"""rpcinterface factories that the configuration names: other people's methods on our server.

1. The factory of Supervisor's own interface is known by its name and never imported: our Service
   answers for it, also where the compatibility package is not installed.
2. Other factories are called once, before the daemon detaches, with a facade of the daemon that the
   compatibility package makes; it says so by an entry point, so that we need not name it.
3. Remote are the bound methods whose name has no leading underscore.  A plain function as result
   is a deferred answer: it is called every `delay` seconds until it no longer says NOT_DONE_YET.

Source: compat plugins.md, section 1; gotchas G73, G76.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import FunctionType
from typing import Protocol

from proctor.api.access import Need, Reach, asked_by, caller, require
from proctor.api.audit import audited
from proctor.config.options.special import MAIN_RPCINTERFACE
from proctor.core.caller import How, Role
from proctor.core.faults import Fault, FaultCode
from proctor.core.settings import PluginSettings
from proctor.daemon.activity_log import ActivityLog

FACADE_GROUP = "proctor.facade"

NOT_DONE_YET = object()
MIN_DELAY = 0.01


class PluginError(Exception):
    """A factory failed; the text is the original's, to be shown with exit status 2."""


class Facade(Protocol):
    """The daemon as plug-ins know it."""

    def result_handler(self, handler: Callable[..., object]) -> Callable[..., object]:
        """The same handler, but it is told of events as plug-ins know them."""


class ThirdParty:
    """The namespace of one object that a factory made."""

    def __init__(self, target: object, log: ActivityLog, role: Role | None = None) -> None:
        self._target = target
        self._log = log
        # Nobody but its author knows what a method of a plug-in does.
        self._need = Need(role or Role.ADMIN, Reach.WHOLE)

    def names(self) -> Iterable[str]:
        """Public callables of the object's own class; inherited ones work, but are not told."""
        members = vars(type(self._target)).items()
        return [name for name, member in members if callable(member) and name[0] != "_"]

    def describe(self, name: str) -> tuple[list[str], str] | None:
        """From the @param and @return lines that docstrings of plug-ins have by custom."""
        method = self._method(name)
        if method is None:
            return None
        text = inspect.getdoc(method) or ""
        returns = re.findall(r"@return\s+(\w+)", text) or ["undef"]
        return [returns[0], *re.findall(r"@param\s+(\w+)", text)], text

    async def call(self, name: str, parameters: list[object]) -> object:
        """Call it, and wait for its answer if it is deferred.  It runs on the loop, as it must."""
        method = self._method(name)
        if method is None:
            raise Fault(FaultCode.UNKNOWN_METHOD)
        try:
            inspect.signature(method).bind(*parameters)
        except (TypeError, ValueError):
            raise Fault(FaultCode.INCORRECT_PARAMETERS) from None
        with audited(self._log, f"plug-in {name}") as entry:
            require(self._need, name)
            answer = await self._called(name, method, parameters)
            entry.answered(answer)
        return answer

    async def _called(
        self, name: str, method: Callable[..., object], parameters: list[object]
    ) -> object:
        try:
            # What it does in turn is its own doing.
            with asked_by(replace(caller(), how=How.PLUGIN, role=Role.ADMIN)):
                return await _finished(method(*parameters))
        except TypeError:
            # Some plug-ins refuse a value this way, so clients see what they always saw.
            self._log.error(f"rpc method {name!r} failed: {traceback.format_exc()}")
            raise Fault(FaultCode.INCORRECT_PARAMETERS) from None
        except Exception as error:
            fault = _as_fault(error)
            if fault is None:
                raise
            raise fault from error

    def _method(self, name: str) -> Callable[..., object] | None:
        found = getattr(self._target, name, None) if not name.startswith("_") else None
        return found if inspect.ismethod(found) else None


async def _finished(result: object) -> object:
    if inspect.isawaitable(result):
        result = await result
    if not isinstance(result, FunctionType):
        return result
    delay = max(float(getattr(result, "delay", 0.0)), MIN_DELAY)
    # Polling is what the original's plug-ins are written for: nothing tells us when they are done.
    while (value := result()) is NOT_DONE_YET:  # noqa: ASYNC110
        await asyncio.sleep(delay)
    return value


def _as_fault(error: Exception) -> Fault | None:
    """An RPCError of the compatibility package, told by its shape: a code and a text."""
    if isinstance(error, Fault):
        return error
    code, text = getattr(error, "code", None), getattr(error, "text", None)
    if not isinstance(code, int) or not isinstance(text, str):
        return None
    fault = Fault(code)
    fault.text = text
    return fault


def load(
    plugins: Iterable[PluginSettings],
    resolve: Callable[[str], Callable[..., object]],
    make_facade: Callable[[], object],
    log: ActivityLog,
) -> dict[str, ThirdParty | None]:
    """The namespaces of the configuration; None stands for our own interface.

    `resolve` turns `module:attribute` into the factory.  Raises PluginError.
    """
    namespaces: dict[str, ThirdParty | None] = {}
    for plugin in plugins:
        if plugin.factory == MAIN_RPCINTERFACE:
            namespaces[plugin.name] = None
        else:
            namespaces[plugin.name] = _made(plugin, resolve, make_facade, log)
        log.info(f"RPC interface '{plugin.name}' initialized")
    return namespaces


def _made(
    plugin: PluginSettings,
    resolve: Callable[[str], Callable[..., object]],
    make_facade: Callable[[], object],
    log: ActivityLog,
) -> ThirdParty:
    try:
        return ThirdParty(
            resolve(plugin.factory)(make_facade(), **dict(plugin.options)), log, plugin.role
        )
    except Exception as error:  # Whatever it was, it is the plug-in's, and the start ends here.
        log.warn(traceback.format_exc())
        raise PluginError(f"Could not make {plugin.name} rpc interface") from error


def installed_facade() -> Callable[..., Facade] | None:
    """What makes the object that factories receive; None without the compatibility package."""
    from importlib.metadata import entry_points

    for entry in entry_points(group=FACADE_GROUP):
        made: Callable[..., Facade] = entry.load()
        return made
    return None


def resolve(spec: str) -> Callable[..., object]:
    """What `module:attribute` names.  Raises ImportError or AttributeError."""
    import importlib

    module, _, attributes = spec.partition(":")
    found: object = importlib.import_module(module)
    for name in attributes.split("."):
        found = getattr(found, name)
    assert callable(found), f"{spec} is not callable"
    return found
