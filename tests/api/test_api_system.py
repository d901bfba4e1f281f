"""The daemon itself, the configuration, and what is refused while it stops."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from api.desk import Desk, Sit, a_configuration
from builders import a_group, a_process
from proctor.api.service import Service
from proctor.config.problems import ConfigError, Problem
from proctor.core.events import GroupChanged, RemoteCommunication
from proctor.core.states import SupervisorState
from proctor.web.methods import METHODS
from proctor.web.own_methods import OWN_METHODS

BAD_FILE = ConfigError([Problem("program section program:x does not specify a command")])
CANT_REREAD = (92, "CANT_REREAD: program section program:x does not specify a command")


def _verbs(service: Service) -> dict[str, Callable[..., Coroutine[Any, Any, object]]]:
    """Those of the XML-RPC interface."""
    rows = (METHODS | OWN_METHODS).values()
    return {row.verb: getattr(service, row.verb) for row in rows}


def test_who_we_are(sit: Sit) -> None:
    """Version of the interface and of the original, identifier, pid, state."""
    service = sit().service
    desk = sit()
    assert desk.ask(service.get_api_version()) == "3.0"
    assert desk.ask(service.get_supervisor_version()) == "4.3.0"
    assert desk.ask(service.get_identification()) == "supervisor"
    assert desk.ask(service.get_pid()) == 4711
    assert desk.ask(service.get_state()) is SupervisorState.RUNNING


@pytest.mark.parametrize("mood", [SupervisorState.SHUTDOWN, SupervisorState.RESTARTING])
def test_while_we_stop_everything_is_refused(sit: Sit, mood: SupervisorState) -> None:
    """SHUTDOWN_STATE from what XML-RPC clients may ask, whatever its arguments (gotcha G72)."""
    desk = sit(a_process("web"))
    desk.heart.supervisor.mood = mood
    verbs = _verbs(desk.service)
    assert len(verbs) == 42
    for name, verb in verbs.items():
        if name != "send_remote_comm_event":
            count = len(inspect.signature(verb).parameters)
            assert desk.refusal(verb(*["nope"] * count)) == (6, "SHUTDOWN_STATE"), name


def test_a_remote_event_is_published_in_any_state(sit: Sit) -> None:
    """Listeners may want to know how the shutdown goes."""
    desk = sit()
    desk.heart.supervisor.mood = SupervisorState.SHUTDOWN
    assert desk.ask(desk.service.send_remote_comm_event("fire", "drill")) is True
    assert desk.heart.events == [RemoteCommunication("fire", "drill")]


def test_shutdown_and_restart_are_handed_on(sit: Sit) -> None:
    """Restart reads the files first."""
    desk = sit()
    desk.files.append(a_configuration())
    assert desk.ask(desk.service.restart()) is True
    assert desk.ask(desk.service.shutdown()) is True
    assert desk.orders == ["restart", "shutdown"]


def test_a_restart_into_a_bad_configuration_is_refused(sit: Sit) -> None:
    """Nothing is stopped (gotcha G9, scenario 2)."""
    desk = sit(a_process("web"))
    desk.files.append(BAD_FILE)
    assert desk.refusal(desk.service.restart()) == CANT_REREAD
    assert desk.orders == []


# Configuration


def test_a_reread_tells_what_is_different_and_touches_nothing(sit: Sit) -> None:
    """Groups that are new, changed or gone, compared with what is active."""
    desk = sit(a_process("same"), a_process("changed"), a_process("gone"))
    new = [a_process("new"), a_process("changed", startsecs=5), a_process("same")]
    desk.files.append(a_configuration(*(a_group(p.name, p) for p in new)))
    assert desk.ask(desk.service.reload_config()) == (["new"], ["changed"], ["gone"])
    assert list(desk.heart.supervisor.groups) == ["same", "changed", "gone"]
    infos = desk.ask(desk.service.get_all_config_info())
    found = [(i["name"], i["inuse"], i["startsecs"]) for i in infos]
    assert found == [("changed", True, 5), ("new", False, 1), ("same", True, 1)]


def test_a_bad_file_leaves_the_old_configuration(sit: Sit) -> None:
    """CANT_REREAD with the reason; what was read before can still be added."""
    desk = sit(a_process("web"))
    desk.ask(desk.service.remove_process_group("web"))
    desk.files.append(BAD_FILE)
    assert desk.refusal(desk.service.reload_config()) == CANT_REREAD
    assert desk.ask(desk.service.add_process_group("web")) is True


def test_a_reread_warns_of_what_is_new(sit: Sit) -> None:
    """Once, and only of what somebody may have meant otherwise."""
    desk = sit()
    notes = (
        Problem("unknown option 'startsec'", level="warn"),
        Problem("Included extra file", level="info"),
    )
    new = dataclasses.replace(a_configuration(), notes=notes)
    desk.files += [new, new]
    desk.ask(desk.service.reload_config())
    desk.ask(desk.service.reload_config())
    assert desk.heart.lines == ["WARN unknown option 'startsec'"]


def test_an_added_group_starts_by_itself(sit: Sit) -> None:
    """What has autostart runs; the others wait."""
    desk = _with_files(sit, a_group("g", a_process("a", autostart=True), a_process("b")))
    assert desk.ask(desk.service.add_process_group("g")) is True
    desk.heart.host.settle()
    assert [plan.key for plan in desk.heart.host.plans] == ["g:a"]
    assert GroupChanged("g", added=True) in desk.heart.events


def test_groups_that_cannot_be_added(sit: Sit) -> None:
    """Active ones, and those that no file knows, active or not."""
    desk = sit(a_process("web"), a_process("old"))
    assert desk.refusal(desk.service.add_process_group("web")) == (90, "ALREADY_ADDED: web")
    assert desk.refusal(desk.service.add_process_group("nope")) == (10, "BAD_NAME: nope")
    desk.files.append(a_configuration())
    desk.ask(desk.service.reload_config())
    assert desk.refusal(desk.service.add_process_group("old")) == (10, "BAD_NAME: old")


def test_a_group_is_removed_when_all_of_it_rests(sit: Sit) -> None:
    """BACKOFF and STOPPING count as running."""
    desk = sit(a_process("web"))
    desk.heart.host.always_dies("web:web")
    desk.heart.start("web")
    assert desk.refusal(desk.service.remove_process_group("web")) == (91, "STILL_RUNNING: web")
    desk.heart.stop("web")
    assert desk.ask(desk.service.remove_process_group("web")) is True
    assert desk.refusal(desk.service.remove_process_group("web")) == (10, "BAD_NAME: web")
    assert desk.refusal(desk.service.get_process_info("web")) == (10, "BAD_NAME: web")


def test_configured_processes_are_listed_by_their_name(sit: Sit) -> None:
    """Equal names in the order of their groups."""
    desk = sit(a_group("p2", a_process("same")), a_group("p1", a_process("same"), a_process("a")))
    infos = desk.ask(desk.service.get_all_config_info())
    assert [(i["group"], i["name"]) for i in infos] == [("p1", "a"), ("p2", "same"), ("p1", "same")]


def _with_files(sit: Sit, *groups: Any) -> Desk:
    desk = sit()
    desk.files.append(a_configuration(*groups))
    desk.ask(desk.service.reload_config())
    return desk
