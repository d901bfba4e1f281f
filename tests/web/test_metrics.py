"""/metrics, /livez, /readyz and `proctor healthy`, beside a real daemon."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from proctor.api.gauges import PoolGauges, ProcessGauges, Snapshot
from proctor.core.states import ProcessState
from proctor.web.metrics import render
from support.daemon import Daemon, Launch, run
from support.implementations import Implementation, proctor
from support.programs import OBEDIENT, program
from support.rpc import ask
from support.waiting import until

# (name of a sample, its labels) -> its value
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Samples:
    """As Prometheus reads them; every family must say what it is."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.type != "unknown", family.name
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, key
            found[key] = sample.value
    return found


def value(found: Samples, metric: str, **labels: str) -> float:
    """The one sample of a metric with these labels."""
    return found[metric, frozenset(labels.items())]


def test_names_of_any_kind() -> None:
    """Quotes, backslashes and newlines in names are not taken for syntax."""
    name = 'a"b\\c\nd猫'
    state = ProcessState.EXITED
    gauges = ProcessGauges("g", name, state, 0, 5.0, -1, 3, 1, 2, 4, 1)
    pool = PoolGauges(name, 1, 2, 3, 4, 5)
    snapshot = Snapshot("0.1", "4.3.0", False, 10.0, [gauges], [pool], 2)
    found = samples(render(snapshot).decode())
    assert value(found, "proctor_process_starts_total", name=name, group="g") == 3
    assert value(found, "node_supervisord_exit_status", name=name, group="g") == -1
    assert value(found, "proctor_event_pool_violations_total", pool=name) == 5
    assert value(found, "proctor_processes", state="EXITED") == 1
    assert value(found, "proctor_up") == value(found, "supervisord_up") == 0


@pytest.fixture(scope="module")
def daemon(launch_shared: Launch) -> Daemon:
    """With a program that runs, one that failed, one that rests, and a listener."""
    programs = (
        program("cat", OBEDIENT)
        + program("bad", "/bin/false", startsecs=1, startretries=0)
        + program("rests", autostart="false")
        + program("group", OBEDIENT, numprocs="2", process_name="%(process_num)d")
    )
    started = launch_shared(proctor(), programs + _LISTENER)
    started.until_state("cat", "RUNNING")
    started.until_state("bad", "FATAL")
    started.until_state("ear", "RUNNING")
    return started


_LISTENER = """[eventlistener:ear]
command=/bin/sh -c 'printf "READY\\\\n"; exec cat'
events=REMOTE_COMMUNICATION
"""


def scraped(daemon: Daemon) -> Samples:
    """What a scrape finds."""
    reply = ask(daemon.socket, path="/metrics")
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return samples(reply.body.decode())


def test_metrics_tell_what_happened(daemon: Daemon) -> None:
    """State, starts and ends of each process; and what became of events."""
    before = scraped(daemon)
    daemon.call("supervisor.sendProcessStdin", "cat", "exit 3\n")

    def counted(kind: str) -> float:
        metric = "proctor_process_exits_total"
        return value(scraped(daemon), metric, name="cat", group="cat", kind=kind)

    until(lambda: counted("unexpected") == 1, "its end was counted")
    daemon.until_state("cat", "RUNNING")
    daemon.call("supervisor.signalProcess", "cat", "KILL")
    until(lambda: counted("signal") == 1, "its death was counted")
    daemon.until_state("cat", "RUNNING")
    found = scraped(daemon)
    cat = {"name": "cat", "group": "cat"}
    starts = "proctor_process_starts_total"
    assert value(found, starts, **cat) == value(before, starts, **cat) + 2
    assert value(found, "proctor_process_state", **cat) == 20
    assert value(found, "proctor_process_failures_total", name="bad", group="bad") == 1
    assert value(found, "proctor_processes", state="FATAL") == 1
    assert value(found, "proctor_event_pool_overflowed_total", pool="ear") == 0
    assert value(found, "proctor_up") == 1
    assert value(found, "proctor_process_resident_memory_bytes", **cat) > 100_000
    assert value(found, "proctor_process_cpu_seconds_total", **cat) >= 0


def test_metrics_tell_how_much_was_written(daemon: Daemon) -> None:
    """By stream, over all runs: a restart does not begin anew."""
    daemon.until_state("group:0", "RUNNING")
    written, lost = "proctor_process_output_bytes_total", "proctor_process_output_lost_bytes_total"
    zero = {"name": "0", "group": "group"}

    def count(metric: str, channel: str = "stdout") -> float:
        return value(scraped(daemon), metric, **zero, channel=channel)

    before, errors = count(written), count(written, "stderr")
    daemon.call("supervisor.sendProcessStdin", "group:0", "echo 12345\n")
    until(lambda: count(written) == before + 6, "the line was counted")
    daemon.call("supervisor.stopProcess", "group:0")
    assert count(written) == before + 6
    daemon.call("supervisor.startProcess", "group:0")
    daemon.call("supervisor.sendProcessStdin", "group:0", "echo 123 >&2\n")
    until(lambda: count(written, "stderr") == errors + 4, "the other stream is counted, too")
    assert count(written) == before + 6
    assert count(lost) == 0


