"""kill_mode=tree: a process has ended when all that came from it has."""

from __future__ import annotations

from typing import Any

from builders import Heart, a_heart, a_process
from proctor.api.views import describe
from proctor.core.spec import ProcessSpec
from proctor.core.states import ProcessState as S

KEY = "web:web"
INT, KILL, TERM = 2, 9, 15


def a_tree(**options: Any) -> ProcessSpec:
    """A process whose whole tree is minded, as configured by kill_mode=tree."""
    chosen: dict[str, Any] = {
        "tree": True,
        "stopasgroup": True,
        "killasgroup": True,
        "startsecs": 0,
        **options,
    }
    return a_process("web", **chosen)


def leaves(heart: Heart, *end_by: int) -> None:
    """From now on its child leaves a worker, which these signals end."""
    behaviour = heart.host.behaviour(KEY)
    behaviour.leaves, behaviour.leaves_end_by = ["7 (worker)"], frozenset(end_by)


def test_a_crash_is_told_when_what_it_left_has_ended() -> None:
    """What is left gets the stop signal; the crash is told and the restart follows after that."""
    with a_heart(a_tree(stopsignal=INT, stopwaitsecs=5, autorestart="true")) as heart:
        heart.start("web")
        leaves(heart, KILL)
        heart.host.dies(KEY, code=1)
        assert heart.host.tree_signals == [(0.0, INT)]
        heart.host.until(4.9)
        assert heart.states("web") == "STARTING RUNNING"
        heart.host.until(5)
        assert heart.host.tree_signals == [(0.0, INT), (5.0, KILL)]
        assert heart.states("web") == "STARTING RUNNING EXITED STARTING RUNNING"
        assert heart.host.next_timer() is None


def test_a_stop_asks_all_of_them_at_once() -> None:
    """Who came from it is not asked a second time, and has stopwaitsecs from the stop on."""
    with a_heart(a_tree(stopwaitsecs=5)) as heart:
        heart.start("web")
        heart.host.until(10)
        leaves(heart, KILL)
        heart.stop("web")
        assert heart.host.tree_signals == [(10.0, TERM), (10.0, 0)]
        assert heart.process("web").state is S.STOPPING
        heart.host.until(15)
        assert heart.host.tree_signals[2:] == [(15.0, KILL)]
        assert heart.process("web").state is S.STOPPED


def test_with_stopasgroup_false_the_process_is_asked_first() -> None:
    """The others when it has ended."""
    with a_heart(a_tree(stopasgroup=False)) as heart:
        heart.start("web")
        leaves(heart, TERM)
        heart.stop("web")
        assert heart.host.signals == [(KEY, 101, TERM, False)]
        assert heart.host.tree_signals == [(0.0, TERM)]
        assert heart.process("web").state is S.STOPPED


def test_who_cannot_be_ended_is_named() -> None:
    """Killed three times, a second apart; then it is given up, in the log and in `status`."""
    with a_heart(a_tree(stopwaitsecs=1)) as heart:
        heart.start("web")
        leaves(heart)
        heart.stop("web")
        heart.host.until(60)
        assert heart.host.tree_signals[2:] == [(1.0, KILL), (2.0, KILL), (3.0, KILL), (4.0, 0)]
        assert heart.process("web").state is S.STOPPED
        assert heart.said("could not end") == [
            "WARN 'web:web' left running, could not end: 7 (worker)"
        ]
        assert describe(heart.process("web"), 0).endswith(", left running: 7 (worker)")
        heart.start("web")
        assert "left running" not in describe(heart.process("web"), 0)


def test_a_stop_during_the_clean_up_after_a_crash() -> None:
    """It has been asked for what is happening already: STOPPED, and no restart."""
    with a_heart(a_tree(stopwaitsecs=5, autorestart="true")) as heart:
        heart.start("web")
        leaves(heart, KILL)
        heart.host.dies(KEY, code=1)
        heart.stop("web")
        assert heart.process("web").state is S.STOPPING
        heart.host.until(60)
        assert heart.states("web") == "STARTING RUNNING STOPPING STOPPED"


def test_its_output_is_read_to_the_end_after_they_have_ended() -> None:
    """What they wrote while they were ended is in the log before anybody hears of the end."""
    with a_heart(a_tree(stopwaitsecs=5)) as heart:
        heart.start("web")
        channel = heart.drain.of(KEY)
        leaves(heart, KILL)
        heart.stop("web")
        assert not channel.finished
        heart.host.until(5)
        assert channel.finished
