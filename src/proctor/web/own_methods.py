"""The methods of namespace `proctor`: what the original does not have, in a namespace of our own.

None of them is told by listMethods, whose answer scripts compare; methodHelp and methodSignature
know them.
"""

from __future__ import annotations

import time

from proctor.core.changes import Plan
from proctor.core.history import Explanation, Run, RunOutput
from proctor.core.upgrades import UpgradeNews
from proctor.web.methods import Method


def _struct(answer: object) -> object:
    assert isinstance(answer, Explanation | RunOutput | Plan | UpgradeNews)
    return answer.as_struct()


def _runs(answer: object) -> object:
    assert isinstance(answer, list)
    now = time.time()
    return [run.as_struct(now) for run in answer if isinstance(run, Run)]


_NEWS = " {ticket, stage: pending, done, failed or unknown, from, to, reason}."
_PLAN = (
    " {removed, changed, added: [{group, stops, starts}], settings: [{section, option, live, old,"
    " new}], problems: [text]}."
)

OWN_METHODS: dict[str, Method] = {
    "why": Method(
        "why",
        "struct",
        ("name",),
        "Why a process is in its state and what led to it: {process, state, sentence, steps:"
        " [{time, text, until}], last_output}.",
        _struct,
        listed=False,
    ),
    "history": Method(
        "history",
        "array",
        ("name", "since", "limit"),
        "The latest runs of a process, of group:*, or of all (''), that went on since then:"
        " [{run, process, pid, start, end, uptime, started, ended, ending, ...}].",
        _runs,
        listed=False,
    ),
    "runOutput": Method(
        "run_output",
        "struct",
        ("name", "run", "channel"),
        "What a run wrote to stdout or stderr: {run, channel, text, complete}.  0 is the latest"
        " run, -1 the one before; other numbers are those that history tells.",
        _struct,
        listed=False,
    ),
    "getVersion": Method(
        "get_proctor_version", "string", (), "The version of Proctor.", listed=False
    ),
    "upgrade": Method(
        "upgrade",
        "struct",
        (),
        "Make room for the version that is installed now; answer when it was tried out:" + _NEWS,
        _struct,
        listed=False,
    ),
    "upgraded": Method(
        "upgraded", "struct", ("ticket",), "How an upgrade went:" + _NEWS, _struct, listed=False
    ),
    "fileWarnings": Method(
        "get_file_warnings",
        "array",
        (),
        "What is doubtful in the files as they were read last, a line each: options that nobody"
        " knows, comments that are none.",
        listed=False,
    ),
    "diff": Method(
        "diff",
        "struct",
        (),
        "Read the files and say what apply would do, without doing it:" + _PLAN,
        _struct,
        listed=False,
    ),
    "apply": Method(
        "apply",
        "struct",
        (),
        "Read the files and change what differs, nothing else; answer when it is done:" + _PLAN,
        _struct,
        listed=False,
    ),
}
