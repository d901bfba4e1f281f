"""The words of the activity log about processes: what people have been grepping for since 2004.

Source: compat config.md, section 15; process.md, section 4.1.
"""

from __future__ import annotations

import errno

from proctor.core.exits import signal_name
from proctor.core.lifecycle import Became, Signal
from proctor.core.plan import SpawnFailure
from proctor.core.spec import ProcessSpec
from proctor.core.states import ProcessState
from proctor.daemon.activity_log import Level


def of_change(spec: ProcessSpec, spawnerr: str, change: Became) -> tuple[Level, str] | None:
    """The line for a change of state; None for a change that makes no line of its own."""
    name, status = spec.name, change.status
    level = Level.INFO if change.expected else Level.WARN
    match change.state:
        case ProcessState.RUNNING if status is None:
            return Level.INFO, (
                f"success: {name} entered RUNNING state, process has stayed up for > than"
                f" {spec.start.startsecs} seconds (startsecs)"
            )
        case ProcessState.BACKOFF if status is None:
            return Level.INFO, f"spawnerr: {spawnerr}"
        case ProcessState.EXITED | ProcessState.BACKOFF:
            expected = "expected" if change.expected else "not expected"
            return level, f"exited: {name} ({status}; {expected})"
        case ProcessState.STOPPED if status is not None:
            return level, f"stopped: {name} ({status})"
        case ProcessState.FATAL if not change.expected:
            return Level.INFO, (
                f"gave up: {name} entered FATAL state, too many start retries too quickly"
            )
        case _:
            return None


def killing(spec: ProcessSpec, signal: Signal) -> str:
    """About to send a signal that is to end the process."""
    group = "process group " if signal.to_group else ""
    group = "with all that comes from it " if signal.to_tree else group
    name = signal_name(signal.signum)
    return f"killing {spec.name} (pid {signal.pid}) {group}with signal {name}"


def sending(spec: ProcessSpec, pid: int, signum: int) -> str:
    """About to send a signal on somebody's request."""
    return f"sending {spec.name} (pid {pid}) sig {signal_name(signum)}"


def spawn_failure(name: str, failure: SpawnFailure) -> str:
    """Why there is no child."""
    reason = errno.errorcode.get(failure.errno, str(failure.errno))
    match failure.step:
        case _ if failure.errno in (errno.EMFILE, errno.ENFILE):
            return f"too many open files to spawn '{name}'"
        case "keeper":
            return f"cannot spawn '{name}': the keeper is gone"
        case "order":
            return f"cannot spawn '{name}': the keeper refused it: {reason}"
        case "fork" if failure.errno == errno.EAGAIN:
            return f"Too many processes in process table to spawn '{name}'"
        case "fork":
            return f"unknown error during fork for '{name}': {reason}"
        case _:
            return f"unknown error making dispatchers for '{name}': {reason}"


def output(name: str, channel: str, data: bytes) -> str:
    """What a process wrote, for the debug log."""
    return f"'{name}' {channel} output:\n{data.decode('utf-8', 'backslashreplace')}"
