"""What a daemon does that stands aside for its successor: it waits for a word of the keeper.

Signals that came when it heard no more (SignalDesk.hold) are given back then: they are for the
successor.
"""

from __future__ import annotations

import os
import select
import signal
import socket

from proctor.keeper.ear import PASSED_ON
from proctor.keeper.protocol import BrokenWireError, Message, Wire
from proctor.posix.keeper_line import KeeperGone


def wait_for_word(sock: socket.socket, says_begun: bool) -> str | None:
    """Why the successor came to nothing, so that this daemon has to go on; None: it may go.

    It may go, too, when the keeper has ended and there is a successor, which goes on by itself;
    raises KeeperGone when there is none.  Where the keeper never says whether there is one
    (`says_begun`: it does), there may be one, and two would be worse than none.

    `sock` is the one of KeeperHost.stand_aside; when there is something to go on with, a KeeperHost
    can be made of it.
    """
    wire, begun = Wire(sock), not says_begun
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    while True:
        poll.poll()
        try:
            messages: list[Message] = wire.receive()
        except (OSError, BrokenWireError):
            if begun:
                return None
            raise KeeperGone("the keeper has ended before it has started a successor") from None
        for message in messages:
            message.close()
            begun = begun or message.kind == "begun"
            if message.kind == "retire":
                _pass_on_signals(message.fields.get("pid"))
                return None
            if message.kind == "return":
                return str(message.fields.get("reason", ""))


def _pass_on_signals(keeper: object) -> None:
    """To the keeper of this pid, which has just spoken; it knows who the daemon is."""
    if isinstance(keeper, int):
        for signum in signal.sigpending() & PASSED_ON:
            os.kill(keeper, signum)
