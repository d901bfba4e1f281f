"""Dispatcher: one pool at work.  Events in, to a free listener's stdin; its answers back.

1. An event goes to the first listener, in the order of creation, that is RUNNING and READY.
2. What a listener answers is judged by the result handler; what it did not answer before it died
   goes to the next one that is free.
3. Nothing here waits: a listener that does not read, or answers in pieces or with rubbish, keeps
   only its own event.
4. A line of the log that could come by the thousand is merged.

Source: compat events.md, sections 3 to 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from proctor.core.cause import CauseKind, because
from proctor.core.envelope import Envelope
from proctor.core.faults import Fault
from proctor.core.spec import PoolSpec
from proctor.core.states import RUNNING_STATES, ProcessState, SupervisorState
from proctor.daemon.activity_log import Level
from proctor.daemon.group import Group
from proctor.daemon.host import Timer
from proctor.daemon.process import Process
from proctor.daemon.supervisor import Supervisor
from proctor.duties.pools.judge import Handler, Verdict, judge
from proctor.duties.pools.listener import Listener
from proctor.duties.pools.merged import Merged
from proctor.duties.pools.pool import Letter, Pool
from proctor.duties.pools.protocol import Ready, RepeatedReady, Result, Violation

_DEBUG = Level.DEBUG
_NOTHING: tuple[Letter | None, bytes] = (None, b"")
_UNTOLD = "what an earlier daemon told it is not known"
_UNKNOWN = (
    "has entered the UNKNOWN state and will no longer receive events, this usually indicates the"
    " process violated the eventlistener protocol"
)


class Dispatcher:
    """The pool of a group.  `handler` None is the standard one; `done` is told the serial of every
    event that was acknowledged, given up or discarded."""

    def __init__(
        self,
        group: Group,
        supervisor: Supervisor,
        handler: Handler | None,
        done: Callable[[int], None],
    ) -> None:
        assert group.spec.pool is not None, "only an [eventlistener:x] has a pool"
        self.name = group.name
        self.spec: PoolSpec = group.spec.pool
        self.pool = Pool(self.spec.buffer_size)
        self.listeners: list[Listener] = []
        self._supervisor = supervisor
        self._handler = handler
        self._done = done
        self._log = supervisor.log
        self._host = supervisor.host
        self._envelope = self._make_envelope()
        self._ahead = _NOTHING
        self._timer: Timer | None = None
        self._due: float | None = None
        self._overflows = Merged(self._host, self._log.error)
        self._rejections = Merged(self._host, self._log.warn)
        self._drops = Merged(self._host, self._log.error)
        self.take_members(group)
        if not any(process.spec.start.autostart for process in group.processes.values()):
            self._overflowed(self.pool.settle())

    def take_members(self, group: Group) -> None:
        """Work with the group's processes as they are now; those that stay keep their state."""
        known = {listener.process: listener for listener in self.listeners}
        self.listeners = [
            known.get(process) or self._employ(process) for process in group.processes.values()
        ]

    def close(self) -> list[Letter]:
        """The pool is gone: answers with what nobody got."""
        if self._timer is not None:
            self._timer.cancel()
        for merged in (self._overflows, self._rejections, self._drops):
            merged.flush()
        return self.pool.waiting()

    def accept(self, serial: int, eventname: str, payload: str) -> None:
        """Take a new event, and send it if somebody is free."""
        discarded = self.pool.accept(serial, eventname, payload)
        if discarded:
            self._overflowed(discarded)
        self.dispatch()

    def dispatch(self) -> None:
        """Send what is due to whoever is free."""
        for listener in self.listeners:
            while listener.is_free:
                if self.pool.starting:
                    self.pool.begin()
                letter = self.pool.next(self._host.now())
                if letter is None:
                    return
                self._send(letter, listener)

    # Listeners

    def _employ(self, process: Process) -> Listener:
        listener = Listener(process)
        process.observe(partial(self._process_changed, listener))
        process.listen("stdout", partial(self._heard, listener))
        process.remark = partial(self._remark, listener)
        return listener

    def _process_changed(self, listener: Listener, state: ProcessState) -> None:
        if listener.child_changed():
            letter = listener.take_letter()
            if letter is not None:
                self._rebuffer(letter, self.pool.died(letter, self._host.now()))
            if listener.process.adopted:
                listener.protocol.refuse()
        match state:
            case ProcessState.RUNNING if listener.process.adopted:
                self._renew(listener, _UNTOLD, _UNTOLD)
            case ProcessState.STOPPED if listener.renewing:
                cause, listener.renewing = listener.renewing, ""
                if self._supervisor.mood is SupervisorState.RUNNING:
                    with because(CauseKind.RULE, cause, ""):
                        self._supervisor.start(listener.process)
        self._settle_if_hopeless()
        self.dispatch()
        self._arm()

    def _settle_if_hopeless(self) -> None:
        # In a shutdown they were stopped by us; nothing is discarded because of that.
        if self._supervisor.mood is not SupervisorState.RUNNING:
            return
        if self.pool.starting and all(each.is_hopeless for each in self.listeners):
            self._overflowed(self.pool.settle())

    def _renew(self, listener: Listener, why: str, cause: str) -> None:
        """Start its process again.  `why` is for the log, `cause` for the journal."""
        if listener.renewing or listener.process.state not in RUNNING_STATES:
            return
        self._log.info(f"{listener.name}: is started again: {why}")
        listener.renewing = cause
        with because(CauseKind.RULE, cause, ""):
            self._supervisor.stop(listener.process)

    def _remark(self, listener: Listener) -> str:
        counts = self.pool.counts
        told = ((counts.overflowed + counts.dropped, "lost"), (counts.rejections, "rejected"))
        remarks = [listener.remark(), *(f"events {word}: {n}" for n, word in told if n)]
        return ", ".join(filter(None, remarks))

    # To a listener

    def _make_envelope(self) -> Envelope:
        identifier = self._supervisor.settings.identifier
        return Envelope(identifier, self.name, with_bytes=self.spec.events_with_bytes)

    def _send(self, letter: Letter, listener: Listener) -> None:
        try:
            if listener.send(letter, self._rendered(letter)):
                self._render_ahead()
            else:
                self._log.debug(f"{listener.name}: has closed its stdin, event {letter.serial}")
                self.pool.untake(letter)
        except Fault as fault:
            self.pool.counts.dropped += 1
            self._done(letter.serial)
            self._drops.say(f"pool {self.name} gives up event {letter.serial}: {fault.detail}")

    def _rendered(self, letter: Letter) -> bytes:
        if self._envelope.server != self._supervisor.settings.identifier:
            self._envelope = self._make_envelope()  # It may change while we run.
            self._ahead = _NOTHING
        ahead, data = self._ahead
        if letter is ahead:
            return data
        return self._envelope.render(
            letter.serial, letter.poolserial, letter.eventname, letter.payload
        )

    def _render_ahead(self) -> None:
        """Now, while the listener works, so that it need not wait for it afterwards."""
        letter = self.pool.upcoming()
        self._ahead = (letter, self._rendered(letter)) if letter is not None else _NOTHING

    # From a listener

    def _heard(self, listener: Listener, data: bytes) -> None:
        answers = listener.protocol.feed(data)
        for answer in answers:
            if isinstance(answer, Result):
                self._judge(listener, answer.data)
            elif not isinstance(answer, Ready):
                self._misbehaved(listener, answer)
        if answers:
            self.dispatch()

    def _misbehaved(self, listener: Listener, answer: RepeatedReady | Violation) -> None:
        match answer:
            case RepeatedReady():
                self._log.debug(f"{listener.name}: said READY again, which is ignored")
            case Violation(reason, line):
                if line is not None:
                    text = line.decode("utf-8", "backslashreplace")
                    self._log.warn(f"{listener.name}: {reason}: '{text}'")
                    reason = f"{reason} '{text[:40]}'"
                else:
                    self._log.warn(f"{listener.name}: {reason}")
                self._violated(listener, reason)

    def _judge(self, listener: Listener, response: bytes) -> None:
        letter = listener.take_letter()
        assert letter is not None, "a listener that is BUSY was sent an event"
        verdict, problem = judge(self._handler, letter, response)
        match verdict:
            case Verdict.PROCESSED:
                self._done(letter.serial)
                if self._log.wants(_DEBUG):
                    self._log.debug(f"{listener.name}: event was processed")
            case Verdict.REJECTED:
                self._rejections.say(f"{listener.name}: event was rejected")
                self._reject(letter)
            case Verdict.ERROR:
                self._log.warn(f"{listener.name}: event caused an error")
                self._log.warn(f"{listener.name}: its result handler raised {problem}")
                self._violated(listener, f"its result handler raised {problem}")
                self._reject(letter)

    def _violated(self, listener: Listener, reason: str) -> None:
        """No more events for this child."""
        listener.protocol.refuse()
        listener.violation = reason
        self.pool.counts.violations += 1
        self._log.warn(f"{listener.name}: {_UNKNOWN}")
        letter = listener.take_letter()
        if letter is not None:
            self._reject(letter)
        if self.spec.restart_on_violation:
            self._renew(listener, reason, f"it broke the protocol of listeners ({reason})")
        self._settle_if_hopeless()

    # Events that come back, or do not

    def _reject(self, letter: Letter) -> None:
        self._rebuffer(letter, self.pool.rejected(letter, self._host.now()))
        self._arm()

    def _rebuffer(self, letter: Letter, comes_back: bool) -> None:
        if not comes_back:
            self._done(letter.serial)
            self._drops.say(
                f"pool {self.name} gives up event {letter.serial} ({letter.eventname}) after"
                f" {letter.tries + 1} tries"
            )
        elif self._log.wants(_DEBUG):
            size, most = len(self.pool), self.pool.buffer_size
            self._log.debug(
                f"rebuffering event {letter.serial} for pool {self.name} (buf size={size},"
                f" max={most})"
            )

    def _overflowed(self, discarded: Iterable[Letter]) -> None:
        for letter in discarded:
            self._done(letter.serial)
            self._overflows.say(
                f"pool {self.name} event buffer overflowed, discarding event {letter.serial}"
            )

    # Time

    def _arm(self) -> None:
        """Ring when the first resting event is due.  A moment that has passed rings once only."""
        due = self.pool.deadline
        if due == self._due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = None if due is None else self._host.call_at(due, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self.dispatch()
        self._arm()
