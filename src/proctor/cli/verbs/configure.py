"""reread, update, add and remove: what the daemon makes of a changed configuration.

Source: compat supervisorctl.md, section 5; gotcha G86.
"""

from __future__ import annotations

import sys

from proctor.cli.verb import Verb, stands_alone
from proctor.client.server import listed
from proctor.core.faults import Fault, FaultCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from proctor.cli.controller import Controller

    Changes = tuple[list[str], list[str], list[str]]


def reread(ctl: Controller, argument: str) -> None:
    """Say what an update would do."""
    if not stands_alone(ctl, "reread", argument, REREAD_HELP):
        return
    changes = _reload(ctl, "ERROR: supervisor shutting down")
    if changes is None:
        return
    words = zip(changes, ("available", "changed", "disappeared"), strict=True)
    lines = [(group, word) for groups, word in words for group in groups]
    for group, word in sorted(lines):
        ctl.output(f"{group}: {word}")
    if not lines:
        ctl.output("No config updates to processes")
    _tell_warnings(ctl)


def _tell_warnings(ctl: Controller) -> None:
    """On stderr, for scripts read the lines above; an older server, or another, has none."""
    try:
        warnings = listed(ctl.server.call("proctor.fileWarnings"))
    except Fault:
        return
    for text in warnings:
        print("warning:", text, file=sys.stderr)


def _reload(ctl: Controller, shutting_down: str) -> Changes | None:
    try:
        return ctl.server.reload_config()
    except Fault as fault:
        if fault.code == FaultCode.SHUTDOWN_STATE:
            ctl.fail(shutting_down)
        elif fault.code == FaultCode.CANT_REREAD:
            ctl.fail(f"ERROR: {fault.text}")
        else:
            raise
        return None


def update(ctl: Controller, argument: str) -> None:
    """Stop and remove what is gone, replace what changed, add what is new."""
    changes = _reload(ctl, "ERROR: already shutting down")
    if changes is None:
        return
    names = argument.split()
    if names and "all" not in names:
        known = {row.text("group") for row in ctl.server.rows("getAllProcessInfo")}
        for name in names:
            if name not in known.union(*changes):
                ctl.fail(f"ERROR: no such group: {name}")
        added, changed, removed = ([group for group in part if group in names] for part in changes)
    else:
        added, changed, removed = changes
    for group in removed:
        _remove(ctl, group)
    for group in changed:
        _replace(ctl, group)
    for group in added:
        ctl.server.call("addProcessGroup", group)
        ctl.output(f"{group}: added process group")


def _remove(ctl: Controller, group: str) -> None:
    results = ctl.server.rows("stopProcessGroup", group)
    ctl.output(f"{group}: stopped")
    if any(row.number("status") == FaultCode.FAILED for row in results):
        ctl.output(f"{group}: has problems; not removing")
        return
    ctl.server.call("removeProcessGroup", group)
    ctl.output(f"{group}: removed process group")


def _replace(ctl: Controller, group: str) -> None:
    try:
        # Ours: only what is different in the group is stopped.
        ctl.server.call("updateProcessGroup", group)
        ctl.output(f"{group}: stopped")
    except Fault as fault:
        if fault.code != FaultCode.UNKNOWN_METHOD:
            raise
        ctl.server.call("stopProcessGroup", group)
        ctl.output(f"{group}: stopped")
        ctl.server.call("removeProcessGroup", group)
        ctl.server.call("addProcessGroup", group)
    ctl.output(f"{group}: updated process group")


def add(ctl: Controller, argument: str) -> None:
    """Take configured groups into service."""
    for group in argument.split():
        refusals = {
            FaultCode.SHUTDOWN_STATE: ("ERROR: shutting down", True),
            # Asking for what is so already is no failure (gotcha G84).
            FaultCode.ALREADY_ADDED: ("ERROR: process group already active", False),
            FaultCode.BAD_NAME: (f"ERROR: no such process/group: {group}", True),
        }
        if _ask(ctl, "addProcessGroup", group, refusals):
            ctl.output(f"{group}: added process group")


def remove(ctl: Controller, argument: str) -> None:
    """Forget groups that are stopped."""
    for group in argument.split():
        refusals = {
            FaultCode.SHUTDOWN_STATE: ("ERROR: shutting down", True),
            FaultCode.STILL_RUNNING: (f"ERROR: process/group still running: {group}", True),
            FaultCode.BAD_NAME: (f"ERROR: no such process/group: {group}", True),
        }
        if _ask(ctl, "removeProcessGroup", group, refusals):
            ctl.output(f"{group}: removed process group")


def _ask(
    ctl: Controller, method: str, group: str, refusals: Mapping[FaultCode, tuple[str, bool]]
) -> bool:
    """Whether it was done; `refusals` maps a fault to its line and to whether it is a failure."""
    try:
        ctl.server.call(method, group)
    except Fault as fault:
        for code, (line, is_failure) in refusals.items():
            if fault.code == code:
                ctl.output(line)
                ctl.exitstatus = 1 if is_failure else ctl.exitstatus
                return False
        raise
    return True


REREAD_HELP = """\
reread                  read the configuration and say what changed; nothing is done about it"""
UPDATE_HELP = """\
update                  read the configuration, then stop, restart and add what changed
update <group> ...      the same for these groups only"""
ADD_HELP = """\
add <group> ...         take groups of the configuration into service"""
REMOVE_HELP = """\
remove <group> ...      take stopped groups out of service"""

VERBS = (
    Verb("reread", reread, REREAD_HELP),
    Verb("update", update, UPDATE_HELP, completes="groups"),
    Verb("add", add, ADD_HELP, completes="groups"),
    Verb("remove", remove, REMOVE_HELP, completes="groups"),
)
