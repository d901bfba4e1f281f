"""Descriptions and configuration info, in the original's words and shapes."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from api.desk import Sit
from builders import a_group, a_heart, a_process
from fakes import EPOCH
from proctor.api.views import config_info, describe
from proctor.core.info import MAX_XMLRPC_INT
from proctor.core.spec import LogKind, OutputPolicy, ProcessSpec


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("uptime", "words"),
    [
        (0.9, "0:00:00"),
        (65, "0:01:05"),
        (86399, "23:59:59"),
        (86405, "1 day, 0:00:05"),
        (2 * 86400, "2 days, 0:00:00"),
        (-3600, "0:00:00"),
    ],
)
def test_the_uptime_of_a_running_process(uptime: float, words: str) -> None:
    """Days are written out; a clock that was set back shows no negative time."""
    with a_heart(a_process("web", startsecs=0)) as heart:
        heart.start("web")
        text = describe(heart.process("web"), EPOCH + uptime)
        assert text == f"pid 101, uptime {words}"


@pytest.mark.usefixtures("utc")
def test_a_process_at_rest_shows_when_it_stopped() -> None:
    """Month, day, hour and minute of local time, in English."""
    with a_heart(a_process("web", startsecs=0)) as heart:
        heart.start("web")
        heart.host.forward(_epoch("2023-11-14 22:59") - EPOCH)
        heart.stop("web")
        assert describe(heart.process("web"), 0) == "Nov 14 10:59 PM"


def test_a_process_that_never_had_a_child_is_not_started() -> None:
    """Even if a start was tried: a stop time of 0 is no date (gotcha G26)."""
    with a_heart(a_process("web", command="/nonexistent/x")) as heart:
        assert describe(heart.process("web"), 0) == "Not started"
        heart.start("web")
        assert describe(heart.process("web"), 0) == "can't find command '/nonexistent/x'"
        heart.stop("web")
        assert heart.process("web").start_wall
        assert describe(heart.process("web"), 0) == "Not started"


def test_a_failure_says_why() -> None:
    """BACKOFF and FATAL show the spawn error."""
    with a_heart(a_process("web", startretries=0)) as heart:
        heart.host.always_dies("web:web")
        heart.start("web")
        heart.host.forward(5)
        too_quick = "Exited too quickly (process log may have details)"
        assert describe(heart.process("web"), 0) == too_quick
        heart.process("web").lifecycle.spawnerr = ""
        assert describe(heart.process("web"), 0) == 'unknown error (try "tail web")'


def test_states_on_the_way_have_no_description() -> None:
    """STARTING and STOPPING are their own description."""
    with a_heart(a_process("web", startsecs=9)) as heart:
        heart.start("web")
        heart.host.behaviour("web:web").ignores = frozenset({15})
        assert describe(heart.process("web"), 0) == ""
        heart.stop("web")
        assert describe(heart.process("web"), 0) == ""


def test_times_fit_32_bits(sit: Sit) -> None:
    """In the year 2040 clients with small integers still read our answers (gotcha G79)."""
    desk = sit(a_process("web", startsecs=0))
    desk.heart.host.forward(_epoch("2040-01-01 00:00") - EPOCH)
    desk.heart.start("web")
    info = desk.ask(desk.service.get_process_info("web"))
    assert (info.start, info.now) == (MAX_XMLRPC_INT, MAX_XMLRPC_INT)
    assert info.description == "pid 101, uptime 0:00:00"


def test_configuration_info_has_the_keys_of_the_original() -> None:
    """And autorestart, as Supervisor 4.4 has it."""
    spec = dataclasses.replace(
        a_process("web", autostart=True, exitcodes=(0, 3), stopsignal=10, killasgroup=True),
        directory="/tmp",
        uid=65534,
        serverurl="http://localhost:9001",
        stdout=OutputPolicy(LogKind.NONE, capture_maxbytes=1024, syslog=True, maxbytes=0),
        stderr=OutputPolicy(LogKind.FILE, "/var/log/web.err", events_enabled=True),
    )
    info = config_info(a_group("g", spec, priority=5), spec, None)
    assert info == {
        "autostart": True, "autorestart": "unexpected", "command": "/bin/sh", "directory": "/tmp",
        "exitcodes": [0, 3], "group": "g", "group_prio": 5, "inuse": False, "killasgroup": True,
        "name": "web", "process_prio": 999, "redirect_stderr": False,
        "serverurl": "http://localhost:9001", "startretries": 3, "startsecs": 1, "stopsignal": 10,
        "stopwaitsecs": 10, "uid": 65534,
        "stdout_capture_maxbytes": 1024, "stdout_events_enabled": False, "stdout_logfile": "none",
        "stdout_logfile_backups": 10, "stdout_logfile_maxbytes": 0, "stdout_syslog": True,
        "stderr_capture_maxbytes": 0, "stderr_events_enabled": True,
        "stderr_logfile": "/var/log/web.err", "stderr_logfile_backups": 10,
        "stderr_logfile_maxbytes": 50 * 1024 * 1024, "stderr_syslog": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [
        ({}, "directory", "none"),
        ({}, "uid", "none"),
        ({"uid": 0}, "uid", 0),
        ({}, "serverurl", "none"),
        ({"stdout": OutputPolicy()}, "stdout_logfile", "auto"),
        ({"stderr": OutputPolicy()}, "stderr_logfile", "auto"),
        ({"stderr": OutputPolicy(), "redirect_stderr": True}, "stderr_logfile", "none"),
    ],
)
def test_what_is_not_there_is_a_word(change: dict[str, object], key: str, value: object) -> None:
    """'none' for what does not exist, 'auto' for a log without a file yet."""
    spec: ProcessSpec = dataclasses.replace(a_process("web"), **change)  # type: ignore[arg-type]
    assert config_info(a_group("web", spec), spec, None)[key] == value


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text + "+00:00").timestamp()
