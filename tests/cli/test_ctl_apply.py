"""What `apply` makes of a server's plan."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault

import pytest

from proctor.cli.controller import Controller, Options
from proctor.cli.verbs.all import VERBS
from rpchost import rpc_host


def setting(section: str, option: str = "", old: str = "", new: str = "", **more: bool) -> Any:
    told = {"section": section, "option": option, "old": old, "new": new}
    return {**told, "live": False, **more}


EMPTY: dict[str, Any] = {"removed": [], "changed": [], "added": [], "settings": [], "problems": []}
PLAN = {
    **EMPTY,
    "removed": [{"group": "old", "stops": ["old"], "starts": []}],
    "changed": [
        {"group": "g", "stops": ["g:a", "g:b"], "starts": ["g:b"]},
        {"group": "calm", "stops": [], "starts": []},
    ],
    "settings": [
        setting("supervisord", "loglevel", "info", "warn", live=True),
        setting("unix_http_server"),
    ],
}
SHOWN = [
    "old: removed; stops old",
    "g: changed; stops g:a, g:b; starts g:b",
    "calm: changed",
    "[supervisord] loglevel: info -> warn",
    "[unix_http_server]: changed; counts from the next reload or upgrade",
]


class Say:
    """Runs a line; (lines, exit code, methods that were called)."""

    def __init__(self, scratch: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._scratch, self._capsys = scratch, capsys

    def __call__(self, line: str, **answers: Any) -> tuple[list[str], int, list[str]]:
        named = {f"proctor.{name}": answer for name, answer in answers.items()}
        with ExitStack() as stack:
            host = stack.enter_context(rpc_host(self._scratch, **named))
            ctl = Controller(Options(host.url), VERBS)
            stack.callback(ctl.server.close)
            ctl.onecmd(line)
        (self._scratch / "s.sock").unlink()
        return self._capsys.readouterr().out.splitlines(), ctl.exitstatus, host.methods()


@pytest.fixture
def say(scratch: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    return Say(scratch, capsys)


def test_a_dry_run_shows_the_plan_and_asks_for_nothing(say: Say) -> None:
    """One line for each group and setting."""
    assert say("apply --dry-run", diff=PLAN) == (SHOWN, 0, ["proctor.diff"])


def test_a_run_shows_the_same_and_carries_it_out(say: Say) -> None:
    """What came to differ between showing and doing is shown, too."""
    late = {**PLAN, "added": [{"group": "new", "stops": [], "starts": ["new"]}]}
    lines, code, methods = say("apply", diff=PLAN, apply=late)
    assert (lines, code) == ([*SHOWN, "new: added; starts new", "Applied"], 0)
    assert methods == ["proctor.diff", "proctor.apply"]


def test_where_nothing_differs_nothing_is_asked_for(say: Say) -> None:
    """Nor is it a failure."""
    assert say("apply", diff=EMPTY) == (["Nothing differs"], 0, ["proctor.diff"])


def test_problems_are_failures(say: Say) -> None:
    """Each is a line."""
    lines, code, _ = say("apply", diff=PLAN, apply={**PLAN, "problems": ["g: STILL_RUNNING: g"]})
    assert (lines, code) == ([*SHOWN, "ERROR: g: STILL_RUNNING: g"], 1)


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (Fault(92, "CANT_REREAD: a mistake"), "ERROR: CANT_REREAD: a mistake"),
        (Fault(6, "SHUTDOWN_STATE"), "ERROR: already shutting down"),
        (
            Fault(1, "UNKNOWN_METHOD"),
            "ERROR: this server cannot apply; reread and update do something like it",
        ),
    ],
)
def test_refusals_are_said(say: Say, fault: Fault, line: str) -> None:
    """Before and after the plan was shown."""
    assert say("apply", diff=fault)[:2] == ([line], 1)
    assert say("apply", diff=PLAN, apply=fault)[:2] == ([*SHOWN, line], 1)


def test_other_words_are_refused(say: Say) -> None:
    """A slip must not turn a dry run into a run."""
    lines, code, methods = say("apply --dryrun")
    said = "Error: apply takes only --dry-run, not --dryrun; did you mean --dry-run?"
    assert (lines[0], code, methods) == (said, 1, [])
