"""apply: show what differs in the files, then change that and nothing else.

The daemon makes the plan and carries it out; here it is only asked and put into words.
"""

from __future__ import annotations

from proctor.cli.verb import Verb
from proctor.client.server import Row, listed
from proctor.core.faults import Fault, FaultCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from proctor.cli.controller import Controller

NOTHING = "Nothing differs"


def apply(ctl: Controller, argument: str) -> None:
    """With --dry-run only show it."""
    words = argument.split()
    if words not in ([], ["--dry-run"]):
        from proctor.config.table import hinted

        said = f"Error: apply takes only --dry-run, not {argument}"
        ctl.fail(hinted(said, argument, ["--dry-run"]))
        ctl.output(APPLY_HELP)
        return
    planned = _ask(ctl, "proctor.diff")
    if planned is None:
        return
    shown = list(lines_of(planned))
    for line in shown or [NOTHING]:
        ctl.output(line)
    if words or not shown:
        return
    done = _ask(ctl, "proctor.apply")
    if done is None:
        return
    # Somebody may have edited a file while the plan was shown.
    for line in lines_of(done):
        if line not in shown:
            ctl.output(line)
    problems = [str(problem) for problem in listed(done.members.get("problems"))]
    for problem in problems:
        ctl.fail(f"ERROR: {problem}")
    if not problems:
        ctl.output("Applied")


def _ask(ctl: Controller, method: str) -> Row | None:
    try:
        return ctl.server.row(method)
    except Fault as fault:
        if fault.code == FaultCode.SHUTDOWN_STATE:
            ctl.fail("ERROR: already shutting down")
        elif fault.code == FaultCode.CANT_REREAD:
            ctl.fail(f"ERROR: {fault.text}")
        elif fault.code == FaultCode.UNKNOWN_METHOD:
            ctl.fail("ERROR: this server cannot apply; reread and update do something like it")
        else:
            raise
        return None


def lines_of(plan: Row) -> Iterator[str]:
    """The plan as people read it, a line for each group and setting."""
    for change in ("removed", "changed", "added"):
        for group in map(Row, listed(plan.members.get(change))):
            told = [change]
            for does in ("stops", "starts"):
                names = [str(name) for name in listed(group.members.get(does))]
                told += [f"{does} {', '.join(names)}"] if names else []
            yield f"{group.text('group')}: {'; '.join(told)}"
    for setting in map(Row, listed(plan.members.get("settings"))):
        option, old, new = (setting.text(key) for key in ("option", "old", "new"))
        what = f" {option}: {old} -> {new}" if option else ": changed"
        later = "" if setting.members.get("live") else "; counts from the next reload or upgrade"
        yield f"[{setting.text('section')}]{what}{later}"


APPLY_HELP = """\
apply                   read the configuration, show what differs, change that and nothing else
apply --dry-run         only show it"""

VERBS = (Verb("apply", apply, APPLY_HELP, own=True),)
