"""Waiting for a process, without polling."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from proctor.core.states import ProcessState
from proctor.daemon.process import Process


async def until(process: Process, predicate: Callable[[ProcessState], bool]) -> ProcessState:
    """Wait for a state that satisfies `predicate`; answers with it, at once if it holds already.

    Every state the process goes through is seen, however short.  The predicate is asked again when
    a child was spawned, so it may look at `process.pid` too.
    """
    if predicate(process.state):
        return process.state
    reached: asyncio.Future[ProcessState] = asyncio.get_running_loop().create_future()

    def look(state: ProcessState) -> None:
        if not reached.done() and predicate(state):
            reached.set_result(state)

    forget = process.observe(look)
    try:
        return await reached
    finally:
        forget()


async def settled(process: Process) -> ProcessState:
    """Wait until no spawn is under way: there is a child, or `spawnerr` says why not."""
    lost = ProcessState.UNKNOWN
    return await until(process, lambda state: state is lost or not process.lifecycle.spawning)
