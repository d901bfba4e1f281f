"""History: why a process is as it is, its runs, and what they wrote.

1. The file is read by the worker thread.  What was announced before the question is in the answer,
   if the disk takes it within PATIENCE.
2. Whoever may not read logs gets no last lines of a crash either.
3. Names of processes that are not configured any more are known as long as the journal knows them.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from proctor.api.access import caller
from proctor.api.room import Room, T
from proctor.api.text import readable
from proctor.core.cause import Cause
from proctor.core.faults import Fault, FaultCode
from proctor.core.history import Change, Explanation, Run, RunOutput
from proctor.core.names import split_namespec
from proctor.core.story import Present, explain
from proctor.daemon.output import CHANNELS
from proctor.posix.logmarks import Mark, output_between
from proctor.posix.users import name_of
from proctor.survival.keeper_loss import meaning_of_loss
from proctor.survival.reading import Reader, is_damaged, numbered

MOST_CHANGES = 60
MOST_RUNS = 1000
MOST_OUTPUT = 1024 * 1024
PATIENCE = 1.0

_UID = re.compile(r"\buid (\d+) \(pid (\d+)\)")


class Histories(Room):
    """Everything that the journal answers."""

    async def why(self, name: str) -> Explanation:
        """Why a process is in the state it is in, and what led to it.

        Raises BAD_NAME, also for `group:*`; FAILED when the journal cannot be read.  Without a
        journal the answer is the state alone.
        """
        self._require_running()
        process = self._one(name)
        present = Present(
            process.key,
            process.shown_state,
            self.supervisor.host.wall(),
            process.pid,
            process.spec.start.startsecs,
            process.twin,
        )
        if self.context.journal is None:
            told = explain(present, (), {}, _clock(present.now))
        else:
            told = await self._from_journal(lambda reader: _explain(reader, present))
        if lost := meaning_of_loss(process):
            told = replace(told, sentence=f"{told.sentence}  {lost}")
        return told if caller().reads_logs else replace(told, last_output="")

    async def history(self, name: str = "", since: float = 0.0, limit: int = 100) -> list[Run]:
        """The latest runs that went on at `since` or later (seconds since the epoch), oldest first.

        `name` is a process, `group:*`, or "" for all that the caller may see.  Raises BAD_NAME,
        FAILED; BAD_ARGUMENTS for a limit that is not 1 to 1000.
        """
        self._require_running()
        if not 1 <= limit <= MOST_RUNS:
            raise Fault(FaultCode.BAD_ARGUMENTS, f"a limit is from 1 to {MOST_RUNS}")
        group, process = split_namespec(name) if name else ("", None)
        one = f"{group}:{process}" if process is not None else None
        most = MOST_RUNS if name and one is None else limit
        runs = await self._from_journal(
            lambda reader: [_run_named(run) for run in reader.runs(one, since, most)]
        )
        if name and not runs:
            self._find(name)
        who = caller()
        shown = [
            run
            for run in runs
            if who.covers(run.process.partition(":")[0])
            and (not name or run.process.startswith(f"{group}:"))
        ]
        return [run if who.reads_logs else replace(run, last="") for run in shown[-limit:]]

    async def run_output(self, name: str, run: int = 0, channel: str = "stdout") -> RunOutput:
        """What a run wrote: 0 the latest, -1 the one before, ...; else the run of that number.

        At most the last MiB.  Raises BAD_NAME (no such process, or no such run of it);
        BAD_ARGUMENTS for a channel that is none; NO_FILE, with the reason, when there is no log or
        the log files do not hold it any more; FAILED.
        """
        self._require_running()
        if channel not in CHANNELS:
            raise Fault(FaultCode.BAD_ARGUMENTS, f"{channel} is neither stdout nor stderr")
        group, process = split_namespec(name)
        if process is None:
            raise Fault.bad_name(name)
        key = f"{group}:{process}"
        runs = await self._from_journal(lambda reader: reader.runs(key, 0.0, MOST_RUNS))
        chosen = numbered(runs, run)
        if chosen is None:
            if not runs:
                self._one(name)
            raise Fault(FaultCode.BAD_NAME, _no_run(name, run, len(runs)))
        return await self._in_worker(_output, runs, chosen, channel)

    async def _from_journal(self, question: Callable[[Reader], T]) -> T:
        """The answer of the journal.  Raises Fault FAILED."""
        journal = self.context.journal
        if journal is None:
            raise Fault(FaultCode.FAILED, "there is no journal: journal=none in [supervisord]")
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        journal.scribe.after(lambda: None if written.done() else written.set_result(None))
        await asyncio.wait([written], timeout=PATIENCE)
        try:
            return await self._in_worker(_asked, question, Reader(journal.scribe.path))
        except _Unreadable as error:
            if error.damaged:
                journal.scribe.suspect()
            raise Fault(FaultCode.FAILED, f"cannot read the journal: {error}") from error


def _no_run(name: str, run: int, known: int) -> str:
    if run > 0:  # a number of `history`, where all programs count together
        return f"run {run} is not a run of {name}; `history {name}` shows the numbers of its runs"
    return f"{name} has no run {run}, only {known} {'is' if known == 1 else 'are'} known"


class _Unreadable(Exception):
    """SQLite's error, which nobody outside the worker thread need know."""

    def __init__(self, text: str, damaged: bool) -> None:
        super().__init__(text)
        self.damaged = damaged


