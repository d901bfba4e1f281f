"""The daemon as third-party rpcinterface factories see it."""

from __future__ import annotations

import dataclasses
import importlib.util
import socket
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from api.desk import Desk, Sit, a_configuration
from builders import a_group, a_process
from proctor.config.problems import ConfigError, Problem
from proctor.core.settings import ServerSettings

FILE = Path(__file__).parents[2] / "compat/src/supervisor/facade.py"


@pytest.fixture(scope="module")
def facade() -> ModuleType:
    """The module, without the package around it."""
    found = importlib.util.spec_from_file_location("facade_under_test", FILE)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _supervisord(facade: ModuleType, desk: Desk) -> Any:
    return facade.make(desk.service)


def test_plug_ins_can_look_around(facade: ModuleType, sit: Sit) -> None:
    """Groups, processes, their options, state and times."""
    desk = sit(a_group("g", a_process("a", startsecs=0, exitcodes=(0, 2)), priority=5))
    supervisord = _supervisord(facade, desk)
    group = supervisord.process_groups["g"]
    assert (group.config.name, group.config.priority) == ("g", 5)
    assert [config.name for config in group.config.process_configs] == ["a"]
    process = group.processes["a"]
    assert (process.config.command, process.config.exitcodes) == ("/bin/sh", [0, 2])
    assert (process.get_state(), process.pid, process.laststart, process.backoff) == (0, 0, 0, 0)
    assert (process.exitstatus, process.spawnerr, process.group.config.name) == (None, None, "g")
    with pytest.raises(AttributeError, match="depends_on"):
        _ = process.config.depends_on


def test_plug_ins_can_control_processes(facade: ModuleType, sit: Sit) -> None:
    """Through the same rules as everybody."""
    desk = sit(a_process("web", startsecs=0, autorestart="false"))
    process = _supervisord(facade, desk).process_groups["web"].processes["web"]
    with pytest.raises(OSError, match="NOT_RUNNING"):
        process.write("x")
    process.spawn()
    desk.heart.host.settle()
    assert (process.state, process.pid) == (20, 101)
    process.spawn()
    process.write("größer\n")
    assert desk.heart.host.children["web:web"].read_stdin() == "größer\n".encode()
    assert process.signal(1) is None
    assert process.stop() is None
    desk.heart.host.settle()
    assert (process.state, process.exitstatus, len(desk.heart.host.plans)) == (0, -1, 1)
    assert process.stop() == "NOT_RUNNING: web"


def test_plug_ins_can_add_and_remove_groups(facade: ModuleType, sit: Sit) -> None:
    """As the files have them; what starts by itself starts."""
    desk = sit(a_process("old"))
    desk.files.append(a_configuration(a_group("new", a_process("new", autostart=True))))
    supervisord = _supervisord(facade, desk)
    supervisord.options.process_config(do_usage=False)
    added, changed, removed = supervisord.diff_to_active()
    assert ([c.name for c in added], changed, [c.name for c in removed]) == (["new"], [], ["old"])
    config = supervisord.options.process_group_configs[0]
    assert supervisord.add_process_group(config) is True
    assert supervisord.add_process_group(config) is False
    desk.heart.host.settle()
    assert supervisord.remove_process_group("new") is False
    assert supervisord.remove_process_group("old") is True
    with pytest.raises(KeyError):
        supervisord.remove_process_group("old")


def test_a_bad_file_is_a_value_error(facade: ModuleType, sit: Sit) -> None:
    """And the old configuration stays."""
    desk = sit(a_process("web"))
    desk.files.append(ConfigError([Problem("no such option")]))
    options = _supervisord(facade, desk).options
    with pytest.raises(ValueError, match="no such option"):
        options.process_config(do_usage=False)
    assert [config.name for config in options.process_group_configs] == ["web"]


def test_plug_ins_can_ask_who_we_are(facade: ModuleType, sit: Sit) -> None:
    """Identity, state, and orders by way of the mood."""
    desk = sit()
    supervisord = _supervisord(facade, desk)
    options = supervisord.options
    assert (options.identifier, options.get_pid()) == ("supervisor", 4711)
    assert (options.configfile, options.serverurl) == ("/nowhere/supervisord.conf", None)
    assert (supervisord.get_state(), options.mood) == (1, 1)
    options.mood = 1
    options.mood = -1
    options.mood = 0
    assert desk.orders == ["shutdown", "restart"]


def test_plug_ins_can_find_our_servers(facade: ModuleType, sit: Sit) -> None:
    """As the dictionaries that they expect."""
    desk = sit()
    servers = (
        ServerSettings("unix_http_server", file="/s.sock"),
        ServerSettings("inet_http_server", host="127.0.0.1", port=9001),
    )
    desk.configuration.value = dataclasses.replace(a_configuration(), servers=servers)
    tcp, unix = _supervisord(facade, desk).options.server_configs
    assert (tcp["family"], tcp["host"], tcp["port"]) == (socket.AF_INET, "127.0.0.1", 9001)
    assert (unix["family"], unix["file"], unix["username"]) == (socket.AF_UNIX, "/s.sock", None)


def test_plug_ins_can_write_to_our_log(facade: ModuleType, sit: Sit) -> None:
    """At every level, with values."""
    desk = sit()
    logger = _supervisord(facade, desk).options.logger
    logger.info("hello %(who)s", who="you")
    logger.warn("100%")
    logger.blather("too much")
    assert desk.heart.lines == ["INFO hello you", "WARN 100%"]
    with pytest.raises(AttributeError):
        logger.shout("x")
