"""Event listeners in configurations, and what the one that records has read."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from support.daemon import Daemon
from support.waiting import until

RECORDER = Path(__file__).with_name("recorder.py")


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as a listener read it: the header line and the payload."""

    header: str
    payload: str

    @property
    def fields(self) -> dict[str, str]:
        """The header's."""
        return dict(word.split(":", 1) for word in self.header.split())

    @property
    def name(self) -> str:
        """Its type."""
        return self.fields["eventname"]

    @property
    def serial(self) -> int:
        """The daemon's number for it."""
        return int(self.fields["serial"])


def eventlistener(name: str, command: str, events: str, **options: object) -> str:
    """An [eventlistener:x] section; startsecs is 0 unless given."""
    chosen = {"command": command, "events": events, "startsecs": 0, **options}
    lines = [f"{key}={value}" for key, value in chosen.items()]
    return "\n".join([f"[eventlistener:{name}]", *lines, "", ""])


def recorder(name: str, events: str, *words: str, **options: object) -> str:
    """A listener that runs recorder.py with these words, in the daemon's scratch directory."""
    command = " ".join([sys.executable, str(RECORDER), f"%(here)s/{name}", *words])
    return eventlistener(name, command, events, **options)


def recorded(daemon: Daemon, name: str) -> list[Recorded]:
    """What this listener has read so far, all its children together."""
    lines = daemon.file(f"{name}.events").splitlines()
    return [Recorded(*json.loads(line)) for line in lines if line.endswith("]")]


def until_recorded(daemon: Daemon, name: str, pattern: str, times: int = 1) -> list[Recorded]:
    """Wait until so many events match (`NAME payload` is searched); all that were read by then."""

    def found() -> list[Recorded]:
        events = recorded(daemon, name)
        hits = [one for one in events if re.search(pattern, f"{one.name} {one.payload}")]
        return events if len(hits) >= times else []

    def told() -> str:
        return f"{pattern!r} {times} times in {recorded(daemon, name)}: {daemon.log_text()[-2000:]}"

    return until(found, told)


def open_gate(daemon: Daemon, name: str) -> None:
    """Let a `gate` or `late` listener go on."""
    (daemon.directory / f"{name}.gate").touch()
