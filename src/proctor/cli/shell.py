"""The shell of supervisorctl: a prompt, completion and history.

Source: compat supervisorctl.md, section 7.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import ModuleType

from proctor.cli.controller import Controller
from proctor.cli.verbs.status import namespec
from proctor.client.connection import ProtocolError
from proctor.client.server import Row
from proctor.core.faults import Fault


def run_shell(ctl: Controller) -> None:
    """Ask for commands until the user leaves (SystemExit, KeyboardInterrupt or end of input)."""
    readline = _readline()
    history = ctl.options.history_file if readline is not None else None
    if readline is not None:
        _prepare(readline, ctl, history)
    try:
        ctl.onecmd("status")
        while True:
            try:
                line = input(f"{ctl.options.prompt}> ")
            except EOFError:
                line = "EOF"
            ctl.onecmd(line)
    finally:
        if readline is not None and history is not None:
            with suppress(OSError):
                readline.write_history_file(history)


def _readline() -> ModuleType | None:
    try:
        import readline
    except ImportError:  # a Python built without it: no completion, no history
        return None
    return readline


def _prepare(readline: ModuleType, ctl: Controller, history: str | None) -> None:
    readline.set_completer(Completer(ctl, readline.get_line_buffer))
    # Names of processes hold colons, stars and dashes.
    readline.set_completer_delims(" \t\n")
    is_libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")
    if history is not None:
        # No history yet is no reason to complain.
        with suppress(OSError):
            readline.read_history_file(history)


class Completer:
    """What readline asks for the n-th way to complete a word."""

    def __init__(self, ctl: Controller, line: Callable[[], str]) -> None:
        self._ctl = ctl
        self._line = line
        self._candidates: list[str] = []

    def __call__(self, text: str, state: int) -> str | None:
        if state == 0:
            self._candidates = [name for name in self._names() if name.startswith(text)]
        return f"{self._candidates[state]} " if state < len(self._candidates) else None

    def _names(self) -> list[str]:
        action, blank, _ = self._line().lstrip().partition(" ")
        if not blank or action == "help":
            return self._actions()
        verb = self._ctl.verbs.get(action)
        completes = verb.completes if verb is not None else ""
        # Completion must never disturb the line being typed, whatever the server does.
        with suppress(Fault, ProtocolError, OSError, ValueError):
            if completes == "groups":
                return self._groups()
            if completes == "processes":
                return self._processes()
        return []

    def _actions(self) -> list[str]:
        names = {"help", *self._ctl.verbs}
        if self._ctl.options.plugins:
            from proctor.cli.third_party import actions_of

            names.update(*map(actions_of, self._ctl.options.plugins))
        return sorted(names)

    def _groups(self) -> list[str]:
        # Groups read but not added are in the second list only, those gone from the file in the
        # first.
        rows = self._rows("getAllProcessInfo") + self._rows("getAllConfigInfo")
        return sorted({row.text("group") for row in rows})

    def _processes(self) -> list[str]:
        names = {namespec(row) for row in self._rows("getAllProcessInfo")}
        return sorted(names | {f"{name.partition(':')[0]}:*" for name in names if ":" in name})

    def _rows(self, method: str) -> list[Row]:
        return self._ctl.server.rows(method)
