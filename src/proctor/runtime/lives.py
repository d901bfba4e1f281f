"""One life after the other in this process: a daemon that stood aside may have to return."""

from __future__ import annotations

import socket
from collections.abc import Callable

from proctor.posix.aside import wait_for_word
from proctor.posix.keeper_line import KeeperGone
from proctor.runtime.beginnings import Beginnings, Ending, Outcome
from proctor.runtime.run import run


def lives(
    beginnings: Beginnings,
    keeper: socket.socket | None,
    refuse: Callable[[Exception], int],
    *,
    made_keeper: bool,
) -> Ending:
    """Live as often as it takes; how the last life ended, never with Outcome.ASIDE.

    With Outcome.ALONE nobody else goes on with the programs.  `made_keeper`: this process has just
    made the keeper itself; then it is an end like any other that there is none.
    """
    while True:
        ending = run(beginnings, keeper, refuse)
        if ending.outcome is Outcome.ALONE and made_keeper:
            return Ending(Outcome.EXIT, refuse(KeeperGone("the keeper could not be started")))
        if ending.outcome is not Outcome.ASIDE:
            return ending
        assert ending.keeper is not None, "who stands aside waits for a word"
        try:
            reason = wait_for_word(ending.keeper, ending.says_begun)
        except KeeperGone:
            return Ending(Outcome.ALONE)
        if reason is None:
            return Ending(Outcome.EXIT)
        beginnings, keeper = beginnings.returning(ending, reason), ending.keeper
        made_keeper = False
