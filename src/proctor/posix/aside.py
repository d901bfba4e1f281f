"""What a daemon does that stands aside for its successor: it waits for a word of the keeper."""

from __future__ import annotations

import select
import socket

from proctor.keeper.protocol import BrokenWireError, Message, Wire


def wait_for_word(sock: socket.socket) -> str | None:
    """Why the successor came to nothing, so that this daemon has to go on; None: it may go.

    It may go, too, when the keeper has ended.  `sock` is the one of KeeperHost.stand_aside; when
    there is something to go on with, a KeeperHost can be made of it.
    """
    wire = Wire(sock)
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    while True:
        poll.poll()
        try:
            messages: list[Message] = wire.receive()
        except (OSError, BrokenWireError):
            return None
        for message in messages:
            message.close()
            if message.kind == "retire":
                return None
            if message.kind == "return":
                return str(message.fields.get("reason", ""))
