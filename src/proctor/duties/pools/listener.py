"""Listener: one process of a pool, as its pool sees it.

It begins anew with every child: the protocol, and what is known of the pipe to it.
"""

from __future__ import annotations

from proctor.core.faults import Fault, FaultCode
from proctor.core.states import STOPPED_STATES, ListenerState, ProcessState
from proctor.daemon.process import Process
from proctor.duties.pools.pool import Letter
from proctor.duties.pools.protocol import ListenerProtocol

# Looking up a member of an enumeration takes longer than the rest of the question.
_READY, _RUNNING = ListenerState.READY, ProcessState.RUNNING


class Listener:
    """A process, its side of the conversation, and the event it was sent (`letter`).

    `violation` says what it did wrong, "" while it did nothing; `renewing`: why it was stopped by
    its pool and is to be started again, "" when it was not.
    """

    def __init__(self, process: Process) -> None:
        self.process = process
        self.protocol = ListenerProtocol()
        self.letter: Letter | None = None
        self.violation = ""
        self.renewing = ""
        self._pid = process.pid
        self._deaf = False

    @property
    def name(self) -> str:
        """For the log."""
        return self.process.name

    @property
    def is_free(self) -> bool:
        """Whether it may be sent an event: READY, and RUNNING too (gotcha G68)."""
        return (
            self.protocol.state is _READY
            and self.process.lifecycle.state is _RUNNING
            and not self._deaf
        )

    @property
    def is_hopeless(self) -> bool:
        """Whether it will take no event until somebody starts it (again)."""
        process = self.process
        if process.state in STOPPED_STATES and process.lifecycle.deadline is None:
            return True
        if process.adopted or self.renewing:
            return False
        return self.protocol.state is ListenerState.UNKNOWN

    def send(self, letter: Letter, data: bytes) -> bool:
        """Send it an event; False when it has closed its stdin.

        Raises Fault FAILED for an event that is too large.
        """
        try:
            self.process.write_stdin(data)
        except Fault as fault:
            if fault.code == FaultCode.FAILED:
                raise
            self._deaf = True
            return False
        self.letter = letter
        self.protocol.sent()
        return True

    def take_letter(self) -> Letter | None:
        """What it was busy with; it is not any more."""
        letter, self.letter = self.letter, None
        return letter

    def child_changed(self) -> bool:
        """Whether there is another child than before, or none any more: all begins anew."""
        if self.process.pid == self._pid:
            return False
        self._pid = self.process.pid
        self.protocol = ListenerProtocol()
        self.violation, self._deaf = "", False
        return True

    def remark(self) -> str:
        """What `status` should say of it beyond its state; "" while all is well."""
        if self.violation:
            return f"gets no events: {self.violation}"
        return "gets no events: it closed its stdin" if self._deaf else ""
