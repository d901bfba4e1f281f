"""Upgrade in place: the daemon that runs makes room for the version that is installed now.

1. Trial: a process of its own loads the new version, and reads the files and a copy of the state.
   If it cannot, nothing happens.
2. Hand-over: requests under way are answered, then this daemon stands aside as if it had been
   killed, but for its process.  The keeper starts the new one; the programs notice nothing.
3. The new daemon says when it is healthy; until then the keeper can call this one back, and this
   one begins again with the code that it has in memory.

Here are 1, and what is known of how it went.  keeper/succession.py is 2 and 3.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from proctor.core.faults import Fault, FaultCode
from proctor.core.upgrades import Stage, UpgradeNews
from proctor.core.version import PROCTOR_VERSION
from proctor.daemon.activity_log import ActivityLog
from proctor.posix.trial import TrialFailed, try_out

# The keeper follows when the daemon that stood aside has gone: tries, and seconds between them.
_TRIES, _PAUSE = 10, 0.5

# Seconds; a trial takes one.  The keeper gives up its own after 20.
_FOR_THE_TRIAL = 60.0
_FOR_THE_KEEPER = 60.0


class Upgrade:
    """At most one at a time.  `news` is what is known of the last one, if it concerned this daemon.

    `command` tries out what is installed.  `hand_over` is told when everything is ready for it, and
    begins it at once, or raises Fault when that has become impossible meanwhile.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: ActivityLog,
        hand_over: Callable[[], None],
        news: UpgradeNews | None = None,
    ) -> None:
        self._command = command
        self._log = log
        self._hand_over = hand_over
        self._under_way = False
        self.news = news

    async def begin(self, state: Callable[[], bytes]) -> UpgradeNews:
        """Try it out; when that went well the hand-over follows at once.

        Raises Fault FAILED with the reason when it did not.
        """
        if self._under_way:
            raise Fault(FaultCode.FAILED, "an upgrade is under way")
        self._under_way = True
        new = ""
        try:
            new = await asyncio.get_running_loop().run_in_executor(
                None, try_out, self._command, state(), _FOR_THE_TRIAL
            )
        except TrialFailed as error:
            text = f"what is installed now cannot take over: {error}"
            raise Fault(FaultCode.FAILED, text) from error
        finally:
            # Once it is handed over it stays under way; whatever else ended this is over.
            self._under_way = bool(new)
        ticket = f"{os.getpid()}-{time.monotonic_ns()}"
        try:
            self._hand_over()
        except Fault:
            self._under_way = False
            raise
        self.news = UpgradeNews(ticket, Stage.PENDING, PROCTOR_VERSION, new)
        self._log.info(f"handing over to Proctor {new}")
        return self.news

    def inherits(self, predecessor: str) -> None:
        """This daemon is the new one; the one before it left this text, and may return."""
        try:
            news = UpgradeNews.from_text(predecessor)
        except (ValueError, KeyError, TypeError):
            news = UpgradeNews("", Stage.PENDING, "an earlier version")
        self.news = replace(news, stage=Stage.PENDING, new=PROCTOR_VERSION)

    def succeeded(self) -> None:
        """It is healthy: nobody returns any more."""
        if self.news is not None:
            self.news = replace(self.news, stage=Stage.DONE)
            versions = f"from Proctor {self.news.old}; this is Proctor {PROCTOR_VERSION}"
            self._log.info(f"took over {versions}")

    def told(self, ticket: str) -> UpgradeNews:
        """How the upgrade of this ticket went."""
        if self.news is not None and self.news.ticket == ticket:
            return self.news
        return UpgradeNews(ticket, Stage.UNKNOWN, "", PROCTOR_VERSION)


async def renew_keeper(
    ask: Callable[[], Awaitable[str]], log: ActivityLog, seconds: float = _FOR_THE_KEEPER
) -> None:
    """Let the keeper, too, become the version that is installed now; it may refuse, and says why.

    `ask` answers "" when it has; one that does not know how never answers, and gets `seconds`.
    """
    reason = ""
    for _ in range(_TRIES):
        try:
            reason = await asyncio.wait_for(ask(), seconds)
        except TimeoutError:
            reason = f"it has not answered within {seconds:g} seconds"
            break
        if not reason:
            log.info("the keeper goes on as the version that is installed now")
            return
        await asyncio.sleep(_PAUSE)
    log.warn(f"the keeper goes on as it was: {reason}")
