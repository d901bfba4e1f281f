"""What the daemon knows about a process in trouble.

How it ended is looked for in the daemon's log first: the interface never names a signal, and has
forgotten the exit status once the process was started again.
"""

from __future__ import annotations

import re
import threading

from proctor.client.server import Server
from proctor.listeners import loop
from proctor.listeners.alert_terms import Kind, Notice

PATIENCE = 30.0
_LINE_LENGTH = 200
_LOG_END = 8192


def ask(notice: Notice, lines: int, patience: float) -> dict[str, str]:
    """status, signal, uptime, spawnerr, stdout, stderr, each if known; {} when nobody answers.

    `lines` is how many of each log; what is not known after `patience` seconds stays unknown.
    """
    if not loop.is_supervised() or patience <= 0:
        return {}
    facts: dict[str, str] = {}
    asking = threading.Thread(target=_ask, args=(notice, lines, facts), daemon=True)
    asking.start()
    asking.join(patience)
    return dict(facts)


def processes() -> list[tuple[str, str, int]]:
    """(group:name, name of its state, start) of all processes; [] when nobody answers."""
    if not loop.is_supervised():
        return []
    server = loop.daemon()
    try:
        rows = server.rows("getAllProcessInfo")
        return [
            (f"{row.text('group')}:{row.text('name')}", row.text("statename"), row.number("start"))
            for row in rows
        ]
    except loop.RPC_TROUBLE:
        return []
    finally:
        server.close()


def _ask(notice: Notice, lines: int, facts: dict[str, str]) -> None:
    server = loop.daemon()
    try:
        info = server.row("getProcessInfo", notice.process)
        spawnerr = info.text("spawnerr")
        ran = not spawnerr or spawnerr.startswith(("Bad exit code", "Exited too quickly"))
        if not ran:
            facts["spawnerr"] = spawnerr
        elif notice.kind in (Kind.EXITED, Kind.FLAPPING, Kind.FATAL):
            if info.text("statename") in ("EXITED", "BACKOFF", "FATAL"):
                facts["status"] = info.text("exitstatus")
                facts |= _last_run(info.number("start"), info.number("stop"))
            facts |= _last_end(server, notice.process)
    except loop.RPC_TROUBLE as error:
        loop.say(f"cannot ask about {notice.process}: {loop.shown(error)}")
    for channel in ("stdout", "stderr") if lines else ():
        try:
            facts[channel] = _last_lines(server, channel, notice.process, lines)
        except loop.RPC_TROUBLE:
            continue  # it has no such log
    server.close()


def _last_run(start: int, stop: int) -> dict[str, str]:
    """How long it ran, if the daemon knows both ends."""
    return {"uptime": str(stop - start)} if 0 < start <= stop else {}


def _last_end(server: Server, process: str) -> dict[str, str]:
    """status or signal, by the daemon's log; {} when it does not say."""
    name = re.escape(process.partition(":")[2])
    ends = re.findall(
        rf"exited: {name} \((exit status|terminated by) (\S+?)[ ;]",
        server.text("readLog", -_LOG_END, 0),
    )
    return {"status" if ends[-1][0] == "exit status" else "signal": ends[-1][1]} if ends else {}


def _last_lines(server: Server, channel: str, process: str, lines: int) -> str:
    answer = server.call(
        f"tailProcess{channel.capitalize()}Log", process, 0, (lines + 1) * _LINE_LENGTH
    )
    text = answer[0] if isinstance(answer, list) and answer else ""
    kept = str(text).strip("\n").splitlines()[-lines:]
    return "\n".join(f"> {line[-_LINE_LENGTH:]}" for line in kept)
