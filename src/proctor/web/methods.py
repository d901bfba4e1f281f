"""The methods of namespace `supervisor`, as a table: name, verb of the Service, types, help.

What is not in the table cannot be called.  Parameters are read here, so that the Service gets what
its types promise: a wrong number of them, or one of a hopeless type, is INCORRECT_PARAMETERS.
Source: compat xmlrpc.md, sections 3 and 6.
"""

from __future__ import annotations

from collections.abc import Callable

from proctor.core.faults import Fault, FaultCode
from proctor.core.states import SupervisorState
from proctor.core.values import dataclass


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Fault(FaultCode.INCORRECT_PARAMETERS)
    return value


def _characters(value: object) -> str:
    if not isinstance(value, str):
        raise Fault(FaultCode.INCORRECT_PARAMETERS, str(value))
    return value


def _whole(value: object) -> int:
    """Clients in loosely typed languages send offsets as text."""
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError, OverflowError):
        raise Fault(FaultCode.INCORRECT_PARAMETERS) from None


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Fault(FaultCode.INCORRECT_PARAMETERS)
    return float(value)


def _as_it_is(value: object) -> object:
    return value


def _state(value: object) -> object:
    assert isinstance(value, SupervisorState)
    return {"statecode": int(value), "statename": value.name}


def _in_a_list(value: object) -> object:
    return [value]


# Parameter name -> (type that methodSignature tells, reader)
_PARAMETERS: dict[str, tuple[str, Callable[[object], object]]] = {
    "name": ("string", _text),
    "wait": ("boolean", bool),
    "offset": ("int", _whole),
    "length": ("int", _whole),
    "signal": ("string", str),
    "chars": ("string", _characters),
    "type": ("string", str),
    "data": ("string", str),
    "since": ("double", _seconds),
    "limit": ("int", _whole),
    "run": ("int", _whole),
    "channel": ("string", _text),
    "ticket": ("string", str),
}
_OPTIONAL = frozenset({"wait", "since", "limit", "run", "channel"})


@dataclass(frozen=True, slots=True)
class Method:
    """One row: `verb` is the coroutine method of the Service that answers.

    `shape` makes of its answer what clients get, where that differs.  Methods that the original
    does not have are not `listed`: what listMethods tells is compared by scripts.
    """

    verb: str
    returns: str
    parameters: tuple[str, ...]
    help: str
    shape: Callable[[object], object] = _as_it_is
    listed: bool = True

    @property
    def signature(self) -> list[str]:
        """The return type, then those of the parameters."""
        return [self.returns, *(_PARAMETERS[name][0] for name in self.parameters)]

    def read(self, values: list[object]) -> list[object]:
        """The values as the Service wants them.  Raises Fault INCORRECT_PARAMETERS."""
        required = sum(name not in _OPTIONAL for name in self.parameters)
        if not required <= len(values) <= len(self.parameters):
            raise Fault(FaultCode.INCORRECT_PARAMETERS)
        named = zip(self.parameters, values, strict=False)
        return [_PARAMETERS[name][1](value) for name, value in named]


def _row(
    verb: str,
    returns: str,
    parameters: str,
    text: str,
    shape: Callable[[object], object] = _as_it_is,
) -> Method:
    return Method(verb, returns, tuple(parameters.split()), text, shape)


_READ = "Bytes of the {0} from offset, at most length; a negative offset counts from the end."
_TAIL = (
    "The end of the {0} log: [text, size, overflow].  Ask again with that size as offset;"
    " overflow says that more than length bytes came meanwhile."
)
_CLEAR_LOGS = _row(
    "clear_process_logs", "boolean", "name", "Empty both logs of a process; also of one that rests."
)
_VERSION = _row("get_api_version", "string", "", "The version of this interface.")
_READ_LOG = _row(
    "read_log", "string", "offset length", _READ.format("log of the supervisor itself")
)
_READ_STDOUT = _row(
    "read_process_stdout_log",
    "string",
    "name offset length",
    _READ.format("stdout log of a process"),
)
_TAIL_STDOUT = _row(
    "tail_process_stdout_log", "array", "name offset length", _TAIL.format("stdout")
)

