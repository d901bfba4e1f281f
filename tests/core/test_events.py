"""Events: names, families and payloads, byte for byte (compat events.md, section 1)."""

from __future__ import annotations

from typing import Any

import pytest

from proctor.core.events import (
    PARENTS,
    Event,
    GroupChanged,
    ProcessCommunicated,
    ProcessLogged,
    ProcessStateChanged,
    RemoteCommunication,
    SupervisorStateChanged,
    Tick,
    family,
)
from proctor.core.states import ProcessState as S


def changed(state: S, from_state: S, **fields: Any) -> ProcessStateChanged:
    return ProcessStateChanged("web", "g", state, from_state, **fields)


HEAD = "processname:web groupname:g"

ROWS: list[tuple[Event, str, str]] = [
    (
        changed(S.STARTING, S.STOPPED, tries=0),
        "PROCESS_STATE_STARTING",
        f"{HEAD} from_state:STOPPED tries:0",
    ),
    (
        changed(S.RUNNING, S.STARTING, pid=7),
        "PROCESS_STATE_RUNNING",
        f"{HEAD} from_state:STARTING pid:7",
    ),
    (
        changed(S.BACKOFF, S.STARTING, tries=2),
        "PROCESS_STATE_BACKOFF",
        f"{HEAD} from_state:STARTING tries:2",
    ),
    (
        changed(S.STOPPING, S.RUNNING, pid=7),
        "PROCESS_STATE_STOPPING",
        f"{HEAD} from_state:RUNNING pid:7",
    ),
    (
        changed(S.EXITED, S.RUNNING, pid=7, expected=False),
        "PROCESS_STATE_EXITED",
        f"{HEAD} from_state:RUNNING expected:0 pid:7",
    ),
    (
        changed(S.STOPPED, S.BACKOFF),
        "PROCESS_STATE_STOPPED",
        f"{HEAD} from_state:BACKOFF pid:0",
    ),
    (changed(S.FATAL, S.BACKOFF), "PROCESS_STATE_FATAL", f"{HEAD} from_state:BACKOFF"),
    (changed(S.UNKNOWN, S.STOPPING), "PROCESS_STATE_UNKNOWN", f"{HEAD} from_state:STOPPING"),
    (
        ProcessLogged("web", "g", 7, "stderr", "né\n".encode()),
        "PROCESS_LOG_STDERR",
        f"{HEAD} pid:7 channel:stderr\nné\n",
    ),
    (
        ProcessLogged("web", "g", 7, "stdout", b"\xff"),
        "PROCESS_LOG_STDOUT",
        f"{HEAD} pid:7 channel:stdout\nUndecodable: b'\\xff'",
    ),
    (
        ProcessCommunicated("web", "g", 7, "stdout", b"hello"),
        "PROCESS_COMMUNICATION_STDOUT",
        f"{HEAD} pid:7\nhello",
    ),
    (RemoteCommunication("t", "d"), "REMOTE_COMMUNICATION", "type:t\nd"),
    (SupervisorStateChanged(), "SUPERVISOR_STATE_CHANGE_RUNNING", ""),
    (SupervisorStateChanged(stopping=True), "SUPERVISOR_STATE_CHANGE_STOPPING", ""),
    (Tick(5, 1_700_000_005), "TICK_5", "when:1700000005"),
    (GroupChanged("g", added=True), "PROCESS_GROUP_ADDED", "groupname:g\n"),
    (GroupChanged("g", added=False), "PROCESS_GROUP_REMOVED", "groupname:g\n"),
]


@pytest.mark.parametrize(("event", "name", "payload"), ROWS, ids=[row[1] for row in ROWS])
def test_name_and_payload(event: Event, name: str, payload: str) -> None:
    """Single blanks, this order, and a newline only where the original has one."""
    assert event.name == name
    assert event.payload == payload
    assert name in PARENTS


def test_a_family_ends_in_event() -> None:
    """A subscription to any of these names hears the first."""
    assert family("TICK_60") == ("TICK_60", "TICK", "EVENT")
    assert family("EVENT") == ("EVENT",)
    assert family("PLUGIN_THING") == ("PLUGIN_THING", "EVENT")
