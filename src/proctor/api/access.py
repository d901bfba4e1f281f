"""Who may ask for what: a table of all verbs, and the caller of the request under way.

1. Every verb of the Service has a row in NEEDS; one without a row is a mistake that is found when
   the Service is made (`gate.py`), so nothing can be asked for that nobody thought about.
2. The check is at the verb and not at a face: XML-RPC, pages and whatever comes need not know it.
3. What is not covered by the table (a third party's namespace) is checked by `require`.
4. Each face says who asks by `asked_by`.  It holds for the request's task and all tasks it starts,
   but timers that are set meanwhile inherit it too: read `caller()` where a verb begins, and hand
   it on as a value.  Where nobody asks it is the daemon itself.

Source: scenarios.md, section 1, rules 6 and 8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum

from proctor.core.caller import DAEMON, Caller, Role
from proctor.core.cause import said_by
from proctor.core.faults import Fault, FaultCode
from proctor.core.names import split_namespec
from proctor.core.values import dataclass

_CALLER: ContextVar[Caller] = ContextVar("caller", default=DAEMON)


class Reach(Enum):
    """What a verb is about, for callers who are confined to groups."""

    NOTHING = "nothing that belongs to a group"
    NAMED = "the group of its first argument, a name"
    THEIRS = "every group of the caller; the verb itself leaves out the others"
    WHOLE = "the daemon as a whole, so none of their business"


@dataclass(frozen=True, slots=True)
class Need:
    """What a caller needs for a verb.  `content`: it shows what programs write to their logs.

    `changes`: it is worth a line in the log.
    """

    role: Role
    reach: Reach
    content: bool = False
    changes: bool = False


_LOOK = Need(Role.VIEW, Reach.NOTHING)
_LOOK_AT_ONE = Need(Role.VIEW, Reach.NAMED)
_LOOK_AROUND = Need(Role.VIEW, Reach.THEIRS)
_READ_ONE = Need(Role.VIEW, Reach.NAMED, content=True)
_READ_MAIN = Need(Role.VIEW, Reach.WHOLE, content=True)
_OPERATE = Need(Role.OPERATE, Reach.NAMED, changes=True)
_OPERATE_ALL = Need(Role.OPERATE, Reach.THEIRS, changes=True)
_TELL = Need(Role.OPERATE, Reach.NOTHING, changes=True)
_CHANGE = Need(Role.ADMIN, Reach.NAMED, changes=True)
_RULE = Need(Role.ADMIN, Reach.WHOLE, changes=True)

NEEDS: dict[str, Need] = {
    # The daemon
    "get_api_version": _LOOK,
    "get_supervisor_version": _LOOK,
    "get_identification": _LOOK,
    "get_state": _LOOK,
    "get_pid": _LOOK,
    "get_warnings": _LOOK,
    "read_log": _READ_MAIN,
    "follow_main_log": _READ_MAIN,
    "clear_log": _RULE,
    "shutdown": _RULE,
    "restart": _RULE,
    "upgrade": _RULE,
    "upgraded": _LOOK,
    "get_proctor_version": _LOOK,
    "send_remote_comm_event": _TELL,
    "follow_events": _LOOK_AROUND,
    "view_daemon": _LOOK_AROUND,
    "look_ready": _LOOK_AROUND,
    "read_gauges": _LOOK_AROUND,
    "read_main_log_range": _READ_MAIN,
    "follow_main_log_pieces": _READ_MAIN,
    # The configuration
    "get_all_config_info": _LOOK_AROUND,
    "reload_config": Need(Role.ADMIN, Reach.THEIRS, changes=True),
    "get_file_warnings": Need(Role.ADMIN, Reach.WHOLE),
    "diff": Need(Role.ADMIN, Reach.WHOLE),
    "apply": _RULE,
    "add_process_group": _CHANGE,
    "remove_process_group": _CHANGE,
    "update_process_group": _CHANGE,
    "view_configuration": _LOOK_AT_ONE,
    # Processes
    "view_process": _LOOK_AT_ONE,
    "view_processes": _LOOK_AROUND,
    "view_group": _LOOK_AT_ONE,
    "view_groups": _LOOK_AROUND,
    "get_process_info": _LOOK_AT_ONE,
    "get_all_process_info": _LOOK_AROUND,
    "start_process": _OPERATE,
    "start_process_group": _OPERATE,
    "start_all_processes": _OPERATE_ALL,
    "stop_process": _OPERATE,
    "stop_process_group": _OPERATE,
    "stop_all_processes": _OPERATE_ALL,
    "signal_process": _OPERATE,
    "signal_process_group": _OPERATE,
    "signal_all_processes": _OPERATE_ALL,
    "send_process_stdin": _OPERATE,
    # Their logs
    "read_process_stdout_log": _READ_ONE,
    "read_process_stderr_log": _READ_ONE,
    "tail_process_stdout_log": _READ_ONE,
    "tail_process_stderr_log": _READ_ONE,
    "follow_log": _READ_ONE,
    "read_log_range": _READ_ONE,
    "follow_log_pieces": _READ_ONE,
    # What became of them
    "why": _LOOK_AT_ONE,
    "history": _LOOK_AROUND,
    "run_output": _READ_ONE,
    "clear_process_logs": _OPERATE,
    "clear_all_process_logs": _OPERATE_ALL,
}


def caller() -> Caller:
    """Whoever asks for what is being done now; DAEMON when nobody does."""
    return _CALLER.get()


@contextmanager
def asked_by(who: Caller) -> Iterator[None]:
    """Within the block, `who` is the one who asks."""
    token = _CALLER.set(who)
    try:
        with said_by(who.named()):
            yield
    finally:
        _CALLER.reset(token)


def require(need: Need, what: str, name: str | None = None) -> None:
    """Raises Fault FORBIDDEN, before anything is looked up, unless the caller may do it.

    `what` is the verb, for the text; `name` what it is about, where that is one group or process.
    """
    who = caller()
    missing = _missing(who, need, name)
    if missing:
        subject = who.user or (f"uid {who.peer.uid}" if who.peer else "this connection")
        aim = f" {name}" if name else ""
        raise Fault(FaultCode.FORBIDDEN, f"{subject} may not {_words(what)}{aim}: {missing}")


def right(verbs: Iterable[str]) -> str:
    """What a caller needs for all of these, in words, for manuals."""
    needs = [NEEDS[verb] for verb in verbs]
    if not needs:
        return "nothing"
    role = max(need.role for need in needs).name.lower()
    return f"{role} and the right to read logs" if any(n.content for n in needs) else role


def _missing(who: Caller, need: Need, name: str | None) -> str:
    if who.role < need.role:
        return f"that needs the role {need.role.name.lower()}"
    if need.content and not who.reads_logs:
        return "that needs the right to read logs"
    if not who.confined:
        return ""
    if need.reach is Reach.WHOLE:
        return "that concerns more than their groups"
    if need.reach is Reach.NAMED and not who.covers(split_namespec(name or "")[0]):
        return "that is none of their groups"
    return ""


# Verbs whose names are no verbs.
_SAID = {
    "why": "ask about",
    "history": "see the history",
    "run_output": "read output of",
    "diff": "compare the configuration",
    "apply": "apply the configuration",
}


def _words(verb: str) -> str:
    return _SAID.get(verb) or verb.replace("_", " ")
