"""Who may ask for what."""

from __future__ import annotations

import inspect
from collections.abc import Coroutine
from typing import Any

import pytest

from api.desk import Desk, Sit
from builders import a_group, a_process
from proctor.api.access import NEEDS, asked_by, caller
from proctor.api.gate import guarded
from proctor.api.room import Room
from proctor.api.service import Service
from proctor.core.caller import DAEMON, Caller, How, Peer, Role

Question = Coroutine[Any, Any, object]

VIEWER = Caller(How.TCP, Role.VIEW, reads_logs=False, user="vera", address="10.0.0.7:5000")
OPERATOR = Caller(How.TCP, Role.OPERATE, user="otto")
CONFINED = Caller(How.TCP, Role.ADMIN, groups=("web*", "db"), user="anna")


@pytest.fixture
def desk(sit: Sit) -> Desk:
    """Two groups, web1 and mail."""
    return sit(a_group("web1", a_process("a", autostart=False)), a_process("mail", autostart=False))


def refused(desk: Desk, who: Caller, question: Question) -> str:
    """The text of the refusal that `who` gets."""
    with asked_by(who):
        code, text = desk.refusal(question)
    assert code == 403
    return text


def answered(desk: Desk, who: Caller, question: Coroutine[Any, Any, Any]) -> Any:
    with asked_by(who):
        return desk.ask(question)


def test_every_verb_has_its_row_and_every_row_its_verb() -> None:
    """A verb that nobody thought about cannot be asked for at all."""
    verbs = {
        name
        for name, verb in inspect.getmembers(Service, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    assert verbs == set(NEEDS)


def test_a_verb_without_a_row_is_found_when_the_class_is_made() -> None:
    """Its name is in the error."""

    class Careless(Room):
        async def format_disk(self) -> None:
            """Nobody thought about who may."""

    with pytest.raises(TypeError, match="format_disk has no row"):
        guarded(Careless)


def test_without_any_configuration_everything_is_allowed(desk: Desk) -> None:
    """Whoever gets in may do everything, as ever."""
    somebody = Caller(How.UNIX, peer=Peer(1, 2, 3))
    assert answered(desk, somebody, desk.service.start_process("mail", wait=False)) is True
    assert answered(desk, somebody, desk.service.shutdown()) is True
    assert desk.orders == ["shutdown"]


def test_a_viewer_looks_and_does_not_touch(desk: Desk) -> None:
    """The refusal names the user, the verb, its aim and the role that is missing."""
    assert len(answered(desk, VIEWER, desk.service.get_all_process_info())) == 2
    text = refused(desk, VIEWER, desk.service.stop_process("mail"))
    assert text == "FORBIDDEN: vera may not stop process mail: that needs the role operate"
    assert "admin" in refused(desk, VIEWER, desk.service.shutdown())
    assert desk.orders == []


def test_what_is_in_the_logs_is_a_right_of_its_own(desk: Desk) -> None:
    """Logs hold secrets."""
    text = refused(desk, VIEWER, desk.service.read_process_stdout_log("mail", 0, 0))
    assert text.endswith("that needs the right to read logs")
    assert "read logs" in refused(desk, VIEWER, desk.service.follow_log("mail"))
    reader = Caller(How.TCP, Role.VIEW, reads_logs=True)
    answered(desk, reader, desk.service.tail_process_stdout_log("mail", 0, 100))


def test_an_operator_does_not_rule(desk: Desk) -> None:
    """Programs, yes; the configuration and the daemon, no."""
    assert answered(desk, OPERATOR, desk.service.start_process("mail", False)) is True
    for question in (
        desk.service.reload_config(),
        desk.service.restart(),
        desk.service.clear_log(),
        desk.service.remove_process_group("mail"),
    ):
        assert "that needs the role admin" in refused(desk, OPERATOR, question)


def test_whoever_is_confined_sees_and_moves_their_groups_only(desk: Desk) -> None:
    """`all` is all of theirs; what concerns everybody is refused."""
    infos = answered(desk, CONFINED, desk.service.get_all_process_info())
    assert [info.group for info in infos] == ["web1"]
    configured = answered(desk, CONFINED, desk.service.get_all_config_info())
    assert [info["group"] for info in configured] == ["web1"]
    started = answered(desk, CONFINED, desk.service.start_all_processes(False))
    assert [result.group for result in started] == ["web1"]
    assert "none of their groups" in refused(desk, CONFINED, desk.service.stop_process("mail"))
    assert "more than their groups" in refused(desk, CONFINED, desk.service.shutdown())


def test_a_name_outside_is_refused_before_it_is_looked_up(desk: Desk) -> None:
    """So a refusal does not tell which programs there are; positional or by keyword."""
    assert "none of their" in refused(desk, CONFINED, desk.service.start_process("nobody:*"))
    assert "none of their" in refused(desk, CONFINED, desk.service.start_process(name="mail"))


def test_nobody_asks_is_the_daemon_itself() -> None:
    """And afterwards it is so again."""
    with asked_by(VIEWER):
        assert caller() is VIEWER
    assert caller() is DAEMON


@pytest.mark.parametrize(
    ("who", "words"),
    [
        (VIEWER, "vera from 10.0.0.7:5000"),
        (Caller(How.TCP, address="10.0.0.7:5000"), "somebody from 10.0.0.7:5000"),
        (Caller(How.UNIX, peer=Peer(4711, 1000, 100)), "uid 1000 (pid 4711)"),
        (Caller(How.UNIX, peer=Peer(4711, 0, 0), user="bob"), "bob, uid 0 (pid 4711)"),
        (Caller(How.UNIX, peer=Peer(4711, 0, 0), program="memmon"), "memmon, uid 0 (pid 4711)"),
        (Caller(How.SIGNAL), "signal"),
    ],
)
def test_a_caller_has_words_for_the_log(who: Caller, words: str) -> None:
    """Who and from where."""
    assert who.described() == words
