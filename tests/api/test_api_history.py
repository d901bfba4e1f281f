"""Why, history and the output of runs: who may ask, and what is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.desk import Desk, Sit
from builders import a_group, a_process
from proctor.api.access import asked_by
from proctor.api.service import Service
from proctor.core.caller import Caller, How, Role
from proctor.survival.journal import Journal
from proctor.survival.scribe import Scribe
from support.waiting import until


@pytest.fixture
def told(sit: Sit, tmp_path: Path) -> Iterator[Desk]:
    """A desk with a real journal in which two groups have crashed."""
    desk = sit(
        a_group("a", a_process("one", autorestart="false")),
        a_group("b", a_process("two", autorestart="false")),
    )
    heart = desk.heart
    scribe = Scribe(str(tmp_path / "journal"), heart.host.call_soon, desk.orders.append)
    journal = Journal(heart.supervisor, scribe)
    journal.begin(())
    desk.service = Service(
        heart.supervisor, dataclasses.replace(desk.service.context, journal=journal)
    )
    for key in ("a:one", "b:two"):
        heart.start(key)
        heart.host.forward(2)
        heart.host.dies(key, code=1)
    yield desk
    desk.service.close()
    scribe.close()


def test_rights_to_the_journal(told: Desk) -> None:
    """Who is confined sees their groups only; who may not read logs, no output."""
    everything = told.ask(told.service.history())
    assert {run.process for run in everything} == {"a:one", "b:two"}
    confined = Caller(How.TCP, Role.VIEW, reads_logs=False, groups=("b",), user="bob")
    with asked_by(confined):
        assert {run.process for run in told.ask(told.service.history())} == {"b:two"}
        assert told.ask(told.service.history("a:*")) == []
        assert told.refusal(told.service.why("a:one")) == (
            403,
            "FORBIDDEN: bob may not ask about a:one: that is none of their groups",
        )
        assert told.refusal(told.service.run_output("b:two")) == (
            403,
            "FORBIDDEN: bob may not read output of b:two: that needs the right to read logs",
        )
        assert told.ask(told.service.why("b:two")).last_output == ""


def test_names_that_nobody_knows(told: Desk) -> None:
    """BAD_NAME, as everywhere; a run that never was says how many there are."""
    assert told.refusal(told.service.why("c")) == (10, "BAD_NAME: c")
    assert told.refusal(told.service.why("a:*")) == (10, "BAD_NAME: a:*")
    assert told.refusal(told.service.history("c")) == (10, "BAD_NAME: c")
    assert told.refusal(told.service.run_output("c")) == (10, "BAD_NAME: c")
    code, text = told.refusal(told.service.run_output("a:one", -9))
    assert (code, "has no run -9" in text) == (10, True)
    assert told.refusal(told.service.run_output("a:one", 0, "stdin"))[0] == 3
    assert told.refusal(told.service.history("", 0.0, 0))[0] == 3


def test_a_damaged_journal_is_an_answer_and_then_a_new_one(told: Desk) -> None:
    """The question fails with the reason; the file is put aside."""
    journal = told.service.context.journal
    assert journal is not None
    path = Path(journal.scribe.path)
    told.ask(told.service.history())
    with path.open("r+b") as file:
        file.write(b"\xff" * path.stat().st_size)
    Path(f"{path}-wal").write_bytes(b"")
    code, text = told.refusal(told.service.history())
    assert (code, text.startswith("FAILED: cannot read the journal: ")) == (30, True)
    until(lambda: list(path.parent.glob("*.corrupt-1")), "the damaged file is kept")
