"""Which events are worth a message, to whom, and when.  Nothing here has a clock or does anything.

1. An incident is the trouble of one process, from its first failure until it has been steady.  A
   rule tells it once, again only when it gets worse (exited, flapping, FATAL) or when it fails
   still after `remind` seconds; and once that it is over, to those who were told that it began.
2. What is to be told waits for the batch window of its rule; in quiet hours, for their end.
3. Everything can be written to a file between any two calls and read again: `as_data`.

Times are seconds since the epoch.  A clock that was set back delays nothing: see `due`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, field, replace
from typing import Any

from proctor.core.values import dataclass
from proctor.listeners.alert_terms import LIFE, Kind, Notice, Patience, Rule
from proctor.listeners.loop import Event

_WEIGHT = {Kind.EXITED: 1, Kind.FLAPPING: 2, Kind.FATAL: 3, Kind.MEMORY: 1, Kind.HEALTH: 1}
_SIGNS = {"memory": Kind.MEMORY, "health": Kind.HEALTH}


@dataclass(slots=True)
class _Incident:
    since: float
    count: int = 0
    # When it began to run again; None while it does not.
    running: float | None = None
    # Rule -> weight of what was told, and when.
    told: dict[str, tuple[int, float]] = field(default_factory=dict)


@dataclass(slots=True)
class _Record:
    """What is remembered of a process."""

    started: float | None = None
    restarts: int = 0
    failures: list[float] = field(default_factory=list)
    incidents: dict[str, _Incident] = field(default_factory=dict)


class Watch:
    """Hears events, answers with batches of notices."""

    def __init__(
        self, rules: Iterable[Rule], patience: Patience, saved: Mapping[str, Any] | None = None
    ) -> None:
        """`saved` is what `as_data` gave; raises ValueError, TypeError or KeyError if it is not."""
        self._rules = {rule.name: rule for rule in rules}
        self._patience = patience
        self._records: dict[str, _Record] = {}
        self._notices: list[Notice] = []
        if saved is not None:
            self._notices = [Notice(**each) for each in saved["notices"]]
            self._notices = [each for each in self._notices if each.rule in self._rules]
            self._records = {name: _record(one) for name, one in saved["records"].items()}

    def as_data(self) -> dict[str, object]:
        """All that must not be forgotten, as plain data."""
        kept = {name: one for name, one in self._records.items() if one.incidents or one.failures}
        return {
            "records": {name: asdict(record) for name, record in kept.items()},
            "notices": [asdict(notice) for notice in self._notices],
        }

    # What happens

    def found_running(self, process: str, start: float, now: float) -> None:
        """It runs since `start`, which may have been before anybody listened."""
        self.found_started(process, start)
        record = self._records[process]
        incident = record.incidents.get(LIFE)
        if incident and incident.running is None:
            incident.running = now

    def found_started(self, process: str, start: float) -> None:
        """Its last start was then; whether it runs is not known."""
        self._records.setdefault(process, _Record()).started = start

    def found_fatal(self, process: str, now: float) -> None:
        """It is FATAL, perhaps since before anybody listened."""
        if LIFE not in self._records.get(process, _Record()).incidents:
            self._trouble(process, LIFE, [Kind.FATAL], now)

    def heard(self, event: Event, now: float, *, late: bool = False) -> bool:
        """Take an event in.  False when it changed nothing that must be saved.

        `late`: it happened some time before now, nobody knows when.
        """
        fields = event.fields
        if event.name == "REMOTE_COMMUNICATION":
            return self._signalled(fields.get("type", ""), event.payload.partition("\n")[2], now)
        if event.name == "PROCESS_GROUP_REMOVED":
            return self._forget(f"{fields.get('groupname')}:")
        if not event.name.startswith("PROCESS_STATE_") or "processname" not in fields:
            return False
        process = f"{fields['groupname']}:{fields['processname']}"
        if not self._covering(process):
            return False
        state = event.name.removeprefix("PROCESS_STATE_")
        record = self._records.setdefault(process, _Record())
        if late and state in ("EXITED", "BACKOFF"):
            record.started = None
        elif state == "STARTING" and not late:
            record.started = now
        return self._moved(process, record, state, fields, now)

    def _moved(
        self, process: str, record: _Record, state: str, fields: Mapping[str, str], now: float
    ) -> bool:
        incident = record.incidents.get(LIFE)
        if incident:
            incident.running = now if state == "RUNNING" else None
        if state == "STARTING":
            record.restarts = 0 if fields["from_state"] == "STOPPED" else record.restarts + 1
        elif state == "EXITED" and fields.get("expected") == "1":
            self._recovered(process, LIFE, now)
        elif state in ("EXITED", "BACKOFF"):
            flaps = self._failed(record, now)
            kinds = [Kind.FLAPPING] if flaps else []
            # A start that failed is tried again, and told when it is given up.
            kinds += [Kind.EXITED] if state == "EXITED" else []
            self._trouble(process, LIFE, kinds, now)
            record.started = None
            return True
        elif state == "FATAL":
            self._trouble(process, LIFE, [Kind.FATAL], now)
            return True
        return incident is not None

    def _failed(self, record: _Record, now: float) -> bool:
        """Note a failure; whether it is one too many."""
        fresh = [when for when in record.failures if now - self._patience.window < when <= now]
        record.failures = [*fresh, now][-self._patience.failures :]
        return len(record.failures) >= self._patience.failures

    def _signalled(self, sign: str, text: str, now: float) -> bool:
        """A REMOTE_COMMUNICATION of type memory or health."""
        line, _, detail = text.partition("\n")
        fields = Event("", line).fields
        name = fields.get("processname", "")
        process = f"{fields.get('groupname', name)}:{name}"
        if sign not in _SIGNS or not name or not self._covering(process):
            return False
        if fields.get("state") == "ok":
            self._recovered(process, sign, now)
        else:
            self._trouble(process, sign, [_SIGNS[sign]], now, detail.strip())
        return True

    def _forget(self, prefix: str) -> bool:
        names = [name for name in self._records if name.startswith(prefix)]
        for name in names:
            del self._records[name]
        return bool(names)

    def _covering(self, process: str) -> list[Rule]:
        return [rule for rule in self._rules.values() if rule.covers(process)]

    def _trouble(
        self, process: str, about: str, kinds: list[Kind], now: float, detail: str = ""
    ) -> None:
        """A failure, which may be called by any of `kinds`, the worst first.

        FATAL is a verdict on failures that were counted, no failure more.
        """
        record = self._records.setdefault(process, _Record())
        if not kinds and about not in record.incidents:
            return
        incident = record.incidents.setdefault(about, _Incident(now))
        incident.count += kinds != [Kind.FATAL]
        for notice in self._waiting(process, about):
            notice.count = incident.count
        for rule in self._covering(process):
            kind = next((kind for kind in kinds if kind in rule.kinds), None)
            weight, when = incident.told.get(rule.name, (0, now))
            if kind and (_WEIGHT[kind] > weight or now - when >= self._patience.remind):
                incident.told[rule.name] = max(weight, _WEIGHT[kind]), now
                up = now - record.started if kind is Kind.EXITED and record.started else None
                notice = self._notice(rule, process, about, kind, now)
                self._tell(replace(notice, uptime=up, detail=detail))

    def _recovered(self, process: str, about: str, now: float) -> None:
        record = self._records.get(process, _Record())
        incident = record.incidents.get(about)
        if incident is None:
            return
        for name in incident.told:
            rule = self._rules.get(name)
            if rule and Kind.RECOVERED in rule.kinds:
                notice = self._notice(rule, process, about, Kind.RECOVERED, now)
                self._tell(replace(notice, facts={}))
        del record.incidents[about]

    def _notice(self, rule: Rule, process: str, about: str, kind: Kind, now: float) -> Notice:
        record = self._records[process]
        incident = record.incidents[about]
        return Notice(
            rule.name,
            process,
            kind,
            now,
            now,
            incident.since,
            incident.count,
            record.restarts,
            about,
        )

    def _tell(self, notice: Notice) -> None:
        """Keep it until it is due."""
        waiting = self._waiting(notice.process, notice.about)
        mine = [each for each in waiting if each.rule == notice.rule]
        if mine and Kind.RECOVERED not in (notice.kind, mine[-1].kind):
            # It got worse before anybody was told: then tell just that.
            notice.queued = mine[-1].queued
            self._notices[self._notices.index(mine[-1])] = notice
        else:
            self._notices.append(notice)

    def _waiting(self, process: str, about: str) -> list[Notice]:
        return [each for each in self._notices if (each.process, each.about) == (process, about)]

    # What is to be done

    def unasked(self) -> list[Notice]:
        """Notices about which the daemon should be asked; the answer goes into `facts`."""
        return [notice for notice in self._notices if notice.facts is None]

    def due(self, now: float) -> list[tuple[Rule, list[Notice]]]:
        """What is to be told now; it will not be told again."""
        for process, incident in self._running():
            incident.running = min(incident.running or now, now)
            if self._steady_at(process, incident) <= now:
                self._recovered(process, LIFE, now)
        for notice in self._notices:
            notice.queued = min(notice.queued, now)
        batches = []
        for rule in self._rules.values():
            mine = self._of(rule)
            if mine and self._opens(rule, mine, now) <= now:
                batches.append((rule, mine))
                self._notices = [each for each in self._notices if each.rule != rule.name]
        return batches

    def deadline(self, now: float) -> float | None:
        """When to call `due` again, if nothing else happens; None: not before it does."""
        moments = [self._steady_at(process, incident) for process, incident in self._running()]
        for rule in self._rules.values():
            mine = self._of(rule)
            moments += [self._opens(rule, mine, now)] if mine else []
        return min(moments, default=None)

    def _of(self, rule: Rule) -> list[Notice]:
        return [notice for notice in self._notices if notice.rule == rule.name]

    @staticmethod
    def _opens(rule: Rule, notices: list[Notice], now: float) -> float:
        """When they may be told."""
        quiet = rule.quiet.ends(now) if rule.quiet else None
        return max(notices[0].queued + rule.batch, quiet or 0.0)

    def _running(self) -> Iterator[tuple[str, _Incident]]:
        for process, record in list(self._records.items()):
            incident = record.incidents.get(LIFE)
            if incident and incident.running is not None:
                yield process, incident

    def _steady_at(self, process: str, incident: _Incident) -> float:
        """When it will have run long enough, and what made it flap is long enough ago."""
        failures = self._records[process].failures
        calm = incident.running or 0.0
        if len(failures) >= self._patience.failures:
            calm = max(calm, failures[0] + self._patience.window - self._patience.steady)
        return calm + self._patience.steady


def _record(data: Mapping[str, Any]) -> _Record:
    incidents = {about: _Incident(**one) for about, one in data["incidents"].items()}
    return _Record(data["started"], data["restarts"], data["failures"], incidents)
