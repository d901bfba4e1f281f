"""What is said to the keeper, and when it goes out."""

from __future__ import annotations

import asyncio
import socket

from proctor.keeper.protocol import Wire
from proctor.posix.keeper_line import KeeperLine


def test_the_first_message_of_a_round_goes_out_at_once() -> None:
    """A restart waits for it; the others of a thousand go together."""
    ours, theirs = socket.socketpair()
    loop, keeper = asyncio.new_event_loop(), Wire(theirs)
    line = KeeperLine(loop, {}, lambda *_, **__: None, lambda _error: None)
    line.connect(ours)

    def heard() -> list[str]:
        return [message.kind for message in keeper.receive()]

    line.send("one", {})
    assert heard() == ["one"]
    line.send("two", {})
    line.send("three", {})
    assert heard() == []
    loop.run_until_complete(asyncio.sleep(0))
    assert heard() == ["two", "three"]
    line.finish()
    loop.close()
    keeper.close()
