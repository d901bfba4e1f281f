"""The documents of the JSON API: what its clients see, field by field.

They are dictionaries with known keys, so that they are encoded as they are.  The text behind each
type is the manual's: OpenAPI and docs/reference/http-api.md are made from it.  Times are seconds
since the epoch with a fraction; sizes are bytes; what does not exist is null.
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict, get_args, get_origin

StateName = Literal[
    "STOPPED", "STARTING", "RUNNING", "BACKOFF", "STOPPING", "EXITED", "FATAL", "UNKNOWN"
]


class LastExit(TypedDict):
    """How a process ended the last time, as far as this daemon has seen it."""

    code: Annotated[int | None, "Exit code; null after a death by signal or an unknown end."]
    signal: Annotated[str | None, "SIGKILL and so on; null after an exit."]
    core: Annotated[bool, "Whether it left a core dump."]
    expected: Annotated[
        bool, "Whether its exit code is one of `exitcodes`, or a stop was asked for."
    ]
    time: Annotated[float, "When that was noticed."]
    text: Annotated[str, "The same for people: `exit status 3`."]


class Logs(TypedDict):
    """The log files of a process."""

    stdout: Annotated[str | None, "Path of the stdout log."]
    stderr: Annotated[str | None, "Path of the stderr log; null with redirect_stderr."]


class Usage(TypedDict):
    """What a process uses at that moment, without its children."""

    cpu_seconds: Annotated[float, "User and system time since its start."]
    rss: Annotated[int, "Bytes of resident memory."]


class ProcessView(TypedDict):
    """One process."""

    id: Annotated[str, "Its name in paths and requests: `web`, or `group:web_0`."]
    name: Annotated[str, "Name within the group."]
    group: Annotated[str, "Name of the group."]
    kind: Annotated[Literal["program", "eventlistener", "fcgi-program"], "Section it came from."]
    state: Annotated[StateName, "STARTING from the decision to start it on, also without a pid."]
    statecode: Annotated[int, "The number that XML-RPC clients know the state by."]
    pid: Annotated[int | None, "Process id of its child."]
    description: Annotated[str, "What `status` says of it in its last column."]
    start: Annotated[float | None, "When its child was started; null if it never was."]
    stop: Annotated[float | None, "When a child of it ended last."]
    restarts: Annotated[int, "Starts beyond the first, since this daemon began."]
    last_exit: LastExit | None
    spawnerr: Annotated[str | None, "Why the last start or run went wrong."]
    logs: Logs
    usage: NotRequired[Annotated[Usage | None, "With `usage=1`; null without a child."]]


class ProcessList(TypedDict):
    """Processes, and where the event stream is."""

    processes: Annotated[list[ProcessView], "By group and name."]
    now: Annotated[float, "The clock of the daemon."]
    event: Annotated[
        str, "Follow /api/v1/events with `after` of this, and nothing is missed or told twice."
    ]


class Result(TypedDict):
    """What became of one process in an action."""

    id: Annotated[str, "The process."]
    name: str
    group: str
    ok: Annotated[bool, "Whether it was done."]
    fault: Annotated[str | None, "Name of the XML-RPC fault when it was not: ALREADY_STARTED."]
    code: Annotated[int, "Its number; 80 is success."]
    description: Annotated[str, "`OK`, or the text of the fault."]


class Results(TypedDict):
    """What became of each process of an action; those that needed nothing are left out."""

    results: list[Result]


class Done(TypedDict):
    """An order was carried out, or has begun to be."""

    ok: Literal[True]


class LogRange(TypedDict):
    """Bytes of a log.  Ask again from `end` for what came meanwhile, before `offset` for more."""

    data: Annotated[str, "Text (what is not UTF-8 became U+FFFD), or base64."]
    encoding: Literal["text", "base64"]
    offset: Annotated[int, "Where the data begins."]
    end: Annotated[int, "Where it ends."]
    place: Annotated[str, "The same for `after` of a follower; holds when the log is rotated."]
    size: Annotated[int, "Size of the log at that moment."]


class DaemonView(TypedDict):
    """The daemon itself."""

    identifier: Annotated[str, "As configured."]
    pid: Annotated[int, "The pid that users see."]
    version: Annotated[str, "Version of Proctor."]
    supervisor_version: Annotated[str, "Version of Supervisor that it stands in for."]
    state: Annotated[Literal["RUNNING", "RESTARTING", "SHUTDOWN"], "What it is doing."]
    now: Annotated[float, "Its clock."]
    processes: Annotated[dict[str, int], "How many processes are in each state."]
    event: Annotated[str, "Id of the last event; see ProcessList."]
    warnings: Annotated[list[str], "What is wrong with how it was set up, such as an open port."]
    role: Annotated[Literal["view", "operate", "admin"], "What you may do."]
    reads_logs: Annotated[bool, "Whether you may read what programs wrote to their logs."]


class GroupView(TypedDict):
    """An active group."""

    name: str
    priority: int
    processes: Annotated[list[str], "Ids of its processes."]


class GroupList(TypedDict):
    """All active groups."""

    groups: list[GroupView]


class Reread(TypedDict):
    """Groups that differ from what is active."""

    added: list[str]
    changed: list[str]
    removed: list[str]


class GroupPlan(TypedDict):
    """What happens to one group."""

    group: str
    stops: Annotated[list[str], "Processes that are stopped; all others go on untouched."]
    starts: Annotated[list[str], "Processes that are started."]


class SettingPlan(TypedDict):
    """A setting of the daemon that differs."""

    section: str
    option: Annotated[str, "Empty for a whole section."]
    live: Annotated[bool, "Whether it counts at once; if not, from the next start on."]
    old: Annotated[str, "Empty where it helps nobody or would tell a secret."]
    new: str


class PlanView(TypedDict):
    """What the files say differently from what runs."""

    removed: list[GroupPlan]
    changed: list[GroupPlan]
    added: list[GroupPlan]
    settings: list[SettingPlan]
    problems: Annotated[list[str], "After `apply`: what could not be done."]


class StepView(TypedDict):
    """Something that led to the present state."""

    time: float
    text: str
    until: NotRequired[Annotated[float, "When it went on for a while."]]


class ExplanationView(TypedDict):
    """Why a process is as it is; without a journal the state alone."""

    process: str
    state: StateName
    sentence: Annotated[str, "The answer, for people."]
    steps: Annotated[list[StepView], "What led to it, oldest first."]
    last_output: Annotated[str, "The last lines before a crash; empty without the right to logs."]


class CauseView(TypedDict):
    """Why something happened."""

    kind: str
    who: NotRequired[str]
    text: NotRequired[str]


class RunView(TypedDict):
    """One run of a process; what is not known is left out."""

    run: Annotated[int, "Its number; grows with time."]
    process: str
    pid: int
    start: float
    end: NotRequired[Annotated[float, "Missing while it goes on."]]
    uptime: Annotated[float, "Seconds that it ran, or has run so far."]
    started: CauseView
    ended: NotRequired[CauseView]
    config: Annotated[str, "Fingerprint of its configuration."]
    expected: NotRequired[bool]
    ending: NotRequired[Annotated[str, "How it ended, for people; missing when nobody saw it."]]
    exit_code: NotRequired[int]
    signal: NotRequired[int]
    cpu_seconds: NotRequired[float]
    peak_bytes: NotRequired[Annotated[float, "The most memory it had."]]
    out_of_memory: NotRequired[Annotated[str, "`yes` or `probably`."]]
    last_output: NotRequired[Annotated[str, "The last lines of a crash."]]


class RunList(TypedDict):
    """Runs of a process."""

    runs: list[RunView]


class RunOutputView(TypedDict):
    """What a run wrote to one channel."""

    run: Annotated[int, "Its number."]
    channel: Literal["stdout", "stderr"]
    text: str
    complete: Annotated[bool, "False when its beginning is gone, or left out."]


UpgradeNewsView = TypedDict(
    "UpgradeNewsView",
    {
        "ticket": Annotated[str, "Names it: ask again with it."],
        "stage": Annotated[
            Literal["pending", "done", "failed", "unknown"],
            "`unknown`: whoever answers knows of none with this ticket.",
        ],
        "from": Annotated[str, "Version of Proctor before."],
        "to": Annotated[str, "Version of Proctor afterwards; empty while that is open."],
        "reason": Annotated[str, "Why it failed; empty otherwise."],
    },
)
UpgradeNewsView.__doc__ = "How an upgrade goes."


class ConfigurationList(TypedDict):
    """What is configured for every process, in the words of getAllConfigInfo."""

    processes: list[dict[str, object]]


class ProcessConfiguration(TypedDict):
    """The effective configuration of one process."""

    id: str
    origin: Annotated[str, "file:line of the section it came from."]
    options: Annotated[dict[str, object], "As getAllConfigInfo tells them."]
    environment: Annotated[list[str], "Names of the variables that are set for it; never values."]


class Problem(TypedDict):
    """Why a request was refused (RFC 9457)."""

    type: Annotated[str, "`about:blank`, or `urn:proctor:fault:NAME`."]
    title: Annotated[str, "The kind of problem in a few words."]
    status: Annotated[int, "The HTTP status."]
    detail: Annotated[str, "What is wrong with this request."]
    fault: NotRequired[Annotated[str, "Name of the XML-RPC fault."]]
    code: NotRequired[Annotated[int, "Number of the XML-RPC fault."]]


def described(hint: object) -> tuple[object, str]:
    """The type behind the notes of a field, and what the field says of itself."""
    text = ""
    while get_origin(hint) in (Annotated, NotRequired):
        inner, *notes = get_args(hint)
        text = text or next((note for note in notes if isinstance(note, str)), "")
        hint = inner
    return hint, text