def _asked(question: Callable[[Reader], T], reader: Reader) -> T:
    import sqlite3

    try:
        return question(reader)
    except (sqlite3.Error, OSError) as error:
        raise _Unreadable(str(error), is_damaged(error)) from error


def _explain(reader: Reader, present: Present) -> Explanation:
    changes = [_named(change) for change in reader.changes(present.process, MOST_CHANGES)]
    runs = {run.birth.pid: run for run in reader.runs(present.process, 0.0, MOST_CHANGES)}
    return explain(present, changes, runs, _clock(present.now))


def _named(change: Change) -> Change:
    """Users by their names where they have one."""
    return replace(change, cause=_cause_named(change.cause))


def _run_named(run: Run) -> Run:
    ended = run.ended and _cause_named(run.ended)
    return replace(run, started=_cause_named(run.started), ended=ended)


def _cause_named(cause: Cause) -> Cause:
    return replace(cause, who=_UID.sub(_name, cause.who)) if cause.who else cause


def _name(found: re.Match[str]) -> str:
    uid, pid = found.groups()
    name = name_of(int(uid))
    return f"{name} (uid {uid}, pid {pid})" if name else found[0]


def _clock(now: float) -> Callable[[float], str]:
    """Local time for people; the day only if it is another one."""
    today = time.localtime(now)[:3]

    def told(when: float) -> str:
        local = time.localtime(when)
        return time.strftime("%H:%M:%S" if local[:3] == today else "%Y-%m-%d %H:%M:%S", local)

    return told


def _output(runs: Sequence[Run], run: Run, channel: str) -> RunOutput:
    begin = Mark.from_text(run.logs.get(channel, ""))
    if begin is None:
        raise Fault(FaultCode.NO_FILE, f"run {run.number} had no {channel} log")
    later = (Mark.from_text(r.logs.get(channel, "")) for r in runs if r.number > run.number)
    end = next((mark for mark in later if mark is not None and mark.path == begin.path), None)
    try:
        found = output_between(begin, end, MOST_OUTPUT)
    except OSError as error:
        raise Fault(FaultCode.FAILED, f"{begin.path}: {error.strerror}") from error
    if found is None:
        gone = (
            f"the output of run {run.number} is gone: its log was rotated away, cleared or removed"
        )
        raise Fault(FaultCode.NO_FILE, gone)
    return RunOutput(run.number, channel, readable(found[0]), found[1])
