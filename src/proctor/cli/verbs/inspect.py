"""why, history and logs: what the daemon's journal knows.

The sentences are the daemon's; here they are asked for and laid out.
"""

from __future__ import annotations

import time

from proctor.cli.verb import Verb
from proctor.cli.verbs.status import namespec
from proctor.client.server import Row, listed
from proctor.core.faults import Fault, FaultCode
from proctor.core.names import split_namespec
from proctor.core.span import span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from proctor.cli.controller import Controller
    from proctor.client.xmlrpc import Value

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_LIMIT, _SHOWN = 1000, 100


class _Refused(Exception):
    """A request that cannot be understood."""


def why(ctl: Controller, argument: str) -> None:
    """Sentences about each process that is named; with --json the whole answers."""
    words = argument.split()
    names = [word for word in words if word != "--json"]
    strange = next((name for name in names if name.startswith("-")), "")
    if strange or not names:
        text = _unknown("why", strange, "--json") if strange else "why needs the name of a process"
        _usage(ctl, text, WHY_HELP)
        return
    if not ctl.upcheck():
        return
    rows = [row for name in _expanded(ctl, names) if (row := _row(ctl, "why", name))]
    if len(names) < len(words):
        _show_json(ctl, [row.members for row in rows])
        return
    for number, row in enumerate(rows):
        if number:
            ctl.output("")
        for line in _explained(row):
            ctl.output(line)


def _expanded(ctl: Controller, names: list[str]) -> list[str]:
    """`all` and groups as names of processes; a group without any stays, and is refused."""
    groups = {name: split_namespec(name)[0] for name in names if split_namespec(name)[1] is None}
    if not groups and "all" not in names:
        return names
    rows = ctl.server.rows("getAllProcessInfo")
    found: list[str] = []
    for name in names:
        group = groups.get(name)
        members = [namespec(r) for r in rows if name == "all" or r.text("group") == group]
        found += members or [f"{group}:*" if group else name]
    return found


def _explained(row: Row) -> list[str]:
    steps = [Row(step) for step in listed(row.members.get("steps"))]
    lines = [row.text("sentence")]
    if len(steps) > 1:
        lines += ["What led to it:", *(f"  {_dated(step)}  {step.text('text')}" for step in steps)]
    last = row.text("last_output")
    if last:
        lines += ["Its last output:", *(f"  | {line}" for line in last.split("\n"))]
    return lines


def _dated(step: Row) -> str:
    begin, until = _number(step, "time"), _number(step, "until")
    assert begin is not None
    if until is None:
        return _when(begin)
    return f"{_when(begin)} to {time.strftime('%H:%M:%S', time.localtime(until))}"


def history(ctl: Controller, argument: str) -> None:
    """A line for each run, the latest last; with --json the whole answers."""
    try:
        name, since, as_json = _history_request(argument.split())
    except _Refused as refused:
        _usage(ctl, str(refused), HISTORY_HELP)
        return
    if not ctl.upcheck():
        return
    limit = _LIMIT if since else _SHOWN
    answer = _ask(ctl, "history", name, int(time.time() - since) if since else 0, limit)
    if answer is None:
        return
    rows = [Row(run) for run in listed(answer)]
    if as_json:
        _show_json(ctl, [row.members for row in rows])
    elif not rows:
        ctl.output("no runs are known")
    else:
        for line in _table([_HEAD, *map(_cells, rows)]):
            ctl.output(line)


def _history_request(words: list[str]) -> tuple[str, float, bool]:
    """(name or "", seconds to look back or 0, whether as JSON)."""
    name, since, as_json = "", 0.0, False
    while words:
        word = words.pop(0)
        option, equals, value = word.partition("=")
        if word == "--json":
            as_json = True
        elif option == "--since":
            if not equals and not words:
                raise _Refused("--since needs a time, like 24h")
            since = _seconds(value if equals else words.pop(0))
        elif word.startswith("-"):
            raise _Refused(_unknown("history", option, "--json", "--since"))
        elif name:
            raise _Refused("history takes one name")
        else:
            name = "" if word == "all" else word
    return name, since, as_json


def _seconds(text: str) -> float:
    """`90`, `10m`, `24h`, `7d`."""
    import re  # only for a time that was typed

    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text)
    if match is None or match[2] not in {"", *_UNITS} or not float(match[1]):
        raise _Refused(f"{text} is no time to look back; write 10m, 24h or 7d")
    return float(match[1]) * _UNITS.get(match[2], 1)


# Kinds of causes whose names in the journal say nothing to people.
_KINDS = {"rule": "listener renewed", "orphan": "on_orphan=kill"}
_HEAD = ("RUN", "PROGRAM", "START", "UPTIME", "CPU", "PEAK", "STARTED BY", "END")


