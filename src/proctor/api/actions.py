"""One action over many processes: begin them all, then wait for all.

Source: compat xmlrpc.md, sections 8 and 10.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from proctor.api.room import display_name
from proctor.core.faults import Fault
from proctor.core.info import ActionResult
from proctor.daemon.process import Process

Begin = Callable[[Process, str], None]
Finish = Callable[[Process, str], Awaitable[None]]


async def act_on_each(
    processes: Iterable[Process],
    begin: Begin,
    finish: Finish,
    *,
    wait: bool,
    highest_first: bool = False,
) -> list[ActionResult]:
    """Begin the action everywhere, then finish it everywhere; a Fault is an entry of the result.

    With `wait` the order is: refusals, then the others as they finish; without, that of
    `processes`.  `highest_first` begins at the other end, without waiting in between (gotcha G11).
    """
    members = list(enumerate(processes))
    results: list[tuple[int, ActionResult]] = []
    begun: list[tuple[int, Process]] = []
    for place, process in reversed(members) if highest_first else members:
        try:
            begin(process, display_name(process))
        except Fault as fault:
            results.append((place, _refused(process, fault)))
        else:
            begun.append((place, process))
    results.sort(key=lambda entry: entry[0])

    async def complete(place: int, process: Process) -> None:
        results.append((place, await outcome(process, finish(process, display_name(process)))))

    await asyncio.gather(*(complete(*entry) for entry in sorted(begun, key=lambda e: e[0])))
    if not wait:
        results.sort(key=lambda entry: entry[0])
    return [result for _, result in results]


async def outcome(process: Process, action: Awaitable[None]) -> ActionResult:
    """The entry for one process: success, or the Fault that `action` raised."""
    try:
        await action
    except Fault as fault:
        return _refused(process, fault)
    return ActionResult(process.name, process.group_name)


def _refused(process: Process, fault: Fault) -> ActionResult:
    return ActionResult.refused(process.name, process.group_name, fault)
