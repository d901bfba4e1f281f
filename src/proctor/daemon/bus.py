"""EventBus: who wants to hear of what.

Subscribers are called in the order in which they subscribed, inside the step that publishes; they
must not block.  One that raises is reported and the others still hear the event.  Nothing is
computed for an event nobody hears: ask `wants` before making an expensive one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from proctor.core.events import Event, family

Hear = Callable[[Event], None]


class EventBus:
    """Publish and subscribe.  `report` is told, in one line, of a subscriber that raised."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._watchers: list[Callable[[], None]] = []
        self._subscriptions: dict[int, tuple[Hear, frozenset[str]]] = {}
        self._next = 0
        # Event name -> its subscribers; forgotten whenever somebody comes or goes.
        self._heard_by: dict[str, tuple[Hear, ...]] = {}

    def subscribe(self, callback: Hear, kinds: Iterable[str]) -> Callable[[], None]:
        """Hear every event of these names and their descendants, each once (gotcha G18).

        Answers with the function that ends the subscription.
        """
        number, self._next = self._next, self._next + 1
        self._subscriptions[number] = (callback, frozenset(kinds))
        self._heard_by.clear()
        self._changed()

        def unsubscribe() -> None:
            self._subscriptions.pop(number, None)
            self._heard_by.clear()
            self._changed()

        return unsubscribe

    def when_changed(self, callback: Callable[[], None]) -> None:
        """Be told whenever somebody came or went: there may be something to begin or to end."""
        self._watchers.append(callback)

    def wants(self, name: str) -> bool:
        """Whether anybody would hear an event of this name."""
        return bool(self._hearers(name))

    def publish(self, event: Event) -> None:
        """Tell everybody who wants to hear it."""
        for hear in self._hearers(event.name):
            try:
                hear(event)
            except (
                Exception
            ) as error:  # a subscriber's bug must not stop a process from being minded
                self._report(f"cannot handle {event.name}: {error!r}")

    def _changed(self) -> None:
        for callback in self._watchers:
            callback()

    def _hearers(self, name: str) -> tuple[Hear, ...]:
        known = self._heard_by.get(name)
        if known is None:
            names = frozenset(family(name))
            known = tuple(hear for hear, kinds in self._subscriptions.values() if kinds & names)
            self._heard_by[name] = known
        return known
