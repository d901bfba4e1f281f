"""fg: a process's output on our screen, our lines on its stdin.

Two threads show the two streams; the main thread waits for lines, because only there does Ctrl-C
interrupt.  Source: compat supervisorctl.md, section 6; gotcha G90: the end of input ends it.
"""

from __future__ import annotations

import sys

from proctor.cli.verb import Verb
from proctor.cli.verbs.logs import BANNER, open_stream, quoted, show
from proctor.core.faults import Fault, FaultCode
from proctor.core.states import ProcessState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from proctor.cli.controller import Controller
    from proctor.cli.log_stream import LogStream


def fg(ctl: Controller, argument: str) -> None:
    """Connect the terminal to a process until Ctrl-C, the end of input, or its own end."""
    if not ctl.upcheck():
        return
    words = argument.split()
    if not words:
        ctl.fail("ERROR: no process name supplied")
        ctl.output(FG_HELP)
        return
    if len(words) > 1:
        ctl.fail("ERROR: too many process names supplied")
        return
    name = words[0]
    if not _runs(ctl, name):
        return
    ctl.output(BANNER)
    end_streams = _show_streams(ctl, name)
    try:
        _send_lines(ctl, name)
    except KeyboardInterrupt:
        pass
    finally:
        end_streams()
    ctl.output("Exiting foreground")


def _runs(ctl: Controller, name: str) -> bool:
    try:
        row = ctl.server.row("getProcessInfo", name)
    except Fault as fault:
        if fault.code != FaultCode.BAD_NAME:
            raise
        ctl.fail("ERROR: bad process name supplied")
        return False
    if row.number("state") != ProcessState.RUNNING:
        ctl.fail("ERROR: process not running")
        return False
    return True


def _show_streams(ctl: Controller, name: str) -> Callable[[], None]:
    """Start showing both outputs; what is returned ends that."""
    from threading import Thread

    streams = [open_stream(ctl, f"/logtail/{quoted(name)}/{one}") for one in ("stdout", "stderr")]
    followed = [stream for stream in streams if stream is not None]
    threads = [Thread(target=_show, args=(stream,), daemon=True) for stream in followed]
    for thread in threads:
        thread.start()

    def end() -> None:
        for stream in followed:
            stream.close()
        for thread in threads:
            thread.join()

    return end


def _show(stream: LogStream) -> None:
    try:  # noqa: SIM105  (contextlib costs a millisecond)
        show(stream)
    except OSError:
        pass  # the main thread's next line finds out, too


def _send_lines(ctl: Controller, name: str) -> None:
    for line in iter(sys.stdin.readline, ""):
        try:
            ctl.server.call("sendProcessStdin", name, line.rstrip("\n") + "\n")
        except Fault as fault:
            if fault.code not in (FaultCode.NOT_RUNNING, FaultCode.BAD_NAME):
                raise
            ctl.output("Process got killed")
            return


FG_HELP = """\
fg <name>               show a process's output and send it what is typed, until Ctrl-C"""

VERBS = (Verb("fg", fg, FG_HELP, completes="processes"),)
