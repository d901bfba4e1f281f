"""start, stop, restart, signal and clear: one line for each process that was asked for.

Names are worked off one after the other, each waited for; the members of a group and `all` go
together, in one request.
"""

from __future__ import annotations

from proctor.cli import exitcodes
from proctor.cli.verb import Verb
from proctor.cli.verbs.status import namespec
from proctor.cli.verbs.survivors import tell_survivors
from proctor.core.faults import Fault, FaultCode
from proctor.core.names import make_namespec, split_namespec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from proctor.cli.controller import Controller
    from proctor.client.server import Row


_REASONS: dict[int, str] = {
    FaultCode.BAD_NAME: "no such process",
    FaultCode.BAD_SIGNAL: "bad signal name",
    FaultCode.NO_FILE: "no such file",
    FaultCode.NOT_EXECUTABLE: "file is not executable",
    FaultCode.ALREADY_STARTED: "already started",
    FaultCode.SPAWN_ERROR: "spawn error",
    FaultCode.ABNORMAL_TERMINATION: "abnormal termination",
    FaultCode.NOT_RUNNING: "not running",
}


class _Action:
    """What the verbs differ in.  `one`, `group`, `every` are method names; `ignored` is the fault
    that is reported but does no harm to the exit code; `reasons` say in brackets what failed."""

    def __init__(
        self, one: str, group: str, every: str, done: str, *, ignored: int | None = None
    ) -> None:
        self.one, self.group, self.every = one, group, every
        self.done, self.ignored, self.reasons = done, ignored, _REASONS
        self.unknown_group = exitcodes.GENERAL

    def line(self, name: str, code: int, text: str) -> str:
        """The line for a process, from the code and text of its result."""
        if code == FaultCode.SUCCESS:
            return f"{name}: {self.done}"
        if code in self.reasons:
            return f"{name}: ERROR ({self.reasons[code]})"
        # Whatever else refused has said why in words of its own.
        return text


_START = _Action(
    "startProcess",
    "startProcessGroup",
    "startAllProcesses",
    "started",
    ignored=FaultCode.ALREADY_STARTED,
)
_START.unknown_group = exitcodes.INVALID_ARGUMENTS
_STOP = _Action(
    "stopProcess",
    "stopProcessGroup",
    "stopAllProcesses",
    "stopped",
    ignored=FaultCode.NOT_RUNNING,
)
_SIGNAL = _Action("signalProcess", "signalProcessGroup", "signalAllProcesses", "signalled")
# There is no clearing of groups.
_CLEAR = _Action("clearProcessLogs", "", "clearAllProcessLogs", "cleared")
_CLEAR.reasons = {FaultCode.BAD_NAME: "no such process", FaultCode.FAILED: "failed"}


def start(ctl: Controller, argument: str) -> None:
    """Start processes and wait until they run."""
    names = _names(ctl, "start", argument, START_HELP, exitcodes.INVALID_ARGUMENTS)
    _act(ctl, _START, names)


def stop(ctl: Controller, argument: str) -> None:
    """Stop processes and wait until they are down."""
    _stop(ctl, _names(ctl, "stop", argument, STOP_HELP))


def restart(ctl: Controller, argument: str) -> None:
    """Stop, then start; a process that is down gives an error line first (gotcha G91)."""
    names = _names(ctl, "restart", argument, RESTART_HELP)
    _stop(ctl, names)
    _act(ctl, _START, names)


def signal(ctl: Controller, argument: str) -> None:
    """Send a signal, by name or number."""
    if not ctl.upcheck():
        return
    words = argument.split()
    if len(words) < 2:
        ctl.fail("Error: signal requires a signal name and a process name")
        ctl.output(SIGNAL_HELP)
        return
    _act(ctl, _SIGNAL, words[1:], words[0])


def _names(
    ctl: Controller, verb: str, argument: str, help: str, code: int = exitcodes.GENERAL
) -> list[str]:
    """The names that were given, or none at all when nothing can be done."""
    if not ctl.upcheck():
        return []
    names = argument.split()
    if not names:
        ctl.fail(f"Error: {verb} requires a process name", code)
        ctl.output(help)
    return names


def _stop(ctl: Controller, names: list[str]) -> None:
    if names:
        _act(ctl, _STOP, names)
        tell_survivors(ctl, names)


def _act(ctl: Controller, action: _Action, names: list[str], *more: str) -> None:
    if "all" in names:
        _report(ctl, action, ctl.server.rows(action.every, *more))
        return
    for name in names:
        group, process = split_namespec(name)
        if process is None:
            _act_on_group(ctl, action, group, more)
        else:
            _act_on_one(ctl, action, name, make_namespec(group, process), more)


def _act_on_group(ctl: Controller, action: _Action, group: str, more: tuple[str, ...]) -> None:
    try:
        rows = ctl.server.rows(action.group, group, *more)
    except Fault as fault:
        if fault.code != FaultCode.BAD_NAME:
            raise
        ctl.fail(f"{group}: ERROR (no such group)", action.unknown_group)
        return
    _report(ctl, action, rows)


def _report(ctl: Controller, action: _Action, rows: list[Row]) -> None:
    for row in rows:
        code = row.number("status")
        ctl.output(action.line(namespec(row), code, row.text("description")))
        ctl.set_exitstatus_from_xmlrpc_fault(code, action.ignored)


def _act_on_one(
    ctl: Controller, action: _Action, name: str, shown: str, more: tuple[str, ...]
) -> None:
    try:
        ctl.server.call(action.one, name, *more)
    except Fault as fault:
        ctl.output(action.line(shown, fault.code, fault.text))
        ctl.set_exitstatus_from_xmlrpc_fault(fault.code, action.ignored)
        return
    ctl.output(action.line(shown, FaultCode.SUCCESS, ""))


def clear(ctl: Controller, argument: str) -> None:
    """Empty the log files of processes."""
    names = _names(ctl, "clear", argument, CLEAR_HELP)
    if "all" in names:
        _act(ctl, _CLEAR, names)
        return
    for name in names:
        group, process = split_namespec(name)
        # Like the original, `g:*` is refused as `g:None`.
        _act_on_one(ctl, _CLEAR, name, make_namespec(group, str(process)), ())


START_HELP = """\
start <name> ...        start processes, one after the other
start <group>:*         start all processes of a group
start all               start everything"""
STOP_HELP = """\
stop <name> ...         stop processes, one after the other
stop <group>:*          stop all processes of a group
stop all                stop everything"""
RESTART_HELP = """\
restart <name> ...      stop, then start processes
restart <group>:*       stop, then start all processes of a group
restart all             stop, then start everything
The configuration is not read again; `update` does that."""
SIGNAL_HELP = """\
signal <signal> <name> ...      send a signal, such as HUP or 10, to processes
signal <signal> <group>:*       send it to all processes of a group
signal <signal> all             send it to everything"""
CLEAR_HELP = """\
clear <name> ...        empty the log files of processes
clear all               empty the log files of all processes"""

VERBS = (
    Verb("start", start, START_HELP, completes="processes"),
    Verb("stop", stop, STOP_HELP, completes="processes"),
    Verb("restart", restart, RESTART_HELP, completes="processes"),
    Verb("signal", signal, SIGNAL_HELP, completes="processes"),
    Verb("clear", clear, CLEAR_HELP, completes="processes"),
)
