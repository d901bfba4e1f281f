"""Why a process is as it is, in sentences.

1. The last change of state gives the headline; what led to it follows, oldest first, back to the
   last time somebody asked for something (and not further than a screen).
2. What happened again and again is told once, with how often.
3. Nothing is guessed: what the journal does not know is not said, and "probably" stands where the
   kernel gave only a hint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from proctor.core.cause import Cause, CauseKind
from proctor.core.history import Change, Explanation, Run, Step, shown_name
from proctor.core.span import span
from proctor.core.states import ProcessState
from proctor.core.values import dataclass

MOST_STEPS = 8

Clock = Callable[[float], str]

# Somebody wanted it so: what was before that explains nothing any more.
_COMMANDS = frozenset(
    {
        CauseKind.REQUEST,
        CauseKind.AUTOSTART,
        CauseKind.UPDATE,
        CauseKind.RULE,
        CauseKind.ADOPTED,
        CauseKind.ORPHAN,
    }
)


@dataclass(frozen=True, slots=True)
class Present:
    """How a process is now: `process` (group:name), its state, its pid, the time, `startsecs`.

    `twin` is the pid of a run of it that is not ours any more (on_orphan=leave), 0 for none.
    """

    process: str
    state: ProcessState
    now: float
    pid: int = 0
    startsecs: int = 1
    twin: int = 0


def explain(
    present: Present, changes: Sequence[Change], runs: Mapping[int, Run], clock: Clock
) -> Explanation:
    """`changes` of this process, oldest first; `runs` by pid, the latest of each."""
    told = changes and changes[-1].state is present.state
    known = bool(changes)
    sentence = _headline(present, changes, runs, clock) if told else _bare(present, known)
    steps = _steps(present, _relevant(changes), runs)
    crash = next((each for each in reversed(changes) if each.status is not None), None)
    run = runs.get(crash.pid) if crash is not None else None
    last = run.last if run is not None and crash is not None and not crash.expected else ""
    name = present.state.name
    return Explanation(present.process, name, sentence, tuple(steps[-MOST_STEPS:]), last)


def _bare(present: Present, known: bool) -> str:
    """`known`: the journal has something of it, but from before this daemon."""
    pid = f" (pid {present.pid})" if present.pid else ""
    name = f"{shown_name(present.process)} is {present.state.name}{pid}"
    if present.twin:
        return (
            f"{name}, but pid {present.twin} still runs: a supervisord that is gone has started it,"
            " and on_orphan=leave leaves it alone.  Nothing is started beside it;"
            f" when it has ended (`kill {present.twin}`), a start is possible again."
        )
    if present.state is ProcessState.STOPPED:
        since = "this supervisord began" if known else "the journal begins"
        return f"{name}: it was not started since {since}."
    return f"{name}; the journal does not say why."


def _headline(
    present: Present, changes: Sequence[Change], runs: Mapping[int, Run], clock: Clock
) -> str:
    last = changes[-1]
    name, state = shown_name(present.process), present.state
    since = f"{name} is {state.name} since {clock(last.time)}"
    if state is ProcessState.RUNNING:
        began = next((c for c in reversed(changes) if c.state is ProcessState.STARTING), None)
        run = runs.get(present.pid)
        start = run.start if run is not None else began.time if began is not None else last.time
        how = f": it {_begun(began, changes, present)}" if began is not None else ""
        lasting = span(present.now - start)
        return f"{name} is RUNNING since {clock(start)}, for {lasting} (pid {present.pid}){how}."
    if state is ProcessState.FATAL and last.cause.kind is CauseKind.GAVE_UP:
        return f"{since}: it {_failures(changes, present)}, and was given up."
    if state is ProcessState.STARTING:
        return f"{since}: it {_begun(last, changes, present)}."
    if state is ProcessState.BACKOFF:
        tries = f"; it is tried again, this was try {last.tries}" if last.tries else ""
        return f"{since}: it {_clause(last, runs, present)}{tries}."
    return f"{since}: it {_clause(last, runs, present)}."


def _begun(start: Change, changes: Sequence[Change], present: Present) -> str:
    """How it came to run; after a restart also why that was needed."""
    told = _clause(start, {}, present)
    index = changes.index(start)
    if index and start.cause.kind in (CauseKind.AUTORESTART, CauseKind.RETRY):
        return f"{told} after it {_clause(changes[index - 1], {}, present)}"
    return told


def _failures(changes: Sequence[Change], present: Present) -> str:
    """The tries that came to nothing before it was given up."""
    failed: list[Change] = []
    for change in reversed(changes[:-1]):
        if change.state is ProcessState.BACKOFF:
            failed.append(change)
        elif change.state is not ProcessState.STARTING or change.cause.kind in _COMMANDS:
            break
    if not failed:
        return "failed to start"
    last = failed[0]
    if all(change.status is None for change in failed):
        return f"could not be started{_times(len(failed))} ({last.cause.text})"
    within = f"within {span(present.startsecs)} of its start"
    if len(failed) == 1:
        return f"ended {within} ({last.status or last.cause.text})"
    return f"ended {len(failed)} times {within}, the last time with {_how(last)}"


def _how(change: Change) -> str:
    return str(change.status) if change.status is not None else change.cause.text


def _times(count: int) -> str:
    return f" {count} times" if count > 1 else ""


def _relevant(changes: Sequence[Change]) -> Sequence[Change]:
    """From the last command on that began something, and what was directly before it."""
    for index in range(len(changes) - 1, -1, -1):
        change = changes[index]
        if change.state is ProcessState.STARTING and change.cause.kind in _COMMANDS:
            return changes[max(0, index - 1) :]
    return changes


def _steps(present: Present, changes: Sequence[Change], runs: Mapping[int, Run]) -> list[Step]:
    """One for each change; the same again and again is one, with the retries in between."""
    told: list[_Told] = []
    for change, later in zip(changes, (*changes[1:], None), strict=False):
        if change.state is ProcessState.RUNNING and change.cause.kind is not CauseKind.ADOPTED:
            continue  # that it stayed up shows in how long it ran
        if change.state is ProcessState.STOPPING and _ends(later, change):
            continue
        kind = _clause(change, {}, present)
        if told and told[-1].kind == kind == _TAKEN:
            told[-1].until = change.time
            told[-1].count += 1
        elif len(told) > 1 and told[-2].kind == kind and told[-1].kind in (_AGAIN, _TRIED):
            del told[-1]
            told[-1].until = change.time
            told[-1].count += 1
        else:
            told.append(_Told(change.time, kind, _clause(change, runs, present)))
    return [each.as_step() for each in told]


@dataclass(slots=True)
class _Told:
    """A step in the making.  `kind` is its text without what differs from run to run."""

    time: float
    kind: str
    text: str
    until: float | None = None
    count: int = 1

    def as_step(self) -> Step:
        if self.count == 1:
            return Step(self.time, self.text)
        return Step(self.time, f"{self.kind}, {self.count} times in a row", self.until)


def _ends(later: Change | None, stopping: Change) -> bool:
    return later is not None and later.state is ProcessState.STOPPED and later.pid == stopping.pid


_AGAIN = "was started again by itself (autorestart)"
_TRIED = "was tried again"
_TAKEN = "was taken over by a new supervisord"


def _clause(change: Change, runs: Mapping[int, Run], present: Present) -> str:
    """What happened, as what follows "it"."""
    match change.state:
        case ProcessState.STARTING:
            return _of_start(change.cause)
        case ProcessState.RUNNING if change.cause.kind is CauseKind.ADOPTED:
            return _TAKEN
        case ProcessState.STOPPING:
            return _of_stop(change.cause)
        case ProcessState.STOPPED if change.status is None:
            return _of_stop(change.cause)
        case ProcessState.STOPPED:
            return _of_stopped(change)
        case ProcessState.BACKOFF if change.status is None:
            return f"could not be started ({change.cause.text})"
        case ProcessState.BACKOFF:
            within = f"within {span(present.startsecs)} of its start"
            return f"ended {within} ({_death(change, runs)})"
        case ProcessState.EXITED:
            return _of_exit(change, runs)
        case ProcessState.FATAL:
            return (
                "was given up" if change.cause.kind is CauseKind.GAVE_UP else _of_stop(change.cause)
            )
        case _:
            return "met something unexpected; the log of supervisord says what"


def _of_start(cause: Cause) -> str:
    by = f" by {cause.who}" if cause.who else ""
    match cause.kind:
        case CauseKind.AUTOSTART:
            return "was started with its group (autostart)"
        case CauseKind.AUTORESTART:
            return _AGAIN
        case CauseKind.RETRY:
            return _TRIED
        case CauseKind.UPDATE:
            return f"was started when the configuration was updated{by}{_in_brackets(cause)}"
        case CauseKind.ADOPTED:
            return _TAKEN
        case CauseKind.ORPHAN:
            return "was started in the place of one that a supervisord had left (on_orphan=kill)"
        case CauseKind.RULE:
            return f"was started because {cause.text}"
        case _:
            return f"was started{by or ' on request'}{_in_brackets(cause)}"


def _of_stop(cause: Cause) -> str:
    by = f" by {cause.who}" if cause.who else ""
    match cause.kind:
        case CauseKind.SHUTDOWN:
            return f"was stopped because supervisord was shut down{by}{_in_brackets(cause)}"
        case CauseKind.RELOAD:
            return f"was stopped because supervisord was restarted{by}{_in_brackets(cause)}"
        case CauseKind.UPDATE:
            return f"was stopped when the configuration was updated{by}{_in_brackets(cause)}"
        case CauseKind.ORPHAN:
            return "was stopped because a supervisord that is gone had left it (on_orphan=kill)"
        case CauseKind.RULE:
            return f"was stopped because {cause.text}"
        case _:
            return f"was stopped{by or ' on request'}"


def _in_brackets(cause: Cause) -> str:
    return f" ({cause.text})" if cause.text and cause.text != "killed" else ""


def _of_stopped(change: Change) -> str:
    killed = change.cause.text == "killed"
    if change.cause.kind is not CauseKind.RULE:
        stopped = _of_stop(replace(change.cause, text=""))
    elif killed:  # which takes the place of the reason
        stopped = "was stopped to start the listener anew"
    else:
        stopped = f"{_of_stop(change.cause)},"
    if killed:
        return f"{stopped}, did not end in time and was killed ({change.status})"
    return f"{stopped} and ended ({change.status})"


def _of_exit(change: Change, runs: Mapping[int, Run]) -> str:
    run = runs.get(change.pid)
    after = f" after {span(run.uptime(change.time))}" if run is not None else ""
    if change.cause.kind is CauseKind.SIGNAL:
        by = f" from {change.cause.who}" if change.cause.who else " that was asked for"
        return f"ended{after} by {change.cause.text}{by} ({change.status})"
    expected = "" if change.expected else ", which was not expected"
    return f"ended by itself{after} ({_death(change, runs)}){expected}"


def _death(change: Change, runs: Mapping[int, Run]) -> str:
    run = runs.get(change.pid)
    memory = {
        "yes": ": the kernel killed it, memory had run out",
        "probably": ": probably killed by the kernel because memory had run out",
    }
    return f"{change.status}{memory.get(run.memory, '') if run is not None else ''}"
