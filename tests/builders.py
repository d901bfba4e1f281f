"""Specs and a whole heart in one line: what a test needs to begin."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fakes import FakeDrain, FakeHost
from proctor.core.events import Event, ProcessStateChanged
from proctor.core.settings import DaemonSettings
from proctor.core.spec import (
    AutoRestart,
    GroupSpec,
    LogKind,
    OutputPolicy,
    ProcessSpec,
    StartPolicy,
    StopPolicy,
)
from proctor.daemon.activity_log import ActivityLog, Level
from proctor.daemon.bus import EventBus
from proctor.daemon.process import Process
from proctor.daemon.supervisor import Supervisor
from proctor.daemon.surroundings import Dialogue

SETTINGS = DaemonSettings(logfile=None, pidfile="/nowhere/pid", childlogdir="/nowhere")
NO_LOG = OutputPolicy(kind=LogKind.NONE)


def a_process(name: str = "web", group: str | None = None, **options: Any) -> ProcessSpec:
    """A process; options are named as in a configuration: `startsecs=0, autorestart="true"`.

    It has no log files and runs /bin/sh unless the options say otherwise; the default is not to
    start by itself.
    """
    options.setdefault("autostart", False)
    options.setdefault("command", "/bin/sh")
    if "autorestart" in options:
        options["autorestart"] = AutoRestart(options["autorestart"])
    start = StartPolicy(**_take(options, StartPolicy))
    stop = StopPolicy(**_take(options, StopPolicy))
    options.setdefault("stdout", NO_LOG)
    options.setdefault("stderr", NO_LOG)
    return ProcessSpec(name=name, group=group or name, start=start, stop=stop, **options)


def a_group(name: str, *processes: ProcessSpec, priority: int = 999) -> GroupSpec:
    """A group of these processes, whatever group they named before."""
    members = tuple(dataclasses.replace(process, group=name) for process in processes)
    return GroupSpec(name=name, priority=priority, processes=members)


def _take(options: dict[str, Any], policy: type) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(policy)]
    return {name: options.pop(name) for name in names if name in options}


class Heart:
    """A Supervisor on a fake machine, with everything it said written down."""

    def __init__(
        self,
        *specs: ProcessSpec | GroupSpec,
        settings: DaemonSettings = SETTINGS,
        dialogue: Dialogue | None = None,
    ) -> None:
        self.host = FakeHost()
        self.drain = FakeDrain(self.host)
        self.lines: list[str] = []
        self.log = ActivityLog(Level.DEBUG, self.host.wall)
        self.log.attach(lambda line: self.lines.append(line.decode()[24:].rstrip("\n")))
        self.bus = EventBus(self.log.error)
        self.events: list[Event] = []
        self.bus.subscribe(self.events.append, ["EVENT"])
        self.supervisor = Supervisor(
            self.host, self.drain, self.log, self.bus, settings, dialogue=dialogue
        )
        for spec in specs:
            self.add(spec)

    def add(self, spec: ProcessSpec | GroupSpec) -> Process:
        """Add a group, or a process in a group of its own name; answers with the first process."""
        if isinstance(spec, ProcessSpec):
            spec = GroupSpec(name=spec.group, priority=spec.priority, processes=(spec,))
        group = self.supervisor.add_group(spec)
        return next(iter(group.processes.values()))

    def process(self, key: str) -> Process:
        """The process `group:name`, or `name` when both are the same."""
        group, _, name = key.partition(":")
        return self.supervisor.groups[group].processes[name or group]

    def start(self, key: str) -> None:
        """Start it and let the machine settle."""
        self.supervisor.start(self.process(key))
        self.host.settle()

    def stop(self, key: str) -> None:
        """Stop it and let the machine settle."""
        self.supervisor.stop(self.process(key))
        self.host.settle()

    def states(self, name: str) -> str:
        """Every state the process went to, in words."""
        changes = (event for event in self.events if isinstance(event, ProcessStateChanged))
        return " ".join(change.state.name for change in changes if change.process == name)

    def said(self, text: str) -> list[str]:
        """The lines of the activity log that contain `text`."""
        return [line for line in self.lines if text in line]


@contextmanager
def a_heart(
    *specs: ProcessSpec | GroupSpec,
    settings: DaemonSettings = SETTINGS,
    dialogue: Dialogue | None = None,
) -> Iterator[Heart]:
    """A Heart whose pipes are closed afterwards."""
    heart = Heart(*specs, settings=settings, dialogue=dialogue)
    try:
        yield heart
    finally:
        heart.host.close()
