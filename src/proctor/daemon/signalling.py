"""What is sent to the children of one process: by request, and because the Lifecycle says so.

1. A request that comes while a child is on its way is kept until it is there.
2. What somebody asked for is remembered: an end that follows soon is put down to it.
"""

from __future__ import annotations

from proctor.core.cause import Reasons
from proctor.core.lifecycle import Signal
from proctor.core.spec import ProcessSpec
from proctor.daemon import words
from proctor.daemon.host import ChildSink
from proctor.daemon.surroundings import Surroundings


class Signalling:
    """To the children of the process of this spec and key."""

    __slots__ = ("_around", "_kept", "_key", "_reasons", "_spec")

    def __init__(self, spec: ProcessSpec, key: str, around: Surroundings, reasons: Reasons) -> None:
        self._spec = spec
        self._key = key
        self._around = around
        self._reasons = reasons
        self._kept: list[int] = []

    def send(self, pid: int, signum: int) -> None:
        """Somebody asked for it."""
        host = self._around.host
        self._reasons.signalled(signum, host.now())
        self._around.log.debug(words.sending(self._spec, pid, signum))
        host.signal(self._key, pid, signum, False)

    def keep(self, signum: int) -> None:
        """Somebody asked for it, and there is no child yet."""
        self._kept.append(signum)

    def send_kept(self, pid: int) -> None:
        """There is a child now."""
        kept, self._kept = self._kept, []
        for signum in kept:
            self.send(pid, signum)

    def drop_kept(self) -> None:
        """There will be no child."""
        self._kept.clear()

    def carry_out(self, signal: Signal, sink: ChildSink) -> None:
        """The Lifecycle says so."""
        if signal.forced:
            self._reasons.forced()
            self._around.log.warn(f"killing '{self._spec.name}' ({signal.pid}) with SIGKILL")
        self._around.log.debug(words.killing(self._spec, signal))
        host = self._around.host
        if signal.to_tree:
            host.signal_tree(self._key, signal.pid, signal.signum, sink)
        else:
            host.signal(self._key, signal.pid, signal.signum, signal.to_group)
