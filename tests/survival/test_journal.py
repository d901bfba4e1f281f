"""The journal's ear: what it hears of the heart, and when the keeper may forget."""

from __future__ import annotations

from collections.abc import Callable

from builders import Heart, a_heart, a_process
from proctor.core.cause import Cause, CauseKind, because
from proctor.core.exits import ExitStatus
from proctor.core.history import Birth
from proctor.core.plan import ChildPipes
from proctor.posix.loop_host import HeldChild
from proctor.survival.entries import Ended, Entry, Left, Spawned, Turned
from proctor.survival.journal import Journal
from proctor.survival.scribe import Scribe


class Notebook(Scribe):
    """A scribe that keeps everything in its head, on a disk that answers when it is told to."""

    def __init__(self) -> None:
        super().__init__("/nowhere", lambda job: None, lambda text: None)
        self.entries: list[Entry] = []
        self.waiting: list[Callable[[], None]] = []

    def write(self, entry: Entry) -> None:
        self.entries.append(entry)

    def after(self, done: Callable[[], None]) -> None:
        self.waiting.append(done)

    def commit(self) -> None:
        waiting, self.waiting = self.waiting, []
        for done in waiting:
            done()


def listening(heart: Heart, *alive: tuple[str, int]) -> tuple[Journal, Notebook]:
    notebook = Notebook()
    journal = Journal(heart.supervisor, notebook)
    journal.begin(alive)
    return journal, notebook


def test_a_life_is_written_down() -> None:
    """Each change with its cause; the run with its birth, its configuration, its end."""
    with a_heart(a_process(autorestart="false")) as heart:
        _, notebook = listening(heart)
        with because(CauseKind.REQUEST, who="alice"):
            heart.start("web")
        heart.host.forward(2)
        heart.host.dies("web:web", code=3)

        assert notebook.entries[0] == Left(frozenset(), heart.host.wall() - 2)
        states = [e.change.state.name for e in notebook.entries if isinstance(e, Turned)]
        assert states == ["STARTING", "RUNNING", "EXITED"]
        (spawned,) = [e for e in notebook.entries if isinstance(e, Spawned)]
        assert spawned.birth == Birth("web:web", 101, 0.0)
        assert spawned.cause == Cause(CauseKind.REQUEST, "alice")
        assert len(spawned.config) == 8
        (ended,) = [e for e in notebook.entries if isinstance(e, Ended)]
        assert ended.spawned.birth == spawned.birth
        assert (ended.status, ended.expected, ended.crashed) == (ExitStatus(3), False, True)
        assert ended.end == heart.host.wall()


def test_a_stop_and_an_expected_exit_are_no_crashes() -> None:
    """Nobody wants to see their last lines."""
    with a_heart(a_process(autorestart="false")) as heart:
        _, notebook = listening(heart)
        heart.start("web")
        heart.host.forward(2)
        heart.stop("web")
        heart.start("web")
        heart.host.forward(2)
        heart.host.dies("web:web", code=0)
        ends = [e for e in notebook.entries if isinstance(e, Ended)]
        assert [e.crashed for e in ends] == [False, False]
        assert [e.expected for e in ends] == [True, True], "also an end by the stop signal"


def test_the_keeper_may_forget_what_is_written() -> None:
    """Not before; and the restart does not wait for it."""
    with a_heart(a_process(autorestart="true")) as heart:
        _, notebook = listening(heart)
        heart.start("web")
        heart.host.forward(2)
        heart.host.dies("web:web", code=1)
        assert heart.process("web").pid == 102, "it runs again"
        assert heart.host.acknowledged == []
        notebook.commit()
        assert heart.host.acknowledged == [("web:web", 101)]


def test_without_a_journal_the_keeper_may_forget_at_once() -> None:
    """As ever."""
    with a_heart(a_process(autorestart="false")) as heart:
        heart.start("web")
        heart.host.forward(2)
        heart.host.dies("web:web", code=1)
        assert heart.host.acknowledged == [("web:web", 101)]


def test_an_end_that_was_announced_but_perhaps_not_written() -> None:
    """It is written by the next daemon; the birth says which run it was."""
    with a_heart(a_process()) as heart:
        heart.host.until(50)
        child = HeldChild("web:web", 77, "", ChildPipes(None, 0, None), 10.0, ExitStatus(4), 20.0)
        journal, notebook = listening(heart, ("web:web", 77))
        journal.missed(child, ExitStatus(4))
        left, ended = notebook.entries
        assert isinstance(left, Left)
        assert left.alive == {("web:web", 77)}
        assert isinstance(ended, Ended)
        assert ended.spawned.birth == Birth("web:web", 77, 10.0)
        assert (ended.end - ended.spawned.start, ended.status) == (10.0, ExitStatus(4))
