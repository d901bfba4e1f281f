"""The gate in front of the Service: every verb is checked, and what it changed is written down.

A program of ours that asks for a change (a listener that calls back) is known by its name.

The class is made anew with each verb behind `require` and `audited`, so that no face and no room
can forget either.  Source: scenarios.md, section 1, rules 6, 8 and 9.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from proctor.api.access import NEEDS, Need, Reach, asked_by, caller, require
from proctor.api.audit import audited
from proctor.api.room import Room, display_name
from proctor.core.caller import Caller
from proctor.posix.peers import process_group

S = TypeVar("S", bound=Room)

Ask = Callable[..., Awaitable[object]]


def guarded(service: type[S]) -> type[S]:
    """The class with every verb behind the gate.  Raises TypeError for a verb without a row."""
    for verb, ask in inspect.getmembers(service, inspect.isfunction):
        if verb.startswith("_") or not inspect.iscoroutinefunction(ask):
            continue
        if verb not in NEEDS:
            raise TypeError(f"{verb} has no row in NEEDS, api/access.py: who may ask for it?")
        behind = _changing if NEEDS[verb].changes else _checked
        setattr(service, verb, behind(verb, NEEDS[verb], ask))
    return service


def _checked(verb: str, need: Need, ask: Ask) -> Ask:
    @functools.wraps(ask)
    async def checked(room: Room, *values: object, **named: object) -> object:
        require(need, verb, _name(need, values, named))
        return await ask(room, *values, **named)

    return checked


def _changing(verb: str, need: Need, ask: Ask) -> Ask:
    noted = _audited(verb, need, ask)

    @functools.wraps(ask)
    async def changing(room: Room, *values: object, **named: object) -> object:
        who = _recognized(caller(), room)
        if who is caller():
            return await noted(room, *values, **named)
        with asked_by(who):
            return await noted(room, *values, **named)

    return changing


def _recognized(who: Caller, room: Room) -> Caller:
    """The caller, with the name of the program of ours that it is or was started by."""
    if who.peer is None or who.peer.pid <= 0 or who.program:
        return who
    pids = {who.peer.pid, process_group(who.peer.pid)} - {0}
    ours = (each for each in room.supervisor.all_processes() if each.pid in pids)
    found = next(ours, None)
    return who if found is None else replace(who, program=display_name(found))


def _audited(verb: str, need: Need, ask: Ask) -> Ask:
    checked = _checked(verb, need, ask)

    @functools.wraps(ask)
    async def noted(room: Room, *values: object, **named: object) -> object:
        if not room.supervisor.settings.audit:
            return await checked(room, *values, **named)
        words = [verb, _name(need, values, named), _signal(verb, values, named)]
        with audited(room.supervisor.log, " ".join(filter(None, words))) as entry:
            answer = await checked(room, *values, **named)
            entry.answered(answer)
        return answer

    return noted


def _name(need: Need, values: Sequence[object], named: Mapping[str, object]) -> str | None:
    """What the verb is about; None when it is about no single thing."""
    if need.reach is not Reach.NAMED:
        return None
    return str(values[0] if values else named["name"])


def _signal(verb: str, values: Sequence[object], named: Mapping[str, object]) -> str | None:
    """The one other value that is worth writing down, and never a secret."""
    if not verb.startswith("signal_"):
        return None
    return str(named.get("signal", values[-1] if values else ""))