def _cells(run: Row) -> tuple[str, ...]:
    cpu, peak = _number(run, "cpu_seconds"), _number(run, "peak_bytes")
    start, uptime = _number(run, "start"), _number(run, "uptime")
    return (
        run.text("run"),
        run.text("process"),
        _when(start or 0.0),
        span(uptime or 0.0),
        "-" if cpu is None else f"{cpu:.2f} s",
        "-" if peak is None else f"{peak / (1 << 20):.0f} MiB",
        _started_by(Row(run.members.get("started"))),
        _end(run),
    )


def _started_by(cause: Row) -> str:
    by = f" by {cause.text('who')}" if cause.members.get("who") else ""
    kind = cause.text("kind")
    return f"{_KINDS.get(kind, kind)}{by}"


def _end(run: Row) -> str:
    if "end" not in run.members:
        return "runs"
    ending = str(run.members.get("ending", "unknown"))
    cause = Row(run.members.get("ended", {}))
    memory = {"yes": ", out of memory", "probably": ", probably out of memory"}
    kind = str(cause.members.get("kind", ""))
    by = f", {_KINDS.get(kind, kind)}" if kind not in ("", "exit", "lost") else ""
    by += f" by {cause.text('who')}" if cause.members.get("who") else ""
    return f"{ending}{memory.get(str(run.members.get('out_of_memory')), '')}{by}"


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def logs(ctl: Controller, argument: str) -> None:
    """The output of one run, as far as the log files still hold it."""
    try:
        name, run, channel = _logs_request(argument.split())
    except _Refused as refused:
        _usage(ctl, str(refused), LOGS_HELP)
        return
    if not ctl.upcheck():
        return
    row = _row(ctl, "runOutput", name, run, channel)
    if row is None:
        return
    if not row.number("complete"):
        ctl.output(f"[the beginning of run {row.text('run')} is not in the log files any more]")
    ctl.output(row.text("text").removesuffix("\n"))


def _logs_request(words: list[str]) -> tuple[str, int, str]:
    name, run, channel = "", 0, "stdout"
    while words:
        word = words.pop(0)
        option, equals, value = word.partition("=")
        if word in ("--stderr", "--stdout"):
            channel = word[2:]
        elif option == "--run":
            if not equals and not words:
                raise _Refused("--run needs a number: -1 is the run before the latest")
            run = _run_number(value if equals else words.pop(0))
        elif word.startswith("-"):
            raise _Refused(_unknown("logs", option, "--run", "--stderr", "--stdout"))
        elif name:
            raise _Refused("logs takes one name")
        else:
            name = word
    if not name:
        raise _Refused("logs needs the name of a process")
    return name, run, channel


def _run_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _Refused(f"{text} is no run: write -1, or a number that history shows") from None


def _ask(ctl: Controller, method: str, name: str, *values: int | str) -> Value:
    """The answer; None after a line that says why there is none."""
    try:
        return ctl.server.call(f"proctor.{method}", name, *values)
    except Fault as fault:
        reasons = {
            FaultCode.UNKNOWN_METHOD: "this server keeps no journal: it is not a Proctor, or old",
            FaultCode.SHUTDOWN_STATE: "supervisor shutting down",
        }
        detail = fault.text.partition(": ")[2]
        if fault.code == FaultCode.BAD_NAME and detail in ("", name):
            detail = "no such process"
        text = reasons.get(FaultCode(fault.code)) if fault.code in reasons else detail
        ctl.fail(f"{name}: ERROR ({text or fault.text})" if name else f"ERROR ({text})")
        return None


def _row(ctl: Controller, method: str, name: str, *values: int | str) -> Row | None:
    answer = _ask(ctl, method, name, *values)
    return None if answer is None else Row(answer)


def _number(row: Row, key: str) -> float | None:
    value = row.members.get(key)
    return float(value) if isinstance(value, int | float) else None


def _when(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def _show_json(ctl: Controller, answer: object) -> None:
    import json

    ctl.output(json.dumps(answer, indent=2, ensure_ascii=False))


def _unknown(verb: str, option: str, *known: str) -> str:
    """What is wrong with an option that the verb does not have."""
    from proctor.config.table import hinted

    return hinted(f"{verb} does not know {option}", option, known)


def _usage(ctl: Controller, text: str, help: str) -> None:
    ctl.fail(f"Error: {text}")
    ctl.output(help)


WHY_HELP = """\
why <name> ...          why processes are in their state, and what led to it
why <group>:*           the same for all processes of a group
why --json <name> ...   the same for programs"""
HISTORY_HELP = """\
history                 the latest 100 runs of all processes: start, uptime, CPU, peak, end
history <name>          the latest runs of a process, or of a group as group:*
history --since 24h ... the runs that went on since then (10m, 24h, 7d)
history --json ...      the same for programs"""
LOGS_HELP = """\
logs <name>             what the latest run of a process wrote, as far as its logs hold it
logs <name> --run -1    the run before it, and so on; or the number of a run that history shows
logs <name> --stderr    what it wrote to stderr"""

VERBS = (
    Verb("why", why, WHY_HELP, completes="processes", own=True),
    Verb("history", history, HISTORY_HELP, completes="processes", own=True),
    Verb("logs", logs, LOGS_HELP, completes="processes", own=True),
)
