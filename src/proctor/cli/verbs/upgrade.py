"""upgrade: replace the daemon that runs by the version that is installed now, and say how it went.

The daemon tries the new version out, answers, and stands aside; there is a gap of a moment in which
nobody answers.  Whoever answers then, the new daemon or the old one, knows how it went.
"""

from __future__ import annotations

import time

from proctor.cli.verb import Verb, stands_alone
from proctor.client.server import Row
from proctor.core.faults import Fault, FaultCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from proctor.cli.controller import Controller

_PAUSE = 0.05
# Seconds: a daemon has upgrade_timeout to be healthy; more is told by nobody any more.
_PATIENCE = 300.0


def upgrade(ctl: Controller, argument: str) -> None:
    """Ask for it and wait for the end of it."""
    if not stands_alone(ctl, "upgrade", argument, UPGRADE_HELP):
        return
    try:
        begun = ctl.server.row("proctor.upgrade")
    except Fault as fault:
        reasons: dict[int, str] = {
            FaultCode.SHUTDOWN_STATE: "already shutting down",
            FaultCode.FAILED: fault.text.removeprefix("FAILED: "),
            FaultCode.UNKNOWN_METHOD: "this server cannot be upgraded in place",
        }
        if fault.code not in reasons:
            raise
        ctl.fail(f"ERROR: not upgraded: {reasons[fault.code]}")
        return
    _say(ctl, _wait(ctl, begun.text("ticket")))


def _wait(ctl: Controller, ticket: str) -> Row | None:
    """What the daemon that answers says of it; None when none does."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            told = ctl.server.row("proctor.upgraded", ticket)
            if told.text("stage") != "pending":
                return told
        except OSError:
            pass  # nobody answers in this moment
        time.sleep(_PAUSE)
    return None


def _say(ctl: Controller, told: Row | None) -> None:
    if told is None:
        ctl.fail("ERROR: supervisord does not answer any more; its log says why")
    elif told.text("stage") == "done":
        ctl.output(f"Upgraded supervisord: {told.text('from')} -> {told.text('to')}")
    elif told.text("stage") == "failed":
        ctl.fail(
            f"ERROR: not upgraded: {told.text('to')} came to nothing, {told.text('from')} goes on:"
            f" {told.text('reason')}"
        )
    else:
        ctl.fail(f"ERROR: nobody knows how it went; supervisord {told.text('to')} answers now")


UPGRADE_HELP = """\
upgrade                 replace supervisord by the version that is installed now; programs run on"""

VERBS = (Verb("upgrade", upgrade, UPGRADE_HELP, own=True),)
