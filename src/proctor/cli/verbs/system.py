"""version, shutdown, reload, open, quit and exit: the daemon and the shell as a whole."""

from __future__ import annotations

import sys

from proctor.cli.verb import Verb, stands_alone
from proctor.cli.verbs.status import status
from proctor.core.faults import Fault, FaultCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from proctor.cli.controller import Controller


def version(ctl: Controller, argument: str) -> None:
    """The version of the server's software."""
    if stands_alone(ctl, "version", argument, VERSION_HELP) and ctl.upcheck():
        ctl.output(ctl.server.text("getSupervisorVersion"))


def shutdown(ctl: Controller, argument: str) -> None:
    """End the daemon; does not wait for it."""
    if not stands_alone(ctl, "shutdown", argument, SHUTDOWN_HELP):
        return
    if not _confirmed(ctl, "Really shut the remote supervisord process down y/N? "):
        return
    url = ctl.options.serverurl
    try:
        ctl.server.call("shutdown")
    except Fault as fault:
        if fault.code != FaultCode.SHUTDOWN_STATE:
            raise
        ctl.output("ERROR: already shutting down")
    except ConnectionRefusedError:
        ctl.fail(f"ERROR: {url} refused connection (already shut down?)")
    except FileNotFoundError:
        ctl.fail(f"ERROR: {url} no such file (already shut down?)")
    else:
        ctl.output("Shut down")


def reload(ctl: Controller, argument: str) -> None:
    """Start the daemon anew; does not wait for it."""
    if not stands_alone(ctl, "reload", argument, RELOAD_HELP):
        return
    if not _confirmed(ctl, "Really restart the remote supervisord process y/N? "):
        return
    try:
        ctl.server.call("restart")
    except Fault as fault:
        if fault.code == FaultCode.SHUTDOWN_STATE:
            ctl.fail("ERROR: already shutting down")
        elif fault.code == FaultCode.CANT_REREAD:  # ours refuses a bad configuration (gotcha G9)
            ctl.fail(f"ERROR: {fault.text}")
        else:
            raise
    else:
        ctl.output("Restarted supervisord")


def _confirmed(ctl: Controller, question: str) -> bool:
    if not ctl.options.interactive:
        return True
    return input(question).lower().startswith("y")


def open_server(ctl: Controller, argument: str) -> None:
    """Talk to another server from now on, and show what it runs."""
    url = argument.strip()
    if not url.startswith(("http://", "unix://")):
        ctl.fail("ERROR: url must be http:// or unix://")
        return
    ctl.use_server(url)
    before = ctl.exitstatus
    status(ctl, "")
    ctl.exitstatus = before


def leave(ctl: Controller, argument: str) -> None:
    """Leave the shell.  Raises SystemExit."""
    ctl.output("")
    sys.exit(0)


VERSION_HELP = "version                 the version of the supervisord that answers"
SHUTDOWN_HELP = "shutdown                stop all processes, then supervisord"
RELOAD_HELP = """\
reload                  stop all processes, read the configuration, start again in the same pid"""
OPEN_HELP = """\
open <url>              talk to another supervisord: unix:///path/of.sock or http://host:port"""
LEAVE_HELP = "leave the shell (so does Ctrl-D)"

VERBS = (
    Verb("version", version, VERSION_HELP),
    Verb("shutdown", shutdown, SHUTDOWN_HELP),
    Verb("reload", reload, RELOAD_HELP),
    Verb("open", open_server, OPEN_HELP),
    Verb("quit", leave, f"quit                    {LEAVE_HELP}"),
    Verb("exit", leave, f"exit                    {LEAVE_HELP}"),
)
