"""Apply changes exactly what its plan names (scenario row 19)."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

from api.desk import Desk, Sit, a_configuration
from builders import SETTINGS, a_group, a_process
from fakes import Behaviour
from proctor.config.load import Configuration
from proctor.config.problems import ConfigError, Problem
from proctor.core.changes import Change, GroupChange, SettingChange
from proctor.core.settings import ServerSettings
from proctor.core.spec import ProcessSpec
from proctor.core.states import ProcessState
from proctor.daemon import waiters

SIGTERM = 15


def running(name: str, **options: Any) -> ProcessSpec:
    return a_process(name, startsecs=0, autostart=True, **options)


def test_a_dry_run_and_a_run_make_the_same_plan(sit: Sit) -> None:
    """And the run touches what it names, nothing else; the dry run nothing at all."""
    one, two, old = running("one"), running("two"), running("old")
    desk = sit(a_group("g", one, two), old)
    for key in ("g:one", "g:two", "old"):
        desk.heart.start(key)
    edited = dataclasses.replace(two, priority=5)
    new = a_configuration(
        a_group("fresh", running("f"), a_process("by_hand")),
        a_group("g", one, edited, running("three")),
    )
    desk.files += [new, new, new]
    expected = (
        GroupChange("old", Change.REMOVED, stops=("old",)),
        GroupChange("g", Change.CHANGED, stops=("g:two",), starts=("g:two", "g:three")),
        GroupChange("fresh", Change.ADDED, starts=("fresh:f",)),
    )
    before = pids(desk)
    assert desk.ask(desk.service.diff()).groups == expected
    assert pids(desk) == before
    assert desk.configuration.value is not new
    plan = desk.ask(desk.service.apply())
    assert (plan.groups, plan.problems) == (expected, ())
    after = pids(desk)
    assert after["g:one"] == before["g:one"]
    assert after["g:two"] not in (0, before["g:two"])
    assert after.keys() == {"g:one", "g:two", "g:three", "fresh:f", "fresh:by_hand"}
    assert after["g:three"]
    assert after["fresh:f"]
    assert not after["fresh:by_hand"]
    assert not desk.ask(desk.service.diff())


def test_files_with_mistakes_change_nothing(sit: Sit) -> None:
    """They are refused whole, with the reason."""
    desk = sit(running("web"))
    desk.heart.start("web")
    before = pids(desk), desk.configuration.value
    desk.files += [ConfigError((Problem("a mistake"),))] * 2
    assert desk.refusal(desk.service.diff())[0] == 92
    code, text = desk.refusal(desk.service.apply())
    assert (code, "a mistake" in text) == (92, True)
    assert (pids(desk), desk.configuration.value) == before


def test_settings_say_whether_they_count_at_once(sit: Sit) -> None:
    """Those that do are in force afterwards; a login is compared and never shown."""
    desk = sit()
    server = ServerSettings("unix_http_server", file="/nowhere/s", password="secret")
    files = Configuration(
        "/nowhere/supervisord.conf",
        SETTINGS._replace(loglevel="debug", hup="apply", pidfile="/new", uid=7),
        servers=(server,),
    )
    desk.files += [files, files]
    expected = (
        SettingChange("supervisord", "loglevel", True, "info", "debug"),
        SettingChange("supervisord", "hup", True, "restart", "apply"),
        SettingChange("supervisord", "pidfile", False, "/nowhere/pid", "/new"),
        SettingChange("supervisord", "user", False, "none", "7"),
        SettingChange("unix_http_server", "", False),
    )
    plan = desk.ask(desk.service.apply())
    assert plan.settings == expected
    assert "secret" not in str(plan.as_struct())
    assert desk.heart.supervisor.settings.loglevel == "debug"
    # What counts only from the next start differs until then.
    assert desk.ask(desk.service.diff()).settings == expected[2:]


def test_a_reread_does_not_hide_what_apply_has_to_do(sit: Sit) -> None:
    """Compared is with what is in force, not with what was read last."""
    desk = sit(running("web"))
    new = Configuration("/nowhere/supervisord.conf", SETTINGS._replace(loglevel="debug"))
    desk.files += [new, new]
    desk.ask(desk.service.reload_config())
    plan = desk.ask(desk.service.diff())
    assert [change.option for change in plan.settings] == ["loglevel"]
    assert [change.group for change in plan.groups] == ["web"]


def test_two_at_once_come_one_after_the_other(sit: Sit) -> None:
    """The second one finds nothing left to do."""
    desk = sit(running("web"))
    desk.heart.host.behaviours["web"] = Behaviour(ignores=frozenset({SIGTERM}))
    desk.heart.start("web")
    files = a_configuration()
    desk.files += [files, files]

    async def both() -> list[bool]:
        plans = await asyncio.gather(desk.service.apply(), desk.service.apply())
        return [bool(plan) for plan in plans]

    assert desk.ask(both()) == [True, False]
    assert desk.heart.supervisor.groups == {}


def test_one_groups_failure_is_its_own(sit: Sit) -> None:
    """Somebody adds the same group while another one is being stopped: it is told, all else is
    done."""
    desk = sit(running("slow"))
    desk.heart.host.behaviours["slow"] = Behaviour(ignores=frozenset({SIGTERM}))
    desk.heart.start("slow")
    a, b = a_group("a", running("a")), a_group("b", running("b"))
    desk.files += [a_configuration(a, b)]

    async def apply_and_add() -> tuple[str, ...]:
        applying = asyncio.ensure_future(desk.service.apply())
        await waiters.until(desk.heart.process("slow"), ProcessState.STOPPING.__eq__)
        await desk.service.add_process_group("a")
        return (await applying).problems

    assert desk.ask(apply_and_add()) == ("a: ALREADY_ADDED: a",)
    assert pids(desk).keys() == {"a", "b"}


def pids(desk: Desk) -> dict[str, int]:
    processes = desk.heart.supervisor.all_processes()
    return {p.key if p.name != p.group_name else p.name: p.pid for p in processes}