METHODS: dict[str, Method] = {
    "addProcessGroup": _row(
        "add_process_group", "boolean", "name", "Bring a group to life that reloadConfig has found."
    ),
    "clearAllProcessLogs": _row(
        "clear_all_process_logs", "array", "", "Empty the logs of every process."
    ),
    "clearLog": _row("clear_log", "boolean", "", "Empty the log of the supervisor itself."),
    "clearProcessLog": _CLEAR_LOGS,
    "clearProcessLogs": _CLEAR_LOGS,
    "getAPIVersion": _VERSION,
    "getAllConfigInfo": _row(
        "get_all_config_info", "array", "", "What is configured for each process, active or not."
    ),
    "getAllProcessInfo": _row(
        "get_all_process_info", "array", "", "The state of each process, by group and name."
    ),
    "getIdentification": _row(
        "get_identification", "string", "", "The identifier that the configuration gives us."
    ),
    "getPID": _row("get_pid", "int", "", "The process id of the supervisor."),
    "getProcessInfo": _row("get_process_info", "struct", "name", "The state of one process."),
    "getState": _row(
        "get_state", "struct", "", "What the supervisor is doing: a code and its name.", _state
    ),
    "getSupervisorVersion": _row(
        "get_supervisor_version", "string", "", "The version of Supervisor that we stand in for."
    ),
    "getVersion": _VERSION,
    "readLog": _READ_LOG,
    "readMainLog": _READ_LOG,
    "readProcessLog": _READ_STDOUT,
    "readProcessStderrLog": _row(
        "read_process_stderr_log",
        "string",
        "name offset length",
        _READ.format("stderr log of a process"),
    ),
    "readProcessStdoutLog": _READ_STDOUT,
    "reloadConfig": _row(
        "reload_config",
        "array",
        "",
        "Read the files again: [[added, changed, removed]] groups.  Nothing is touched yet.",
        _in_a_list,
    ),
    "removeProcessGroup": _row(
        "remove_process_group", "boolean", "name", "Forget a group whose processes all rest."
    ),
    "restart": _row(
        "restart", "boolean", "", "Stop everything, read the configuration and begin again."
    ),
    "sendProcessStdin": _row(
        "send_process_stdin", "boolean", "name chars", "Write text to the stdin of a process."
    ),
    "sendRemoteCommEvent": _row(
        "send_remote_comm_event",
        "boolean",
        "type data",
        "Tell event listeners that hear REMOTE_COMMUNICATION something.",
    ),
    "shutdown": _row("shutdown", "boolean", "", "Stop everything and end."),
    "signalAllProcesses": _row(
        "signal_all_processes", "array", "signal", "Send a signal to every process."
    ),
    "signalProcess": _row(
        "signal_process",
        "boolean",
        "name signal",
        "Send a signal, by name or number, to a process, or to a whole group as group:*.",
    ),
    "signalProcessGroup": _row(
        "signal_process_group", "array", "name signal", "Send a signal to each process of a group."
    ),
    "startAllProcesses": _row(
        "start_all_processes", "array", "wait", "Start every process that rests."
    ),
    "startProcess": _row(
        "start_process",
        "boolean",
        "name wait",
        "Start a process, or a whole group as group:*; with wait, answer when it runs.",
    ),
    "startProcessGroup": _row(
        "start_process_group", "array", "name wait", "Start the processes of a group."
    ),
    "stopAllProcesses": _row("stop_all_processes", "array", "wait", "Stop every process."),
    "stopProcess": _row(
        "stop_process",
        "boolean",
        "name wait",
        "Stop a process, or a whole group as group:*; with wait, answer when it is down.",
    ),
    "stopProcessGroup": _row(
        "stop_process_group", "array", "name wait", "Stop the processes of a group."
    ),
    "tailProcessLog": _TAIL_STDOUT,
    "tailProcessStderrLog": _row(
        "tail_process_stderr_log", "array", "name offset length", _TAIL.format("stderr")
    ),
    "tailProcessStdoutLog": _TAIL_STDOUT,
    "updateProcessGroup": Method(
        "update_process_group",
        "array",
        ("name",),
        "Bring an active group in line with what reloadConfig has found; only processes that are"
        " different are stopped.",
        listed=False,
    ),
}
