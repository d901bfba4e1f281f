"""How often each process was started, and how it ended."""

from __future__ import annotations

from api.desk import Sit
from builders import a_process
from proctor.api.tally import MAX_NAMES, Tally
from proctor.core.events import ProcessSpawned
from proctor.core.exits import ExitStatus
from proctor.core.plan import ChildPipes
from proctor.daemon.bus import EventBus


def test_a_run_is_counted_once(sit: Sit) -> None:
    """Starts, ends by kind, failures; and the last end is remembered over the next start."""
    desk = sit(a_process("web", startsecs=0, autorestart="unexpected", exitcodes=(0,)))
    heart, tally = desk.heart, desk.service.tally
    assert tally.of("web:web").starts == 0
    heart.start("web")
    heart.host.dies("web:web", 3)
    heart.host.settle()
    heart.host.until(heart.host.now() + 1)
    counts = tally.of("web:web")
    assert (counts.starts, counts.unexpected_exits) == (2, 1)
    assert counts.last == ExitStatus(code=3)
    heart.stop("web")
    counts = tally.of("web:web")
    assert counts.signal_exits + counts.expected_exits == 1
    view = desk.ask(desk.service.view_process("web"))
    assert (view["restarts"], view["state"]) == (1, "STOPPED")
    assert view["last_exit"] is not None
    assert view["last_exit"]["expected"] is True


def test_a_program_that_does_not_start_fails_once(sit: Sit) -> None:
    """FATAL is the failure; a try without a child is no start."""
    desk = sit(a_process("web", command="/no/such", startretries=1))
    desk.heart.supervisor.start(desk.heart.process("web"))
    desk.heart.host.until(60)
    counts = desk.service.tally.of("web:web")
    assert (counts.starts, counts.failures, counts.last) == (0, 1, None)


def test_a_child_that_is_taken_over_is_not_started(sit: Sit) -> None:
    """Also when nothing is known of it but that it runs, so that it passes through STARTING."""
    desk = sit(a_process("web", startsecs=0, autorestart="true"))
    process = desk.heart.process("web")
    process.adopt(77, ChildPipes(None, None, None), 0.0, lambda: None)
    desk.heart.host.settle()
    counts = desk.service.tally.of("web:web")
    assert (process.pid, counts.starts, counts.restarts) == (77, 0, 0)
    process.exited(ExitStatus(code=1), desk.heart.host.now())
    desk.heart.host.settle()
    desk.heart.host.until(desk.heart.host.now() + 1)
    counts = desk.service.tally.of("web:web")
    assert process.pid not in (0, 77)
    assert (counts.starts, counts.restarts) == (1, 1), "which is one again"


def test_names_are_bounded() -> None:
    """Programs that have a new name with every update do not fill the memory."""
    bus = EventBus(print)
    tally = Tally(lambda: 1.0)
    tally.attach(bus)
    for number in range(MAX_NAMES + 5):
        bus.publish(ProcessSpawned(str(number), "g", 7))
    assert len(tally.by_key) == MAX_NAMES
    assert tally.of("g:0").starts == 0
    assert tally.of(f"g:{MAX_NAMES}").starts == 1
