"""Pools: all event listener pools of the daemon, and the numbers of its events.

1. One subscription for all of them: an event gets one serial, whoever hears it, and its text is
   made once.  An event that nobody hears gets none.
2. A pool comes and goes with its group; it hears of its own coming, not of its own going.
3. What a pool that goes has not delivered waits for the next pool of that name, also when the
   daemon itself begins again: `legacy` goes to the next one.
4. `keep` is told of every event that a pool takes and is done with, so that it can be there after a
   death of the daemon.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Protocol

from proctor.core.events import Event, GroupChanged, family
from proctor.core.spec import PoolSpec
from proctor.daemon.group import Group
from proctor.daemon.supervisor import Supervisor
from proctor.duties.pools.dispatcher import Dispatcher
from proctor.duties.pools.judge import Handler
from proctor.duties.pools.pool import Pool

_OWN = "PROCESS_GROUP"

Left = list[tuple[int, str, str]]  # serial, name, payload


class Keep(Protocol):
    """Who writes down what is not delivered yet."""

    def matters(self, eventname: str) -> bool:
        """Whether events of this name are written down at all."""

    def took(self, pool: str, serial: int, eventname: str, payload: str) -> None:
        """A pool has an event to deliver, perhaps for the second time."""

    def done(self, pool: str, serial: int) -> None:
        """It was acknowledged, given up or discarded."""

    def reached(self, serial: int) -> None:
        """An event has got this serial."""


class Pools:
    """Made before any group is.  `load` makes a result handler of its `module:attribute`."""

    def __init__(self, supervisor: Supervisor, load: Callable[[str], Handler], keep: Keep) -> None:
        self.serial = 0
        self.dispatchers: dict[str, Dispatcher] = {}
        self._left: dict[str, Left] = {}
        self._supervisor = supervisor
        self._load = load
        self._keep = keep
        self._hearers: dict[str, tuple[Dispatcher, ...]] = {}
        self._kept: dict[str, bool] = {}
        self._unsubscribe = supervisor.bus.subscribe(self._hear, [_OWN])
        supervisor.on_reshaped = self._reshaped

    def inherit(self, legacy: str) -> None:
        """Go on where an earlier daemon left off; "" is nothing.  Before there are any pools."""
        inherited = json.loads(legacy or "{}")
        self.serial = inherited.get("serial", self.serial)
        self._left.update(inherited.get("left", {}))

    def close(self) -> str:
        """End; answers with the legacy for the next daemon."""
        self._unsubscribe()
        for name, dispatcher in self.dispatchers.items():
            self._leave(name, dispatcher)
        self.dispatchers.clear()
        return json.dumps({"serial": self.serial, "left": self._left})

    def pools(self) -> dict[str, Pool]:
        """The pools by the name of their group, for who wants to know how they do."""
        return {name: dispatcher.pool for name, dispatcher in self.dispatchers.items()}

    def _hear(self, event: Event) -> None:
        if isinstance(event, GroupChanged):
            self._group_changed(event)
        name = event.name
        hearers = self._hearers.get(name)
        if hearers is None:
            hearers = self._hearers[name] = self._who_hears(name)
            self._kept[name] = self._keep.matters(name)
        if hearers:
            serial, self.serial = self.serial, self.serial + 1
            self._keep.reached(serial)
            payload = event.payload
            kept = self._kept[name]
            for dispatcher in hearers:
                if kept:
                    self._keep.took(dispatcher.name, serial, name, payload)
                dispatcher.accept(serial, name, payload)

    def _who_hears(self, name: str) -> tuple[Dispatcher, ...]:
        names = family(name)
        return tuple(each for each in self.dispatchers.values() if _wants(each.spec, names))

    def _group_changed(self, event: GroupChanged) -> None:
        group = self._supervisor.groups.get(event.group)
        if event.added and group is not None and group.spec.pool is not None:
            self._add(group, group.spec.pool)
        elif not event.added and event.group in self.dispatchers:
            self._leave(event.group, self.dispatchers.pop(event.group))
        else:
            return
        self._hearers.clear()
        self._unsubscribe()
        kinds = {kind for each in self.dispatchers.values() for kind in each.spec.events}
        self._unsubscribe = self._supervisor.bus.subscribe(self._hear, {_OWN, *kinds})

    def _add(self, group: Group, spec: PoolSpec) -> None:
        done = partial(self._keep.done, group.name)
        dispatcher = Dispatcher(group, self._supervisor, self._handler(spec), done)
        self.dispatchers[group.name] = dispatcher
        for serial, name, payload in self._left.pop(group.name, ()):
            if not _wants(spec, family(name)):
                done(serial)
                continue
            if self._keep.matters(name):
                self._keep.took(group.name, serial, name, payload)
            dispatcher.accept(serial, name, payload)

    def _handler(self, spec: PoolSpec) -> Handler | None:
        if spec.result_handler is None:
            return None
        try:
            return self._load(spec.result_handler)
        except (ImportError, AttributeError) as error:
            self._supervisor.log.critical(f"cannot load {spec.result_handler}: {error}")
            return None

    def _leave(self, name: str, dispatcher: Dispatcher) -> None:
        left = [(each.serial, each.eventname, each.payload) for each in dispatcher.close()]
        if left:
            self._left[name] = left

    def _reshaped(self, group: Group) -> None:
        if group.name in self.dispatchers:
            self.dispatchers[group.name].take_members(group)


def _wants(spec: PoolSpec, names: tuple[str, ...]) -> bool:
    return not set(spec.events).isdisjoint(names)
