"""Waiting for a process without polling."""

from __future__ import annotations

import asyncio

from builders import a_heart, a_process
from fakes import Behaviour
from proctor.core.states import ProcessState as S
from proctor.daemon.waiters import settled, until


async def let_others_run() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_state_that_holds_already() -> None:
    """Is answered at once."""
    with a_heart(a_process("web")) as heart:
        assert asyncio.run(until(heart.process("web"), lambda s: s is S.STOPPED)) is S.STOPPED


def test_every_state_is_seen_however_short() -> None:
    """RUNNING and EXITED in one step: whoever waits for RUNNING sees it."""

    async def story() -> None:
        with a_heart(a_process("web", startsecs=0)) as heart:
            web = heart.process("web")
            waiting = asyncio.create_task(until(web, lambda state: state is S.RUNNING))
            await let_others_run()
            heart.host.always_dies("web:web", code=0)
            heart.start("web")
            assert web.state is S.EXITED
            assert await waiting is S.RUNNING

    asyncio.run(story())


def test_a_waiter_that_gives_up_leaves_nothing_behind() -> None:
    """A client that hangs up cancels its request."""

    async def story() -> None:
        with a_heart(a_process("web")) as heart:
            asked: list[S] = []

            def look(state: S) -> bool:
                asked.append(state)
                return False

            waiting = asyncio.create_task(until(heart.process("web"), look))
            await let_others_run()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            heart.start("web")
            assert asked == [S.STOPPED]

    asyncio.run(story())


def test_settled_waits_for_the_child_or_for_the_reason() -> None:
    """Nothing is under way afterwards."""

    async def story() -> None:
        with a_heart(a_process("web"), a_process("bad", command="/nowhere")) as heart:
            heart.host.behaviours["web:web"] = Behaviour(spawn_delay=3)
            heart.start("web")
            waiting = asyncio.create_task(settled(heart.process("web")))
            await let_others_run()
            assert not waiting.done()
            heart.host.forward(3)
            assert await waiting is S.STARTING
            assert heart.process("web").pid == 101
            heart.start("bad")
            assert await settled(heart.process("bad")) is S.BACKOFF

    asyncio.run(story())
