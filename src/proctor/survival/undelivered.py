"""Undelivered: events that no listener has acknowledged yet, where a kill -9 does not reach them.

1. Those that are rare and matter: of states, groups, the daemon, and messages of clients.  Output,
   captured messages and ticks come by the thousand and are worth less than it would cost.
2. An event is there from the moment in which a pool takes it until it was acknowledged, given up or
   discarded.  One that was on its way goes to a listener of the next daemon.
3. At most MOST events of at most a slot each; what is beyond that is as mortal as the daemon.
4. No serial comes twice: the next daemon begins with one that this one has not reached.

The file is held by the keeper, as in memory.py.
"""

from __future__ import annotations

import json
import os

from proctor.core.events import family
from proctor.daemon.shelf import Shelf
from proctor.posix.slots import SIZE, Slots

NAME = "undelivered"
MOST = 4096
# How far ahead of the serials in use the one is that the next daemon begins with.
AHEAD = 1000
_MORTAL = frozenset({"PROCESS_LOG", "PROCESS_COMMUNICATION", "TICK"})
_SERIAL = "serial"


def undelivered(shelf: Shelf) -> str:
    """What the daemon before this one had not delivered, as the legacy that `Pools` inherits; ""
    after an orderly end."""
    fd = shelf.take(NAME)
    if fd is None:
        return ""
    records = [_read(data) for data in Slots(fd).read()]
    os.close(fd)
    serial = next((record for record in records if isinstance(record, int)), 0)
    left: dict[str, list[list[object]]] = {}
    for pool, *event in sorted(record for record in records if isinstance(record, list)):
        left.setdefault(str(pool), []).append(list(event))
    return json.dumps({"serial": serial, "left": left})


class Undelivered:
    """Writes down what pools have and have not delivered.  `begin` it when they have taken what
    was left."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._slots = Slots() if shelf.outlives_us else None
        self._known: set[tuple[str, int]] = set()
        self._reserved = 0

    def begin(self) -> None:
        """Let the keeper hold it, instead of what was there before."""
        if self._slots is not None:
            self._shelf.put(NAME, self._slots.fd)

    def end(self) -> None:
        """There is an heir, or there need be none."""
        if self._slots is not None:
            self._shelf.remove(NAME)
            self._slots.close()
            self._slots = None

    def matters(self, eventname: str) -> bool:
        """Whether events of this name are kept."""
        return self._slots is not None and _MORTAL.isdisjoint(family(eventname))

    def took(self, pool: str, serial: int, eventname: str, payload: str) -> None:
        """A pool has an event to deliver."""
        if self._slots is None:
            return
        record = json.dumps([pool, serial, eventname, payload]).encode()
        if len(record) <= SIZE and len(self._known) < MOST:
            self._known.add((pool, serial))
            self._slots.write(_key(pool, serial), record)

    def done(self, pool: str, serial: int) -> None:
        """It has, or has given it up."""
        if self._slots is not None and (pool, serial) in self._known:
            self._known.discard((pool, serial))
            self._slots.free(_key(pool, serial))

    def reached(self, serial: int) -> None:
        """An event has got this number."""
        if serial >= self._reserved and self._slots is not None:
            self._reserved = serial + AHEAD
            self._slots.write(_SERIAL, json.dumps(self._reserved).encode())


def _read(data: bytes) -> list[str | int] | int | None:
    """An event as `took` wrote it, or the serial; None for what is neither, of another version
    perhaps: it keeps no daemon from starting.
    """
    try:
        match json.loads(data):
            case int(serial) | [str(), int(serial), str(), str()] as record if serial >= 0:
                return record
    except ValueError:
        pass
    return None


def _key(pool: str, serial: int) -> str:
    return f"{pool}:{serial}"
