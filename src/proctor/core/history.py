"""What the journal holds: changes of state and runs of programs, as values.

Times are seconds since the epoch.  `process` is `group:name` throughout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from proctor.core.cause import Cause
from proctor.core.exits import ExitStatus
from proctor.core.names import make_namespec
from proctor.core.states import ProcessState
from proctor.core.values import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """A process went from `was` to `state`.  `pid` is the child it is about, 0 if none.

    `status` is set when the end of a child led to it; `tries` is the retry counter afterwards.
    """

    time: float
    process: str
    was: ProcessState
    state: ProcessState
    cause: Cause
    pid: int = 0
    tries: int = 0
    expected: bool = True
    status: ExitStatus | None = None

    def as_struct(self) -> dict[str, object]:
        """For XML-RPC and JSON; what is not known stays away."""
        return {
            "time": self.time,
            "process": shown_name(self.process),
            "from_state": self.was.name,
            "state": self.state.name,
            "cause": self.cause.kind.value,
            **_told(who=self.cause.who, text=self.cause.text, pid=self.pid),
            **_ending(self.status),
        }


@dataclass(frozen=True, slots=True)
class Birth:
    """What tells one run from all others, also after the daemon was killed in between.

    `born` is when the keeper made the child, on the monotonic clock.
    """

    process: str
    pid: int
    born: float


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program.

    `end` None: it goes on.  `status` None with an `end`: nobody saw how it ended.  `memory` is
    "yes" when the kernel killed it because memory ran out, "probably" when that is likely, else "".
    `last` are the last lines of a crash; `config` is the fingerprint of its configuration; `logs`
    say where its output begins, by channel.
    """

    number: int
    birth: Birth
    start: float
    started: Cause
    config: str = ""
    end: float | None = None
    status: ExitStatus | None = None
    expected: bool = True
    ended: Cause | None = None
    memory: str = ""
    last: str = ""
    logs: Mapping[str, str] = field(default_factory=dict)

    @property
    def process(self) -> str:
        """`group:name`."""
        return self.birth.process

    def uptime(self, now: float) -> float:
        """Seconds it ran, or has run so far."""
        return max(0.0, (now if self.end is None else self.end) - self.start)

    def as_struct(self, now: float) -> dict[str, object]:
        """For XML-RPC and JSON; what is not known stays away."""
        usage = self.status.usage if self.status else None
        cpu = {"cpu_seconds": usage.user + usage.system} if usage else {}
        peak = {"peak_bytes": float(usage.peak)} if usage and usage.peak else {}
        end = {} if self.end is None else {"end": self.end, "expected": self.expected}
        return {
            "run": self.number,
            "process": shown_name(self.process),
            "pid": self.birth.pid,
            "start": self.start,
            "uptime": round(self.uptime(now), 3),
            "started": _cause(self.started),
            "config": self.config,
            **end,
            **({"ended": _cause(self.ended)} if self.ended else {}),
            **_ending(self.status),
            **cpu,
            **peak,
            **_told(out_of_memory=self.memory, last_output=self.last),
        }


@dataclass(frozen=True, slots=True)
class Step:
    """Something that led to the present state, in words; `until` when it went on for a while."""

    time: float
    text: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a process is as it is: a sentence, what led to it (oldest first), a crash's last words.

    `run` is the latest run, if the journal knows one.
    """

    process: str
    state: str
    sentence: str
    steps: tuple[Step, ...] = ()
    last_output: str = ""

    def as_struct(self) -> dict[str, object]:
        """For XML-RPC and JSON."""
        steps = [
            {"time": step.time, "text": step.text}
            | ({} if step.until is None else {"until": step.until})
            for step in self.steps
        ]
        return {
            "process": shown_name(self.process),
            "state": self.state,
            "sentence": self.sentence,
            "steps": steps,
            "last_output": self.last_output,
        }


@dataclass(frozen=True, slots=True)
class RunOutput:
    """What a run wrote to one channel.  `complete` False: its beginning is gone, or left out."""

    run: int
    channel: str
    text: str
    complete: bool

    def as_struct(self) -> dict[str, object]:
        """For XML-RPC and JSON."""
        return {
            "run": self.run,
            "channel": self.channel,
            "text": self.text,
            "complete": self.complete,
        }


def shown_name(process: str) -> str:
    """`group:name` as people write it."""
    group, _, name = process.partition(":")
    return make_namespec(group, name)


def _told(**fields: object) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value}


def _cause(cause: Cause) -> dict[str, object]:
    return {"kind": cause.kind.value, **_told(who=cause.who, text=cause.text)}


def _ending(status: ExitStatus | None) -> dict[str, object]:
    if status is None:
        return {}
    told: dict[str, object] = {"ending": str(status)}
    if status.code is not None:
        told["exit_code"] = status.code
    if status.signal is not None:
        told["signal"] = status.signal
    return told
