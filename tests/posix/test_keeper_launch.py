"""Another keeper for a daemon that has lost its own."""

from __future__ import annotations

import os
import signal

from proctor.keeper.protocol import Message, Wire
from proctor.posix.keeper_launch import start_beside
from support.waiting import until


def test_a_signal_to_a_keeper_that_begins_is_passed_on() -> None:
    """Users know it by its pid at once, long before it has read its own program."""
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR2, lambda signum, _: heard.append(signum))
    sock, pid = start_beside(["/bin/false"], (1024, 1024))
    wire = Wire(sock)
    try:
        os.kill(pid, signal.SIGUSR2)
        wire.queue("hello", {"protocol": 1})
        assert wire.flush()
        said: list[Message] = []

        def welcomed() -> bool:
            said.extend(wire.receive())
            return any(message.kind == "welcome" for message in said)

        until(welcomed, "the keeper answers")
        until(lambda: heard == [signal.SIGUSR2], "the signal arrives")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        wire.close()
        signal.signal(signal.SIGUSR2, before)
