"""/metrics: gauges as text for Prometheus, in three families.

`proctor_*` are ours.  `node_supervisord_*` are those of node_exporter's supervisord collector, and
`supervisor_process_*` with `supervisord_up` those of supervisord_exporter: dashboards and alarms
that were made for these go on.  Source: the text format 0.0.4; the names, types and labels that
these exporters publish.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from proctor.api.gauges import PoolGauges, ProcessGauges, Snapshot
from proctor.core.states import ProcessState

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Theirs: a process that has a pid is up.
_UP = frozenset({ProcessState.STARTING, ProcessState.RUNNING, ProcessState.STOPPING})
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})

Sample = tuple[str, float]


def render(snapshot: Snapshot) -> bytes:
    """All families.  A millisecond for a hundred processes: not for the daemon's loop."""
    labelled = [(_labels(each), each) for each in snapshot.processes]
    parts = (
        *_daemon(snapshot),
        *_ours(labelled),
        *_output(labelled),
        *_usage(labelled, snapshot),
        *_pools(snapshot.pools),
        *_of_node_exporter(labelled),
        *_of_supervisord_exporter(snapshot, labelled),
    )
    return "".join(parts).encode("utf-8", "replace")


Labelled = list[tuple[str, ProcessGauges]]


def _daemon(snapshot: Snapshot) -> Iterator[str]:
    versions = f'version="{snapshot.version}",supervisor_version="{snapshot.supervisor_version}"'
    yield family("proctor_build_info", "gauge", "Versions of the daemon.", [(versions, 1)])
    up = [("", int(snapshot.running))]
    yield family("proctor_up", "gauge", "1 while the daemon runs, 0 while it stops.", up)
    counts = dict.fromkeys(ProcessState, 0)
    for process in snapshot.processes:
        counts[process.state] += 1
    states = [(f'state="{state.name}"', count) for state, count in counts.items()]
    yield family("proctor_processes", "gauge", "Processes in each state.", states)
    followers = [("", snapshot.followers)]
    yield family("proctor_event_followers", "gauge", "Streams of events that are open.", followers)


def _ours(labelled: Labelled) -> Iterator[str]:
    yield family(
        "proctor_process_state", "gauge", "State of the process, by Supervisor's number.",
        [(labels, each.state) for labels, each in labelled],
    )  # fmt: skip
    yield family(
        "proctor_process_start_time_seconds", "gauge", "When its child was started.",
        [(labels, each.start) for labels, each in labelled if each.pid],
    )  # fmt: skip
    yield family(
        "proctor_process_starts_total", "counter", "Children started since the daemon began.",
        [(labels, each.starts) for labels, each in labelled],
    )  # fmt: skip
    yield family(
        "proctor_process_exits_total", "counter", "Ends since the daemon began, by kind.",
        [sample for labels, each in labelled for sample in _exits(labels, each)],
    )  # fmt: skip
    yield family(
        "proctor_process_failures_total", "counter", "Times it became FATAL.",
        [(labels, each.failures) for labels, each in labelled],
    )  # fmt: skip


def _output(labelled: Labelled) -> Iterator[str]:
    streams = [
        (f'{labels},channel="{channel}"', volume)
        for labels, each in labelled
        for channel, volume in each.volumes.items()
    ]
    yield family(
        "proctor_process_output_bytes_total", "counter", "Bytes that it wrote, for its logs.",
        [(labels, volume.written) for labels, volume in streams],
    )  # fmt: skip
    yield family(
        "proctor_process_output_lost_bytes_total", "counter", "Bytes of it that no log would take.",
        [(labels, volume.lost) for labels, volume in streams],
    )  # fmt: skip
    yield family(
        "proctor_process_log_rotations_total", "counter", "Times its log was full and began anew.",
        [(labels, volume.rotations) for labels, volume in streams],
    )  # fmt: skip