def test_metrics_tell_how_often_logs_were_rotated(
    launch: Launch, ours: Implementation, scratch: Path
) -> None:
    """By stream, over all runs."""
    log = scratch / "log"
    section = program(
        "cat", stdout_logfile=log, stdout_logfile_maxbytes=10, stdout_logfile_backups=1
    )
    daemon = launch(ours, section)
    daemon.until_state("cat", "RUNNING")

    def rotations(channel: str) -> float:
        labels = {"name": "cat", "group": "cat", "channel": channel}
        return value(scraped(daemon), "proctor_process_log_rotations_total", **labels)

    assert rotations("stdout") == 0
    daemon.call("supervisor.sendProcessStdin", "cat", "12345678\nabcdefgh\nABCDEFGH\n")
    until(lambda: rotations("stdout") == 2, "both rotations were counted")
    daemon.call("supervisor.stopProcess", "cat")
    daemon.call("supervisor.startProcess", "cat")
    assert rotations("stdout") == 2
    daemon.call("supervisor.sendProcessStdin", "cat", "ijklmnop\n")
    until(lambda: rotations("stdout") == 3, "that of another run as well")
    until(lambda: log.read_text() == "ijklmnop\n", "it is in a file of its own")
    assert log.with_name("log.1").read_text() == "ABCDEFGH\n"
    assert rotations("stderr") == 0


def test_dashboards_of_others_go_on(daemon: Daemon) -> None:
    """The names, labels and values that the published exporters made known."""
    found = scraped(daemon)
    info = daemon.call("supervisor.getProcessInfo", "group:0")
    labels = {"name": "0", "group": "group"}
    assert value(found, "node_supervisord_up", **labels) == 1
    assert value(found, "node_supervisord_state", **labels) == 20
    assert value(found, "node_supervisord_exit_status", **labels) == 0
    start = value(found, "node_supervisord_start_time_seconds_total", **labels)
    assert start == info["start"]
    assert value(found, "node_supervisord_up", name="bad", group="bad") == 0
    assert value(found, "supervisord_up") == 1
    more = {"state": "RUNNING", "exit_status": "0"}
    assert value(found, "supervisor_process_info", **labels, **more) == 1
    assert value(found, "supervisor_process_uptime", **labels) >= 0
    more = {"state": "FATAL", "exit_status": "0"}
    assert value(found, "supervisor_process_info", name="bad", group="bad", **more) == 0


def test_they_can_be_switched_off(launch: Launch, ours: Implementation) -> None:
    """By metrics=false, and by a re-read as well."""
    daemon = launch(ours, settings="metrics=false\n")
    assert ask(daemon.socket, path="/metrics").status == 404
    text = daemon.conf.read_text()
    daemon.conf.write_text(text.replace("metrics=false", "metrics=true"))
    daemon.call("supervisor.reloadConfig")
    assert ask(daemon.socket, path="/metrics").status == 200


def test_alive_and_ready(daemon: Daemon) -> None:
    """Alive is whoever answers; ready only when all that start by themselves are up."""
    assert ask(daemon.socket, path="/livez").body == b"ok\n"
    reply = ask(daemon.socket, path="/readyz")
    assert (reply.status, reply.body) == (503, b"bad FATAL\n")
    assert ask(daemon.socket, path="/readyz?name=cat,group:*").status == 200
    assert ask(daemon.socket, path="/readyz?name=rests").body == b"rests STOPPED\n"
    assert ask(daemon.socket, path="/readyz?name=nope").status == 404


def healthy(daemon: Daemon, *words: str) -> tuple[int, str]:
    """Exit status and output of `proctor healthy`."""
    command = [daemon.implementation.program("proctor"), "healthy", "-c", str(daemon.conf)]
    answer = run([*command, *words])
    return answer.code, answer.out


def test_a_container_asks_whether_it_is_well(daemon: Daemon, scratch: Path) -> None:
    """One line, and 0 or 1."""
    assert healthy(daemon) == (1, "unhealthy: bad FATAL\n")
    assert healthy(daemon, "--live") == (0, "healthy\n")
    assert healthy(daemon, "cat", "group:*") == (0, "healthy\n")
    assert healthy(daemon, "rests") == (1, "unhealthy: rests STOPPED\n")
    assert healthy(daemon, "猫")[0] == 1
    code, text = healthy(daemon, "-s", f"unix://{scratch}/none")
    assert (code, "cannot be reached" in text) == (1, True)
    assert healthy(daemon, "--nonsense")[0] == 2


def test_who_never_answers_is_not_well(daemon: Daemon, scratch: Path) -> None:
    """The check does not wait for ever."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(scratch / "mute"))
        server.listen()
        code, text = healthy(daemon, "--live", "-s", f"unix://{scratch}/mute")
    assert (code, "no answer within" in text) == (1, True)
