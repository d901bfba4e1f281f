"""The trial before an upgrade: could this version go on with what that daemon has?

It runs in a process of its own, with a copy of the state on its stdin; nothing it does reaches the
daemon.  What it tells is one line: the version that is installed.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import time
from collections.abc import Iterable, Iterator

import proctor
from proctor.core.fingerprint import fingerprint
from proctor.core.lifecycle import Lifecycle
from proctor.core.spec import ProcessSpec
from proctor.posix.slots import SIZE
from proctor.survival.memory import NAME, remembered
from proctor.survival.snapshot import Record, go_on_alone, go_on_with_child

# What a daemon may load; not what is a process of its own.
_OURS = (
    "keeper", "core", "config", "posix", "daemon", "duties", "survival", "api", "web", "runtime",
)  # fmt: skip


class CannotGoOn(Exception):
    """This version could not take over; the text says why."""


def rehearse(state: bytes, specs: Iterable[ProcessSpec]) -> None:
    """Load everything, read the state, and go on with it in thought, for the processes that are
    configured.

    Raises CannotGoOn, and whatever a module raises.
    """
    for name in _modules():
        importlib.import_module(name)
    written = [state[place : place + SIZE] for place in range(0, len(state), SIZE)]
    fd = os.memfd_create("proctor-rehearsal")
    os.write(fd, state)
    records = remembered({NAME: fd})
    if len(records) != sum(bool(each.strip()) for each in written):
        raise CannotGoOn("it cannot read the states that this daemon has written down")
    for spec in specs:
        record = records.get(f"{spec.group}:{spec.name}")
        if record is not None:
            _go_on(record, spec)


def _go_on(record: Record, spec: ProcessSpec) -> None:
    """As recover.py would, with its child and without; nobody does what is left to do then."""
    now = time.monotonic()
    go_on_alone(record, Lifecycle(spec), now)
    if record.pid:
        lifecycle = Lifecycle(spec)
        go_on_with_child(record, lifecycle, record.pid, record.at, signalled=None, now=now)
    fingerprint(spec)


def _modules() -> Iterator[str]:
    for name in _OURS:
        module = importlib.import_module(f"{proctor.__name__}.{name}")
        yield module.__name__
        if hasattr(module, "__path__"):
            for found in pkgutil.walk_packages(module.__path__, f"{module.__name__}."):
                # A door that runs when it is loaded is none of ours.
                if not found.name.endswith("__main__"):
                    yield found.name
