"""A Service over a heart on a fake machine, and the clock of that machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from builders import SETTINGS, Heart
from proctor.api.room import CurrentConfiguration, ServiceContext
from proctor.api.service import Service
from proctor.config.load import Configuration
from proctor.core.faults import Fault
from proctor.core.spec import GroupSpec
from proctor.core.upgrades import Stage, UpgradeNews

T = TypeVar("T")


@dataclass
class Desk:
    """Where a test asks.  `orders` are the shutdowns and restarts that were asked for; `files` is
    what the next re-read finds: a Configuration, or the error it raises."""

    heart: Heart
    service: Service
    configuration: CurrentConfiguration
    main_log: Path
    files: list[Configuration | Exception] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        """The answer, however long it takes on the fake machine."""
        return asyncio.run(self._answer(question))

    def refusal(self, question: Coroutine[Any, Any, object]) -> tuple[int, str]:
        """(code, text) of the Fault that is the answer."""
        with pytest.raises(Fault) as caught:
            self.ask(question)
        return caught.value.code, caught.value.text

    async def _answer(self, question: Coroutine[Any, Any, T]) -> T:
        task = asyncio.ensure_future(question)
        while not task.done():
            await self.breathe()
            due = self.heart.host.next_timer()
            if not task.done() and due is not None:
                self.heart.host.until(due)
        return await task

    async def upgrade(self) -> UpgradeNews:
        """What the context answers."""
        self.orders.append("upgrade")
        return UpgradeNews("t", Stage.PENDING, "1", "2")

    async def breathe(self) -> None:
        """Let everything happen that is due now."""
        for _ in range(5):
            await asyncio.sleep(0)
            self.heart.host.settle()


Sit = Callable[..., Desk]


def a_configuration(*groups: GroupSpec) -> Configuration:
    """What a file with these groups would give."""
    return Configuration("/nowhere/supervisord.conf", SETTINGS, groups=groups)


def context_of(desk: Desk) -> ServiceContext:
    def reread() -> Configuration:
        found = desk.files.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def clear(done: Callable[[OSError | None], None]) -> None:
        try:
            desk.main_log.write_bytes(b"")
        except OSError as error:
            done(error)
        else:
            done(None)

    return ServiceContext(
        version="4.3.0",
        who=lambda: 4711,
        main_log=str(desk.main_log),
        clear_main_log=clear,
        configuration=desk.configuration,
        reread=reread,
        shutdown=lambda: desk.orders.append("shutdown"),
        restart=lambda _: desk.orders.append("restart"),
        begun=desk.configuration.value,
        upgrade=desk.upgrade,
        upgrade_told=lambda ticket: UpgradeNews(ticket, Stage.UNKNOWN, "", "2"),
        use_settings=lambda settings: setattr(desk.heart.supervisor, "settings", settings),
    )
