"""Event listener pools on a fake machine: tests say what listeners say, and see what they read."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from builders import Heart, a_heart, a_process
from proctor.core.events import RemoteCommunication
from proctor.core.spec import GroupSpec, PoolSpec, ProcessKind, ProcessSpec
from proctor.duties.pools.judge import Handler
from proctor.duties.pools.listener import Listener
from proctor.duties.pools.pools import Pools

READY = b"READY\n"
OK = b"RESULT 2\nOK"
FAIL = b"RESULT 4\nFAIL"


def a_pool(
    name: str, *listeners: ProcessSpec, events: str = "REMOTE_COMMUNICATION", **options: Any
) -> GroupSpec:
    """An [eventlistener:x]; without listeners it has one of its own name, running at once."""
    members = listeners or (a_listener(name),)
    pool = PoolSpec(tuple(events.split(",")), **options)
    return GroupSpec(
        name=name,
        priority=-1,
        kind=ProcessKind.LISTENER,
        processes=tuple(dataclasses.replace(member, group=name) for member in members),
        pool=pool,
    )


def a_listener(name: str, **options: Any) -> ProcessSpec:
    """A listener that is RUNNING as soon as it is spawned, and starts by itself."""
    return a_process(name, **{"startsecs": 0, "autostart": True, **options})


class Ledger:
    """Remembers what pools have to deliver: (pool, serial), in the order in which it came."""

    def __init__(self) -> None:
        self.open: list[tuple[str, int]] = []
        self.serial = -1

    def matters(self, eventname: str) -> bool:
        """All but ticks."""
        return not eventname.startswith("TICK")

    def took(self, pool: str, serial: int, eventname: str, payload: str) -> None:
        """A new one, or an old one that is left."""
        if (pool, serial) not in self.open:
            self.open.append((pool, serial))

    def done(self, pool: str, serial: int) -> None:
        """Once only, and not before it was taken."""
        if (pool, serial) in self.open:
            self.open.remove((pool, serial))

    def reached(self, serial: int) -> None:
        """Each number once."""
        assert serial == self.serial + 1 or self.serial < 0
        self.serial = serial


@dataclass
class PoolsDesk:
    """A heart with pools.  Listeners are named by `group:process`, or by one name for both."""

    heart: Heart
    pools: Pools
    ledger: Ledger
    read: dict[str, str] = field(default_factory=dict)

    def add(self, spec: GroupSpec) -> None:
        """Add a group and start what starts by itself."""
        self.heart.supervisor.autostart(self.heart.supervisor.add_group(spec))
        self.heart.host.settle()

    def says(self, name: str, data: bytes) -> None:
        """A listener writes to its stdout."""
        self.heart.drain.of(_key(name)).says(data)
        self.heart.host.settle()

    def ready(self, *names: str) -> None:
        """These listeners say READY."""
        for name in names:
            self.says(name, READY)

    def send(self, *texts: str) -> None:
        """Publish events with these texts as their data."""
        for text in texts:
            self.heart.bus.publish(RemoteCommunication("test", text))
        self.heart.host.settle()

    def got(self, name: str) -> str:
        """What this listener's current child has read since the last time it was asked."""
        return self.heart.host.children[_key(name)].read_stdin().decode()

    def heard(self, name: str) -> list[str]:
        """The data of the events in it."""
        text, heard = self.got(name), []
        while text:
            header, _, text = text.partition("\n")
            length = int(re.findall(r" len:(\d+)", header)[0])
            heard.append(text[:length].removeprefix("type:test\n"))
            text = text[length:]
        return heard

    def dies(self, name: str) -> None:
        """A listener ends by itself with status 1."""
        self.heart.host.dies(_key(name), code=1)

    def listener(self, name: str) -> Listener:
        """Its place in the pool."""
        group, _, process = _key(name).partition(":")
        (found,) = [one for one in self.pools.dispatchers[group].listeners if one.name == process]
        return found

    def remark(self, name: str) -> str:
        """What `status` says of it beyond its state."""
        return self.listener(name).process.remark()


def _key(name: str) -> str:
    return name if ":" in name else f"{name}:{name}"


def no_plugins(spec: str) -> Handler:
    """There are none."""
    raise ImportError(spec)


@contextmanager
def a_desk(
    *specs: GroupSpec, load: Callable[[str], Handler] = no_plugins, legacy: str = ""
) -> Iterator[PoolsDesk]:
    """A heart with these pools, their listeners spawned."""
    with a_heart() as heart:
        ledger = Ledger()
        desk = PoolsDesk(heart, Pools(heart.supervisor, load, ledger), ledger)
        desk.pools.inherit(legacy)
        for spec in specs:
            desk.add(spec)
        yield desk
