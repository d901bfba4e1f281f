"""A process as the JSON API shows it.  Nothing here changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from proctor.api.room import display_name
from proctor.api.tally import Counts
from proctor.api.views import describe
from proctor.core.exits import signal_name
from proctor.core.states import ProcessState
from proctor.daemon.process import Process

if TYPE_CHECKING:  # with what describes them to people: loaded with the routes of the JSON API
    from proctor.api.documents import LastExit, ProcessView, StateName


def process_view(process: Process, counts: Counts, now: float) -> ProcessView:
    """Everything about one process at `now` (wall time) but what it uses."""
    state = process.state
    return {
        "id": display_name(process),
        "name": process.name,
        "group": process.group_name,
        "kind": process.spec.kind.value,
        # Not the shown one: here is no client that would signal a pid it was not told.
        "state": cast("StateName", state.name),
        "statecode": int(state),
        "pid": process.pid or None,
        "description": "" if state is ProcessState.STARTING else describe(process, now),
        "start": round(process.start_wall, 3) or None,
        "stop": round(process.stop_wall, 3) or None,
        "restarts": counts.restarts,
        "last_exit": _last_exit(counts),
        "spawnerr": process.spawnerr or None,
        "logs": {"stdout": process.logfile("stdout"), "stderr": process.logfile("stderr")},
    }


def _last_exit(counts: Counts) -> LastExit | None:
    status = counts.last
    if status is None:
        return None
    return {
        "code": status.code,
        "signal": None if status.signal is None else signal_name(status.signal),
        "core": status.dumped_core,
        "expected": counts.last_expected,
        "time": round(counts.ended, 3),
        "text": str(status),
    }
