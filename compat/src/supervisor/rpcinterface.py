"""The standard interface as an object: for plug-ins that call it, or put a subclass in its place.

What can be answered at once is answered at once; what has to wait is a deferred answer, a function
that says NOT_DONE_YET until it is done.  Refusals are RPCErrors.
Source: compat plugins.md, sections 1 and 5; xmlrpc.md, section 6.
"""

from __future__ import annotations

import asyncio
import inspect
import types
from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any

from proctor.api.service import Service
from proctor.core.faults import Fault
from proctor.core.names import split_namespec
from proctor.web.methods import METHODS, Method
from supervisor import states
from supervisor.absent import absent
from supervisor.http import NOT_DONE_YET
from supervisor.xmlrpc import Faults, RPCError

API_VERSION = "3.0"
__getattr__ = absent(__name__)


def make_main_rpcinterface(supervisord: Any) -> SupervisorNamespaceRPCInterface:
    """The standard interface; the daemon itself knows this name and needs no object for it."""
    return SupervisorNamespaceRPCInterface(supervisord)


class _Direct(Service):
    """Files are read at once, as plug-ins expect it."""

    async def _in_worker(self, function: Callable[..., Any], *arguments: object) -> Any:
        return function(*arguments)


class _Unlisted:
    """What the original's interface does not have."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., Any]: ...


class SupervisorNamespaceRPCInterface(_Unlisted):
    """All methods of namespace `supervisor`.  `update_text` is the name of the last one called."""

    def __init__(self, supervisord: Any) -> None:
        self.supervisord = supervisord
        self.update_text = ""
        self._service = _Direct(supervisord.service.supervisor, supervisord.service.context)

    def _update(self, text: str) -> None:
        """Every method tells its name here first.  Raises RPCError SHUTDOWN_STATE."""
        self.update_text = text
        if self.supervisord.get_state() < states.SupervisorStates.RUNNING:
            raise RPCError(Faults.SHUTDOWN_STATE)

    def _getAllProcesses(self, lexical: bool = False) -> list[tuple[Any, Any]]:
        """(group, process) of every process, by priority or by name."""
        key = "name" if lexical else "priority"
        groups = self.supervisord.process_groups.values()
        return [
            (group, process)
            for group in sorted(groups, key=lambda each: getattr(each.config, key))
            for process in sorted(
                group.processes.values(), key=lambda each: getattr(each.config, key)
            )
        ]

    def _getGroupAndProcess(self, name: str) -> tuple[Any, Any]:
        """The group and the process of a name; None for `group:*`.  Raises RPCError BAD_NAME."""
        group_name, process_name = split_namespec(name)
        group = self.supervisord.process_groups.get(group_name)
        process = group and process_name and group.processes.get(process_name)
        if group is None or (process_name is not None and process is None):
            raise RPCError(Faults.BAD_NAME, name)
        return group, process

    def _ask(self, method: Method, values: list[object]) -> object:
        def answer(question: Callable[[], Any]) -> Any:
            try:
                return _plain(method.shape(question()))
            except Fault as fault:
                raise RPCError.of(fault) from fault

        def begin() -> Any:
            return getattr(self._service, method.verb)(*method.read(values))

        try:
            coroutine = begin()
            waiting = coroutine.send(None)
        except StopIteration as end:
            value = end.value
            return answer(lambda: value)
        except Fault as fault:
            raise RPCError.of(fault) from fault
        task = asyncio.get_running_loop().create_task(_rest(coroutine, waiting))
        # Nobody may ever ask how it ended.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

        def deferred() -> object:
            return answer(task.result) if task.done() else NOT_DONE_YET

        vars(deferred).update(delay=0.05, rpcinterface=self)
        return deferred


async def _rest(coroutine: Coroutine[Any, Any, Any], waiting: object) -> Any:
    return await _from_here(coroutine, waiting)


@types.coroutine
def _from_here(coroutine: Coroutine[Any, Any, Any], waiting: Any) -> Generator[Any, Any, Any]:
    """Go on with a coroutine that was begun outside of a task, and waits for this."""
    yield waiting
    return (yield from coroutine)


def _plain(value: Any) -> Any:
    if hasattr(value, "as_struct"):
        return value.as_struct()
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _as_method(name: str, row: Method) -> Callable[..., object]:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [
        inspect.Parameter(each, kind, default=True if each == "wait" else inspect.Parameter.empty)
        for each in ("self", *row.parameters)
    ]
    signature = inspect.Signature(parameters)

    def method(self: SupervisorNamespaceRPCInterface, *values: Any, **named: Any) -> object:
        bound = signature.bind(self, *values, **named)
        if name != "sendRemoteCommEvent":  # which works in any state
            self._update(name)
        return self._ask(row, list(bound.args[1:]))

    tags = zip(row.signature[1:], row.parameters, strict=True)
    lines = [f"@param {kind} {each}" for kind, each in tags]
    doc = "\n".join([row.help, "", *lines, f"@return {row.returns} result"])
    vars(method).update(__signature__=signature)
    method.__name__, method.__doc__ = name, doc
    return method


for _name, _row in METHODS.items():
    _owner = SupervisorNamespaceRPCInterface if _row.listed else _Unlisted
    setattr(_owner, _name, _as_method(_name, _row))