def _usage(labelled: Labelled, snapshot: Snapshot) -> Iterator[str]:
    used = [
        (labels, snapshot.usage[each.pid])
        for labels, each in labelled
        if each.pid and each.pid in snapshot.usage
    ]
    yield family(
        "proctor_process_cpu_seconds_total", "counter", "User and system time of its child.",
        [(labels, each.cpu_seconds) for labels, each in used],
    )  # fmt: skip
    yield family(
        "proctor_process_resident_memory_bytes", "gauge", "Memory of its child.",
        [(labels, each.rss) for labels, each in used],
    )  # fmt: skip


def _exits(labels: str, each: ProcessGauges) -> Iterator[Sample]:
    yield f'{labels},kind="expected"', each.expected_exits
    yield f'{labels},kind="unexpected"', each.unexpected_exits
    yield f'{labels},kind="signal"', each.signal_exits


def _pools(pools: Iterable[PoolGauges]) -> Iterator[str]:
    named = [(f'pool="{_escaped(each.name)}"', each) for each in pools]
    yield family(
        "proctor_event_pool_waiting", "gauge", "Events that wait for a listener.",
        [(labels, each.waiting) for labels, each in named],
    )  # fmt: skip
    yield family(
        "proctor_event_pool_overflowed_total", "counter", "Events discarded for newer ones.",
        [(labels, each.overflowed) for labels, each in named],
    )  # fmt: skip
    yield family(
        "proctor_event_pool_dropped_total", "counter", "Events given up after many tries.",
        [(labels, each.dropped) for labels, each in named],
    )  # fmt: skip
    yield family(
        "proctor_event_pool_rejections_total", "counter", "Times that a listener said no.",
        [(labels, each.rejections) for labels, each in named],
    )  # fmt: skip
    yield family(
        "proctor_event_pool_violations_total", "counter", "Breaches of the listener protocol.",
        [(labels, each.violations) for labels, each in named],
    )  # fmt: skip


def _of_node_exporter(labelled: Labelled) -> Iterator[str]:
    yield family(
        "node_supervisord_up", "gauge", "Process Up",
        [(labels, int(each.state in _UP)) for labels, each in labelled],
    )  # fmt: skip
    yield family(
        "node_supervisord_state", "gauge", "Process State",
        [(labels, each.state) for labels, each in labelled],
    )  # fmt: skip
    yield family(
        "node_supervisord_exit_status", "gauge", "Process Exit Status",
        [(labels, each.exit_number) for labels, each in labelled],
    )  # fmt: skip
    yield family(
        "node_supervisord_start_time_seconds", "counter", "Process start time",
        [(labels, int(each.start)) for labels, each in labelled if each.state in _UP],
    )  # fmt: skip


def _of_supervisord_exporter(snapshot: Snapshot, labelled: Labelled) -> Iterator[str]:
    up = [("", int(snapshot.running))]
    yield family("supervisord_up", "gauge", "Whether supervisord answers.", up)
    running = [(labels, each) for labels, each in labelled if each.state is ProcessState.RUNNING]
    yield family(
        "supervisor_process_info", "gauge", "Supervisor process information",
        [
            (
                f'{labels},state="{each.state.name}",exit_status="{each.exit_number}"',
                int(each.state is ProcessState.RUNNING),
            )
            for labels, each in labelled
        ],
    )  # fmt: skip
    yield family(
        "supervisor_process_uptime", "gauge", "Uptime of Supervisor processes",
        [(labels, max(0, int(snapshot.now - each.start))) for labels, each in running],
    )  # fmt: skip


def family(name: str, kind: str, text: str, samples: Iterable[Sample]) -> str:
    """One metric with all its samples; nothing without samples."""
    lines = [
        f"{name}{{{labels}}} {_number(value)}\n" if labels else f"{name} {_number(value)}\n"
        for labels, value in samples
    ]
    head = f"# HELP {name} {text}\n# TYPE {name} {kind}\n"
    return head + "".join(lines) if lines else ""


def _number(value: float) -> str:
    # An IntEnum would be written by its name.
    return f"{value:.3f}" if isinstance(value, float) else str(int(value))


def _labels(each: ProcessGauges) -> str:
    return f'name="{_escaped(each.name)}",group="{_escaped(each.group)}"'


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)
