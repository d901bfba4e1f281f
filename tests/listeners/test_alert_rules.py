"""The rules of alerts: histories by hand, and random ones against what must always hold."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from proctor.listeners.alert_rules import Watch
from proctor.listeners.alert_terms import Kind, Notice, Patience, Quiet, Rule
from proctor.listeners.loop import Event

NOON = datetime(2025, 6, 2, 12, 0).timestamp()
PATIENCE = Patience(failures=3, window=100.0, steady=10.0, remind=1000.0)


def moved(state: str, process: str = "web", *, was: str = "X", expected: int = 0) -> Event:
    """A PROCESS_STATE event."""
    end = f" expected:{expected} pid:7" if state == "EXITED" else ""
    payload = f"processname:{process} groupname:{process} from_state:{was}{end}"
    return Event(f"PROCESS_STATE_{state}", payload)


def signalled(sign: str, state: str, text: str = "") -> Event:
    """A REMOTE_COMMUNICATION of a program that watches others."""
    data = f"processname:web groupname:web state:{state}\n{text}"
    return Event("REMOTE_COMMUNICATION", f"type:{sign}\n{data}")


class History:
    """A Watch, and what it told: `12 exited web`."""

    def __init__(self, *rules: Rule, start: float = NOON) -> None:
        self.start = self.now = start
        self.rules = rules or (Rule("alerts", batch=0),)
        self.watch = Watch(self.rules, PATIENCE)

    def at(self, seconds: float, *events: Event) -> History:
        """Let the time come; what rings before it rings in order."""
        while True:
            deadline = self.watch.deadline(self.now)
            if deadline is None or deadline > self.start + seconds:
                break
            self._tell(max(deadline, self.now))
        self.now = self.start + seconds
        for event in events:
            self.watch.heard(event, self.now)
        return self

    def until(self, seconds: float) -> list[str]:
        """Everything that was told up to then."""
        self.told: list[str] = getattr(self, "told", [])
        self.at(seconds)
        self._tell(self.now)
        return self.told

    def _tell(self, now: float) -> None:
        self.now = now
        self.told = getattr(self, "told", [])
        for rule_, notices in self.watch.due(now):
            what = ", ".join(f"{n.kind} {n.process.partition(':')[2]}" for n in notices)
            by = f"{rule_.name}: " if len(self.rules) > 1 else ""
            self.told.append(f"{now - self.start:g} {by}{what}")


def test_a_crash_is_told_once_and_so_is_its_end() -> None:
    """It counts as over when the program has run for a while, not when it was started."""
    history = History().at(0, moved("EXITED")).at(1, moved("STARTING", was="EXITED"))
    assert history.at(2, moved("RUNNING")).until(60) == ["0 exited web", "12 recovered web"]


def test_an_expected_exit_is_no_trouble() -> None:
    """Nobody is told of it; but it ends the trouble that was there before."""
    assert History().at(0, moved("EXITED", expected=1)).until(60) == []
    history = History().at(0, moved("EXITED")).at(5, moved("EXITED", expected=1))
    assert history.until(60) == ["0 exited web", "5 recovered web"]


def test_one_incident_is_told_again_only_when_it_gets_worse() -> None:
    """exited, flapping, FATAL: each once, however often it fails; calm is when it was long ago."""
    history = History()
    for second in range(0, 30, 5):
        history.at(second, moved("EXITED"), moved("STARTING", was="EXITED")).at(second + 1)
        history.at(second + 1, moved("RUNNING"))
    assert history.until(114) == ["0 exited web", "10 flapping web"]
    assert history.until(116)[2:] == ["115 recovered web"]


def test_fatal_after_failed_starts() -> None:
    """A start that fails is tried again without a word, until it flaps or is given up."""
    history = History().at(0, moved("BACKOFF")).at(2, moved("BACKOFF"))
    assert history.until(3) == []
    history.at(4, moved("BACKOFF")).at(5, moved("FATAL"))
    assert history.until(60) == ["4 flapping web", "5 fatal web"]
    history.at(70, moved("STARTING", was="FATAL"), moved("RUNNING"))
    assert history.until(400)[2:] == ["100 recovered web"]


def test_what_fails_for_long_is_told_again() -> None:
    """A job that fails every day is told every day, though nothing ever said it recovered."""
    history = History()
    for day in range(3):
        history.at(day * 86400, moved("EXITED"))
    assert history.until(3 * 86400) == [f"{day * 86400} exited web" for day in range(3)]


def test_a_stop_is_not_a_recovery() -> None:
    """Whoever stops a failing program ends no incident; the next start may."""
    history = History().at(0, moved("EXITED")).at(1, moved("RUNNING"), moved("STOPPING"))
    assert history.at(2, moved("STOPPED")).until(100) == ["0 exited web"]
    history.at(200, moved("STARTING", was="STOPPED"), moved("RUNNING"))
    assert history.until(300) == ["0 exited web", "210 recovered web"]


def test_memory_and_health_are_incidents_of_their_own() -> None:
    """They come as REMOTE_COMMUNICATION and end by `state:ok`, whatever the process does."""
    history = History().at(0, signalled("memory", "bad", "512 MB")).at(1, moved("EXITED"))
    history.at(2, signalled("health", "bad"), signalled("health", "bad"), moved("RUNNING"))
    assert history.until(60) == ["0 memory web", "1 exited web", "2 health web", "12 recovered web"]
    history.at(70, signalled("memory", "ok"), signalled("memory", "ok"), signalled("other", "bad"))
    assert history.until(80)[4:] == ["70 recovered web"]


def test_a_batch_is_one_message() -> None:
    """The window opens with the first notice; what got worse in it is told as the worst."""
    history = History(Rule("alerts", batch=30))
    history.at(0, moved("EXITED")).at(5, moved("EXITED", "api")).at(9, moved("FATAL"))
    history.at(15, moved("STARTING", was="FATAL"), moved("RUNNING"))
    assert history.until(100) == ["30 fatal web, exited api, recovered web"]


def test_quiet_hours() -> None:
    """At night messages wait for the morning, and come as one."""
    late = datetime(2025, 6, 2, 23, 0).timestamp()
    night = Rule("alerts", batch=0, quiet=Quiet(22 * 60, 7 * 60))
    history = History(night, start=late).at(0, moved("EXITED"))
    history.at(60, moved("RUNNING")).at(7200, moved("FATAL", "api"))
    assert history.until(8 * 3600 - 1) == []
    assert history.until(8 * 3600 + 1) == ["28800 exited web, recovered web, fatal api"]
    assert history.at(9 * 3600, moved("FATAL", "db")).until(10 * 3600)[1:] == ["32400 fatal db"]


def test_quiet_hours_of_a_day() -> None:
    """Spans within a day and over midnight; their end is not quiet any more."""
    siesta, night = Quiet(12 * 60, 13 * 60), Quiet(22 * 60, 7 * 60)
    day = [datetime(2025, 6, 2, hour).timestamp() for hour in range(24)]
    assert [hour for hour in range(24) if siesta.ends(day[hour])] == [12]
    assert [hour for hour in range(24) if not night.ends(day[hour])] == list(range(7, 22))
    assert night.ends(day[3]) == day[7]
    assert night.ends(day[22]) == day[7] + 86400


def test_rules_choose_by_name_group_and_kind() -> None:
    """Every rule that fits tells; patterns fit names, groups or both."""
    rules = Rule("all", batch=0), Rule("web", ("w?b",), frozenset({Kind.FATAL}), batch=0)
    history = History(*rules, Rule("none", ("api:*", "*:other"), batch=0))
    history.at(0, moved("EXITED"), moved("FATAL"), moved("FATAL", "db"))
    assert history.until(9) == ["0 all: fatal web, fatal db", "0 web: fatal web"]
    pair = Rule("x", ("pair:*_1",))
    assert [pair.covers(name) for name in ("pair:p_1", "pair:p_2", "p_1:p_1")] == [
        True,
        False,
        False,
    ]


def test_only_those_who_were_told_hear_of_the_end() -> None:
    """A rule for FATAL is silent about the end of a crash it never told."""
    history = History(Rule("x", kinds=frozenset({Kind.FATAL, Kind.RECOVERED}), batch=0))
    assert history.at(0, moved("EXITED"), moved("RUNNING")).until(60) == []


def test_a_removed_group_is_forgotten() -> None:
    """Its trouble has no end that could be told."""
    history = History().at(0, moved("EXITED"), Event("PROCESS_GROUP_REMOVED", "groupname:web\n"))
    assert history.at(1, moved("RUNNING")).until(60) == ["0 exited web"]


def test_a_notice_knows_uptime_restarts_and_failures() -> None:
    """Restarts are counted since somebody started it by hand."""
    watch = Watch([Rule("x", batch=60)], PATIENCE)
    for second, event in enumerate(
        [moved("STARTING", was="STOPPED"), moved("RUNNING"), moved("EXITED"),
         moved("STARTING", was="EXITED"), moved("RUNNING"), moved("EXITED")]
    ):  # fmt: skip
        watch.heard(event, NOON + second)
    (notice,) = watch.unasked()
    assert (notice.uptime, notice.restarts, notice.count) == (2.0, 0, 2)


def test_what_was_heard_late_has_no_uptime() -> None:
    """When it happened is not known; what is heard in time afterwards has one."""
    watch = Watch([Rule("x", batch=0)], PATIENCE)
    watch.found_started("web:web", NOON - 3)
    for event in (moved("STARTING"), moved("RUNNING"), moved("EXITED")):
        watch.heard(event, NOON, late=True)
    watch.heard(moved("STARTING", "api"), NOON)
    watch.heard(moved("EXITED", "api"), NOON + 9)
    assert [(n.process, n.uptime) for n in watch.unasked()] == [("web:web", None), ("api:api", 9)]


def test_a_verdict_is_no_failure() -> None:
    """FATAL, found or heard, is not counted beside the exits that led to it."""
    watch = Watch([Rule("x", batch=60)], PATIENCE)
    watch.found_fatal("web:web", NOON)
    for state in ("BACKOFF", "BACKOFF", "FATAL"):
        watch.heard(moved(state), NOON, late=True)
    (notice,) = watch.unasked()
    assert (notice.kind, notice.count) == (Kind.FATAL, 2)


def test_a_clock_that_was_set_back_delays_nothing() -> None:
    """What waited since noon goes out within a window of the time that is now said to be."""
    watch = Watch([Rule("x", batch=30)], PATIENCE)
    watch.heard(moved("EXITED"), NOON)
    assert watch.due(NOON - 7200) == []
    assert watch.deadline(NOON - 7200) == NOON - 7200 + 30


def test_what_was_found_at_the_start() -> None:
    """A listener that missed events tells of FATAL, and ends what is over."""
    watch = Watch([Rule("x", batch=0)], PATIENCE)
    watch.found_fatal("api:api", NOON)
    watch.found_fatal("api:api", NOON)
    watch.found_running("web:web", NOON - 50, NOON)
    watch.heard(moved("EXITED"), NOON)
    ((_, notices),) = watch.due(NOON)
    assert [(n.kind, n.uptime) for n in notices] == [("fatal", None), ("exited", 50)]
    watch.found_running("api:api", NOON, NOON)
    assert watch.deadline(NOON) == NOON + PATIENCE.steady


class Always(RuleBasedStateMachine):
    """Whatever happens, in whatever order, also over restarts of the listener."""

    def __init__(self) -> None:
        super().__init__()
        self.ours = [
            Rule("all", batch=5),
            Rule("night", ("a*",), batch=0, quiet=Quiet(12 * 60, 13 * 60)),
        ]
        self.watch = Watch(self.ours, PATIENCE)
        self.now = NOON
        self.told: list[Notice] = []
        self.troubles: Counter[str] = Counter()

    @rule(
        state=st.sampled_from(("STARTING", "RUNNING", "EXITED", "BACKOFF", "FATAL", "STOPPED")),
        process=st.sampled_from(("a", "b")),
        expected=st.sampled_from((0, 1)),
    )
    def something_happens(self, state: str, process: str, expected: int) -> None:
        """An event of any kind."""
        self.watch.heard(moved(state, process, expected=expected), self.now)
        if state == "FATAL" or (state == "EXITED" and not expected):
            self.troubles[process] += 1

    @rule(seconds=st.sampled_from((0.5, 3, 11, 200, 5000)))
    def time_passes(self, seconds: float) -> None:
        """The clock goes on, and what is due is told."""
        self.now += seconds
        for rule_, notices in self.watch.due(self.now):
            assert rule_.quiet is None or rule_.quiet.ends(self.now) is None
            self.told += notices

    @rule()
    def the_listener_dies(self) -> None:
        """Nothing is forgotten by way of the disk."""
        saved = json.loads(json.dumps(self.watch.as_data()))
        again = Watch(self.ours, PATIENCE, saved)
        assert json.dumps(again.as_data()) == json.dumps(self.watch.as_data())
        self.watch = again

    @invariant()
    def it_wakes_up_only_to_do_something(self) -> None:
        """At its deadline it tells or settles something; without one there is nothing to tell."""
        deadline = self.watch.deadline(self.now)
        if deadline is None:
            assert not self.watch.unasked()

    @invariant()
    def an_end_follows_a_beginning(self) -> None:
        """For each rule and process, never two recoveries without a trouble between them."""
        last: dict[tuple[str, str], str] = {}
        for notice in self.told:
            if notice.kind == Kind.RECOVERED:
                assert last.get((notice.rule, notice.process)) not in (None, Kind.RECOVERED)
            last[notice.rule, notice.process] = notice.kind

    def teardown(self) -> None:
        """Nobody whose program failed was left untold."""
        self.now += 86400
        for _ in range(3):
            deadline = self.watch.deadline(self.now)
            self.now = max(self.now, deadline or 0)
            self.told += [n for _, notices in self.watch.due(self.now) for n in notices]
        heard = {notice.process.partition(":")[0] for notice in self.told if notice.rule == "all"}
        assert {name for name, count in self.troubles.items() if count} <= heard


TestAlways = Always.TestCase
TestAlways.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
