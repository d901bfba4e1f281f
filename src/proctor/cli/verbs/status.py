"""status, pid and avail: what there is and how it does."""

from __future__ import annotations

import sys

from proctor.cli import exitcodes
from proctor.cli.verb import Verb, stands_alone
from proctor.core.faults import Fault, FaultCode
from proctor.core.names import make_namespec, split_namespec
from proctor.core.states import STOPPED_STATES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from proctor.cli.controller import Controller
    from proctor.client.server import Row

_NAME_WIDTH = 30


def namespec(row: Row) -> str:
    """The display name of a process, of any struct that names one."""
    return make_namespec(row.text("group"), row.text("name"))


def status(ctl: Controller, argument: str) -> None:
    """A line for each process; exit code 3 if one of them is down, 4 for unknown names."""
    if not ctl.upcheck():
        ctl.exitstatus = exitcodes.STATUS_UNKNOWN
        return
    names = argument.split()
    as_json = "--json" in names
    names = [name for name in names if name != "--json"]
    everything = ctl.server.rows("getAllProcessInfo")
    if ctl.server.warning:
        # Not where scripts read: they parse every line of stdout.
        print(f"warning: {ctl.server.warning}", file=sys.stderr)
    chosen, complaints = _choose(everything, names)
    if complaints:
        ctl.exitstatus = exitcodes.STATUS_UNKNOWN
    if any(row.number("state") in STOPPED_STATES for row in chosen):
        ctl.exitstatus = exitcodes.STATUS_NOT_RUNNING
    if as_json:
        _show_json(ctl, chosen, complaints)
        return
    for complaint in complaints:
        ctl.output(complaint)
    show_table(ctl, chosen)


def _choose(everything: list[Row], names: list[str]) -> tuple[list[Row], list[str]]:
    """(the processes that were asked for, in that order; a line for each name that is none)."""
    if not names or "all" in names:
        return everything, []
    chosen: list[Row] = []
    complaints: list[str] = []
    for name in names:
        group, process = split_namespec(name)
        found = [
            row
            for row in everything
            if row.text("group") == group and process in (None, row.text("name"))
        ]
        chosen += found
        if not found and process is None:
            complaints.append(f"{group}: ERROR (no such group)")
        elif not found:
            complaints.append(f"{name}: ERROR (no such process)")
    return chosen, complaints


def show_table(ctl: Controller, rows: list[Row]) -> None:
    """Name, state, description in columns that scripts take apart."""
    names = [namespec(row) for row in rows]
    width = max([_NAME_WIDTH, *map(len, names)]) + 3
    for name, row in zip(names, rows, strict=True):
        state, description = row.text("statename"), row.text("description")
        ctl.output(f"{name:<{width}}{state:<10}{description}")


def _show_json(ctl: Controller, rows: list[Row], complaints: list[str]) -> None:
    import json

    processes = [{"namespec": namespec(row), **row.members} for row in rows]
    answer = {"processes": processes, "errors": complaints}
    ctl.output(json.dumps(answer, indent=2, ensure_ascii=False))


def pid(ctl: Controller, argument: str) -> None:
    """The pid of the daemon, of named processes, or of all."""
    if not ctl.upcheck():
        return
    names = argument.split()
    if not names:
        ctl.output(ctl.server.call("getPID"))
    elif "all" in names:
        for row in ctl.server.rows("getAllProcessInfo"):
            ctl.output(row.number("pid"))
    else:
        for name in names:
            _pid_of(ctl, name)


def _pid_of(ctl: Controller, name: str) -> None:
    try:
        number = ctl.server.row("getProcessInfo", name).number("pid")
    except Fault as fault:
        if fault.code != FaultCode.BAD_NAME:
            raise
        ctl.fail(f"No such process {name}")
        return
    ctl.output(number)
    if number == 0:
        ctl.exitstatus = exitcodes.NOT_RUNNING


def avail(ctl: Controller, argument: str) -> None:
    """All configured processes, also those not added yet."""
    if not stands_alone(ctl, "avail", argument, AVAIL_HELP):
        return
    try:
        rows = ctl.server.rows("getAllConfigInfo")
    except Fault as fault:
        if fault.code != FaultCode.SHUTDOWN_STATE:
            raise
        ctl.fail("ERROR: supervisor shutting down")
        return
    for row in rows:
        used = "in use" if row.number("inuse") else "avail"
        auto = "auto" if row.number("autostart") else "manual"
        priorities = f"{row.text('group_prio')}:{row.text('process_prio')}"
        ctl.output(f"{namespec(row):<32} {used:<9} {auto:<9} {priorities}")


STATUS_HELP = """\
status                  the state of every process
status <name> ...       the state of these processes only
status <group>:*        the state of all processes of a group
status --json ...       the same for programs, with every detail the server gives"""
PID_HELP = """\
pid                     the process id of supervisord
pid <name> ...          the process ids of these processes, 0 for one that is down
pid all                 the process ids of all processes"""
AVAIL_HELP = """\
avail                   every configured process: in use or not, how it starts, priorities"""

VERBS = (
    Verb("status", status, STATUS_HELP, completes="processes"),
    Verb("pid", pid, PID_HELP, completes="processes"),
    Verb("avail", avail, AVAIL_HELP),
)
