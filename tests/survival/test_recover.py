"""Which child goes on as which process, on a fake machine."""

from __future__ import annotations

import os

from builders import a_heart, a_process
from proctor.core.exits import ExitStatus
from proctor.core.plan import ChildPipes
from proctor.core.states import ProcessState
from proctor.daemon.host import ChildSink
from proctor.posix.loop_host import HeldChild, Holdings
from proctor.survival.recover import recover


def held(pid: int, status: ExitStatus | None = None) -> HeldChild:
    out, err = (os.open(os.devnull, os.O_RDONLY) for _ in range(2))
    return HeldChild("web:web", pid, "", ChildPipes(None, out, err), 0.0, status, 1.0)


def test_of_two_children_of_one_name_the_living_one_goes_on() -> None:
    """The end of the other was not acknowledged in time; that is no reason to stop this one."""
    attached: list[int] = []

    def attach(child: HeldChild, sink: ChildSink) -> None:
        attached.append(child.pid)
        if child.status is not None:
            sink.exited(child.status, child.ended)

    with a_heart(a_process("web")) as heart:
        holdings = Holdings((held(11, ExitStatus(code=1)), held(12)))
        recover(holdings, heart.supervisor, heart.host, attach, heart.log)
        heart.host.settle()
        assert heart.process("web").pid == 12
        assert heart.process("web").state is ProcessState.STARTING
        assert sorted(attached) == [11, 12]
        assert heart.host.signals == []
        assert heart.host.acknowledged == [("web:web", 11)]
