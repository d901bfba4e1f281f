"""ListenerProtocol: a listener's bytes in; Ready, Result or Violation out.

The rules (compat events.md, section 3): 1. A listener begins ACKNOWLEDGED, says `READY\\n`, is sent
one event (BUSY), answers `RESULT <n>\\n` and n bytes, and is ACKNOWLEDGED again. 2. Bytes arrive in
any chunking; nothing depends on it. 3. Anything else is a violation: the listener is UNKNOWN until
its process is started anew. 4. Kinder than the original where scripts in the field need it: white
space before READY is skipped (G64), a second READY is ignored, also when it arrives after the event
was sent (G16), and a violation says what was wrong (G65).
"""

from __future__ import annotations

from proctor.core.envelope import READY, RESULT
from proctor.core.states import ListenerState
from proctor.core.values import dataclass

_MAX_LINE = 64 * 1024
_MAX_RESULT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ready:
    """The listener can take an event."""


@dataclass(frozen=True, slots=True)
class RepeatedReady:
    """The listener said READY too often, which does no harm."""


@dataclass(frozen=True, slots=True)
class Result:
    """The listener's answer to the event it was sent."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Violation:
    """The listener broke the protocol; `line` is its bad result line, if that was it."""

    reason: str
    line: bytes | None = None


Answer = Ready | RepeatedReady | Result | Violation


_READY, _BUSY = ListenerState.READY, ListenerState.BUSY
_OK = Result(b"OK")
# What nearly every listener says, in the states in which it says so: known at sight.
_USUAL: dict[tuple[ListenerState, bytes], tuple[ListenerState, tuple[Answer, ...]]] = {
    (ListenerState.ACKNOWLEDGED, READY): (ListenerState.READY, (Ready(),)),
    (ListenerState.BUSY, b"RESULT 2\nOK"): (ListenerState.ACKNOWLEDGED, (_OK,)),
    (ListenerState.BUSY, b"RESULT 2\nOKREADY\n"): (ListenerState.READY, (_OK, Ready())),
}


class ListenerProtocol:
    """One listener's side of the conversation, from one start of its process to the next."""

    def __init__(self) -> None:
        self.state = ListenerState.ACKNOWLEDGED
        self._buffer = bytearray()
        self._result_length: int | None = None

    def sent(self) -> None:
        """An event was written to the listener.  Only when it is READY."""
        assert self.state is _READY, "an event may only go to a READY listener"
        self.state = _BUSY

    def refuse(self) -> None:
        """The listener is not to be talked to any more (its result could not be handled)."""
        self.state = ListenerState.UNKNOWN
        self._buffer.clear()

    def feed(self, data: bytes) -> list[Answer]:
        """What these bytes mean, in order; empty while a message is incomplete."""
        if not self._buffer and self._result_length is None:
            usual = _USUAL.get((self.state, data))
            if usual is not None:
                self.state = usual[0]
                return [*usual[1]]
        self._buffer += data
        answers: list[Answer] = []
        while (answer := self._next()) is not None:
            answers.append(answer)
        return answers

    def _next(self) -> Answer | None:
        match self.state:
            case ListenerState.ACKNOWLEDGED:
                return self._expect_ready()
            case ListenerState.READY | ListenerState.BUSY if self._skip_ready():
                return RepeatedReady()
            case ListenerState.READY:
                return None if READY.startswith(self._buffer) else self._not_ready()
            case ListenerState.BUSY:
                return self._expect_result()
            case _:
                self._buffer.clear()
                return None

    def _expect_ready(self) -> Answer | None:
        blanks = len(self._buffer) - len(self._buffer.lstrip())
        del self._buffer[:blanks]
        if self._buffer.startswith(READY):
            del self._buffer[: len(READY)]
            self.state = ListenerState.READY
            return Ready()
        return None if READY.startswith(self._buffer) else self._not_ready()

    def _skip_ready(self) -> bool:
        """Take all that was repeated in one go: a flood of it must not cost a flood of answers."""
        if self._result_length is not None:
            return False
        end = 0
        while self._buffer.startswith(READY, end):
            end += len(READY)
        del self._buffer[:end]
        return end > 0

    def _expect_result(self) -> Answer | None:
        if self._result_length is None:
            end = self._buffer.find(b"\n")
            if end < 0:
                too_long = len(self._buffer) > _MAX_LINE
                line = bytes(self._buffer[:60])
                return self._violation("endless result line", line) if too_long else None
            line = bytes(self._buffer[:end])
            length = _result_length(line)
            if length is None:
                return self._violation("bad result line", line)
            del self._buffer[: end + 1]
            self._result_length = length
        if len(self._buffer) < self._result_length:
            return None
        data = bytes(self._buffer[: self._result_length])
        del self._buffer[: self._result_length]
        self._result_length = None
        self.state = ListenerState.ACKNOWLEDGED
        return Result(data)

    def _not_ready(self) -> Violation:
        return self._violation(f"expected READY, got {bytes(self._buffer[:60])!r}")

    def _violation(self, reason: str, line: bytes | None = None) -> Violation:
        self.refuse()
        return Violation(reason, line)


def _result_length(line: bytes) -> int | None:
    """The n of `RESULT n`; blanks around the number are allowed."""
    word, number = line[: len(RESULT)], line[len(RESULT) :].strip()
    if word != RESULT or not number.isdigit():
        return None
    length = int(number)
    return length if length <= _MAX_RESULT else None
