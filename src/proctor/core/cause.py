"""Cause: why a process went from one state to another, and who asked for it.

1. Every change has one.  What a rule of the lifecycle did is told by the change itself; what was
   asked for is told by whoever asked, through `because` or the caller of the request.
2. `asked` is read in the moment of the command, never later: what follows from a command (a retry,
   a timer) runs in other contexts and has causes of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from enum import Enum

from proctor.core.exits import ExitStatus, signal_name
from proctor.core.lifecycle import Became
from proctor.core.states import ProcessState
from proctor.core.values import dataclass

# Signals that ask a process to end: an exit this many seconds after one of them is put down to it.
_ENDING = frozenset({1, 2, 3, 9, 15})
_SOON = 10.0


class CauseKind(Enum):
    """What kind of thing it was.  The values are stored in journals: never change one."""

    AUTOSTART = "autostart"
    REQUEST = "request"
    AUTORESTART = "autorestart"
    RETRY = "retry"
    UPDATE = "update"
    RELOAD = "reload"
    SHUTDOWN = "shutdown"
    RULE = "rule"
    ADOPTED = "adopted"
    ORPHAN = "orphan"
    STAYED_UP = "stayed up"
    SPAWN_FAILED = "spawn failed"
    EXIT = "exit"
    SIGNAL = "signal"
    GAVE_UP = "gave up"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Cause:
    """`who` asked, as Caller.described has it ("uid 1000 (pid 12)"), "" if nobody did.

    `text` is what the kind leaves open: the signal of SIGNAL, the reason of SPAWN_FAILED, what a
    RULE found, what was special about an end.
    """

    kind: CauseKind
    who: str = ""
    text: str = ""


_REASON: ContextVar[Cause | None] = ContextVar("reason", default=None)
_WHO: ContextVar[str] = ContextVar("who", default="")


@contextmanager
def because(kind: CauseKind, text: str = "", who: str | None = None) -> Iterator[None]:
    """What is commanded within has this cause, unless one is given further out already.

    `who` None means whoever asks at the moment (`asked`).
    """
    if _REASON.get() is not None:
        yield
        return
    token = _REASON.set(Cause(kind, asked().who if who is None else who, text))
    try:
        yield
    finally:
        _REASON.reset(token)


@contextmanager
def said_by(who: str) -> Iterator[None]:
    """What is commanded within was asked for by `who` (Caller.described)."""
    token = _WHO.set(who)
    try:
        yield
    finally:
        _WHO.reset(token)


def asked() -> Cause:
    """The cause of a command that is given now."""
    return _REASON.get() or Cause(CauseKind.REQUEST, _WHO.get())


class Reasons:
    """What has to be remembered of one process to name the cause of its next change."""

    __slots__ = ("_asked", "_forced", "_signal")

    def __init__(self) -> None:
        self._asked: Cause | None = None
        self._forced = False
        self._signal: tuple[int, Cause, float] | None = None

    def command(self, cause: Cause | None = None) -> Cause:
        """Somebody commands something: the cause for what follows from it at once."""
        self._asked = cause or asked()
        return self._asked

    def signalled(self, signum: int, now: float) -> None:
        """Somebody had a signal sent to it."""
        self._signal = (signum, asked(), now)

    def forced(self) -> None:
        """It did not end when asked to, and was killed."""
        self._forced = True

    def spawned(self) -> None:
        """There is a new child, to which nothing was sent yet."""
        self._signal, self._forced = None, False

    def of(self, change: Became, command: Cause | None, text: str, now: float) -> Cause:
        """The cause of a change.

        `command` led to it at once, None when nobody commanded; `text` is why a start failed.
        """
        match change.state:
            case _ if command is not None:
                return command
            case ProcessState.STARTING if change.from_state is ProcessState.BACKOFF:
                return Cause(CauseKind.RETRY)
            case ProcessState.STARTING:
                return Cause(CauseKind.AUTORESTART)
            case ProcessState.RUNNING:
                return Cause(CauseKind.STAYED_UP)
            case ProcessState.FATAL:
                return Cause(CauseKind.GAVE_UP)
            case ProcessState.UNKNOWN:
                return Cause(CauseKind.LOST)
            case ProcessState.STOPPED:
                return self._of_stop()
            case _ if change.status is None:
                return Cause(CauseKind.SPAWN_FAILED, text=text)
            case _:
                return self._of_end(change.status, now)

    def _of_stop(self) -> Cause:
        cause = self._asked or Cause(CauseKind.REQUEST)
        return replace(cause, text="killed") if self._forced else cause

    def _of_end(self, status: ExitStatus, now: float) -> Cause:
        if self._signal is not None:
            signum, cause, at = self._signal
            if status.signal == signum or (signum in _ENDING and now - at < _SOON):
                return Cause(CauseKind.SIGNAL, cause.who, signal_name(signum))
        return Cause(CauseKind.EXIT)
