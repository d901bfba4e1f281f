"""Process to ProcessInfo, spec to configuration info: what the outside may see.

Shapes and words are those of compat xmlrpc.md, sections 7 and 9; they were compared with the
original's answers.  Nothing here changes anything.
"""

from __future__ import annotations

import time

from proctor.core.info import ProcessInfo, capped
from proctor.core.spec import AutoRestart, GroupSpec, LogKind, OutputPolicy, ProcessSpec
from proctor.core.states import ProcessState
from proctor.core.wording import LEFT_RUNNING
from proctor.daemon.group import Group
from proctor.daemon.process import Process

NONE = "none"
AUTO = "auto"

_AUTORESTART: dict[AutoRestart, bool | str] = {
    AutoRestart.NEVER: False,
    AutoRestart.ALWAYS: True,
    AutoRestart.UNEXPECTED: "unexpected",
}


def describe(process: Process, now: float) -> str:
    """The last column of `status`.  `now` is wall time; the uptime is never negative."""
    if process.survivors:
        return f"{_describe(process, now)}, {LEFT_RUNNING}{', '.join(process.survivors)}"
    return _describe(process, now)


def _uptime(seconds: int) -> str:
    """`0:00:05`, `1 day, 0:00:05`, `2 days, 23:59:59`."""
    days, rest = divmod(seconds, 86400)
    hours, minutes = divmod(rest // 60, 60)
    clock = f"{hours}:{minutes:02}:{rest % 60:02}"
    return f"{days} day{'' if days == 1 else 's'}, {clock}" if days else clock


def _describe(process: Process, now: float) -> str:
    match process.shown_state:
        case ProcessState.RUNNING:
            uptime = _uptime(max(0, int(now) - int(process.start_wall)))
            remark = process.remark()
            return f"pid {process.pid}, uptime {uptime}" + (f", {remark}" if remark else "")
        case ProcessState.FATAL | ProcessState.BACKOFF:
            return process.spawnerr or f'unknown error (try "tail {process.name}")'
        case ProcessState.STOPPED | ProcessState.EXITED:
            # Without a stop time it never ran, even if a start was tried (gotcha G26).
            if not process.start_wall or not process.stop_wall:
                twin = process.twin
                more = f", pid {twin} still runs (on_orphan=leave)" if twin else ""
                return f"Not started{more}"
            return time.strftime("%b %d %I:%M %p", time.localtime(process.stop_wall))
        case _:
            return ""


def process_info(process: Process, now: float) -> ProcessInfo:
    """Everything about one process at `now` (wall time)."""
    stdout = process.logfile("stdout") or ""
    return ProcessInfo(
        name=process.name,
        group=process.group_name,
        start=capped(process.start_wall),
        stop=capped(process.stop_wall),
        now=capped(now),
        state=int(process.shown_state),
        statename=process.shown_state.name,
        spawnerr=process.spawnerr,
        exitstatus=process.exit_number,
        logfile=stdout,
        stdout_logfile=stdout,
        stderr_logfile=process.logfile("stderr") or "",
        pid=process.pid,
        description=describe(process, now),
    )


def config_info(group: GroupSpec, spec: ProcessSpec, active: Group | None) -> dict[str, object]:
    """What is configured for one process.  `active` is the group of that name, if it was added.

    What does not exist is the text 'none'; an AUTO log that has no file yet is 'auto'.
    """
    running = active.processes.get(spec.name) if active else None
    return {
        "autorestart": _AUTORESTART[spec.start.autorestart],
        "autostart": spec.start.autostart,
        "command": spec.command,
        "directory": spec.directory or NONE,
        "exitcodes": list(spec.start.exitcodes),
        "group": group.name,
        "group_prio": group.priority,
        "inuse": active is not None,
        "killasgroup": spec.stop.killasgroup,
        "name": spec.name,
        "process_prio": spec.priority,
        "redirect_stderr": spec.redirect_stderr,
        "serverurl": spec.serverurl or NONE,
        "startretries": spec.start.startretries,
        "startsecs": spec.start.startsecs,
        "stopsignal": spec.stop.stopsignal,
        "stopwaitsecs": spec.stop.stopwaitsecs,
        "uid": NONE if spec.uid is None else spec.uid,
        **_output_info("stdout", spec.stdout, running),
        **_output_info("stderr", spec.stderr, running, silenced=spec.redirect_stderr),
    }


def _output_info(
    stream: str, policy: OutputPolicy, running: Process | None, silenced: bool = False
) -> dict[str, object]:
    return {
        f"{stream}_capture_maxbytes": policy.capture_maxbytes,
        f"{stream}_events_enabled": policy.events_enabled,
        f"{stream}_logfile": NONE if silenced else _logfile(stream, policy, running),
        f"{stream}_logfile_backups": policy.backups,
        f"{stream}_logfile_maxbytes": policy.maxbytes,
        f"{stream}_syslog": policy.syslog,
    }


def _logfile(stream: str, policy: OutputPolicy, running: Process | None) -> str:
    match policy.kind:
        case LogKind.FILE:
            return policy.path or NONE
        case LogKind.NONE:
            return NONE
        case LogKind.AUTO:
            return (running.logfile(stream) if running else None) or AUTO
