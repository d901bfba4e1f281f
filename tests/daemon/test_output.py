"""Where output goes, on a fake drain with real log files."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from builders import Heart, a_heart, a_process
from fakes import FakeDrain
from proctor.core.capture import BEGIN_TOKEN, END_TOKEN
from proctor.core.events import Event, ProcessCommunicated, ProcessLogged
from proctor.core.plan import SpawnFailure
from proctor.core.settings import DaemonSettings
from proctor.core.spec import LogKind, OutputPolicy, ProcessKind
from proctor.core.states import ProcessState
from proctor.daemon import words
from proctor.daemon.surroundings import Channel
from proctor.posix.sinks import Sink

OFF = OutputPolicy(kind=LogKind.NONE)


def log_at(path: Path, **options: Any) -> OutputPolicy:
    return OutputPolicy(kind=LogKind.FILE, path=str(path), **options)


def settings_in(directory: Path, strip_ansi: bool = False) -> DaemonSettings:
    return DaemonSettings(
        logfile=None, pidfile="/nowhere/pid", childlogdir=str(directory), strip_ansi=strip_ansi
    )


def says(heart: Heart, data: bytes, channel: str = "stdout") -> None:
    """The child of web writes."""
    assert isinstance(heart.drain, FakeDrain)
    heart.drain.of("web:web", channel).says(data)
    heart.host.settle()


def test_each_stream_has_its_log(tmp_path: Path) -> None:
    """Appended to whatever is there."""
    out, err = tmp_path / "out", tmp_path / "err"
    out.write_bytes(b"old\n")
    with a_heart(a_process("web", stdout=log_at(out), stderr=log_at(err))) as heart:
        heart.start("web")
        says(heart, b"hello\n")
        says(heart, b"oops\n", "stderr")
        heart.host.dies("web:web")
        assert out.read_bytes() == b"old\nhello\n"
        assert err.read_bytes() == b"oops\n"
        assert heart.process("web").logfile("stdout") == str(out)


def test_redirected_stderr_has_no_log(tmp_path: Path) -> None:
    """Whatever is configured for it."""
    spec = a_process("web", redirect_stderr=True, stderr=log_at(tmp_path / "err"))
    with a_heart(spec) as heart:
        heart.start("web")
        assert heart.process("web").logfile("stderr") is None
        assert heart.host.plans[0].redirect_stderr
        assert not (tmp_path / "err").exists()


def test_a_log_that_cannot_be_opened_is_a_spawn_error(tmp_path: Path) -> None:
    """The text has the errno, and a line of the log the file; nothing is left open; it starts when
    the way is free."""
    path = tmp_path / "out"
    path.mkdir()
    before = set(os.listdir("/proc/self/fd"))
    spec = a_process("web", stdout=log_at(tmp_path / "fine"), stderr=log_at(path))
    with a_heart(spec) as heart:
        heart.start("web")
        assert heart.process("web").spawnerr == (
            "unknown error making dispatchers for 'web': EISDIR"
        )
        assert heart.said("cannot open") == [f"WARN cannot open {path} for 'web': Is a directory"]
        assert set(os.listdir("/proc/self/fd")) <= before
        path.rmdir()
        heart.host.forward(1)
        assert heart.process("web").pid == 101


def test_logs_opened_for_a_child_that_never_came_are_closed(tmp_path: Path) -> None:
    """A thousand retries must not cost a thousand descriptors."""
    before = set(os.listdir("/proc/self/fd"))
    with a_heart(a_process("web", startretries=5, stdout=log_at(tmp_path / "out"))) as heart:
        from proctor.core.plan import SpawnFailure

        heart.host.behaviour("web:web").spawn_failure = SpawnFailure("fork", errno.ENOMEM)
        heart.start("web")
        heart.host.until(60)
        assert heart.states("web").endswith("FATAL")
        assert set(os.listdir("/proc/self/fd")) <= before


def test_a_restart_asks_the_drain_thread_once(tmp_path: Path) -> None:
    """Pipes that ended with the process are read already; only the next logs are to be opened."""
    spec = a_process("web", startsecs=0, autorestart="true", stdout=log_at(tmp_path / "out"))
    with a_heart(spec) as heart:
        heart.start("web")
        for channel in ("stdout", "stderr"):
            heart.drain.of("web:web", channel).is_over = True
        asked = heart.drain.asked
        heart.host.dies("web:web")
        assert heart.process("web").pid == 102
        assert heart.drain.asked - asked == 1


def test_a_run_keeps_its_place_in_the_log_until_its_end_is_told(tmp_path: Path) -> None:
    """The logs of the next run are open by then, but it has not begun."""
    spec = a_process("web", startsecs=0, autorestart="true", stdout=log_at(tmp_path / "out"))
    with a_heart(spec) as heart:
        places: list[int] = []

        def note(_event: Event) -> None:
            places.append(heart.process("web").log_marks["stdout"].offset)

        heart.start("web")
        says(heart, b"hello\n")
        heart.bus.subscribe(note, ["PROCESS_STATE_EXITED", "NOTE_PROCESS_SPAWNED"])
        heart.host.dies("web:web")
        assert places == [0, 6]


def test_logs_opened_for_a_restart_that_is_called_off_are_closed(tmp_path: Path) -> None:
    """By a stop before the end is told, or by a shutdown after it."""
    spec = a_process("web", startsecs=0, autorestart="true", stdout=log_at(tmp_path / "out"))
    with a_heart(spec) as heart:
        before = set(os.listdir("/proc/self/fd"))
        heart.start("web")
        heart.drain.frozen = True
        heart.host.dies("web:web")
        heart.stop("web")
        heart.drain.thaw()
        heart.host.settle()
        assert heart.states("web").endswith("STOPPED")
        assert set(os.listdir("/proc/self/fd")) <= before

        heart.start("web")
        heart.bus.subscribe(
            lambda _event: heart.supervisor.shutdown(False, lambda: None), ["PROCESS_STATE_EXITED"]
        )
        heart.host.dies("web:web")
        assert heart.process("web").state is ProcessState.EXITED
        assert set(os.listdir("/proc/self/fd")) <= before


def test_clear_empties_the_log_of_a_running_process(tmp_path: Path) -> None:
    """And what it writes afterwards is there."""
    out = tmp_path / "out"
    with a_heart(a_process("web", stdout=log_at(out))) as heart:
        heart.start("web")
        says(heart, b"one\n")
        answers: list[OSError | None] = []
        heart.process("web").clear_logs(answers.append)
        heart.host.settle()
        assert answers == [None]
        says(heart, b"two\n")
        assert out.read_bytes() == b"two\n"


def test_clear_empties_the_log_of_a_stopped_process(tmp_path: Path) -> None:
    """The original said that it did (gotcha G58)."""
    out = tmp_path / "out"
    out.write_bytes(b"old\n")
    with a_heart(a_process("web", stdout=log_at(out))) as heart:
        answers: list[OSError | None] = []
        heart.process("web").clear_logs(answers.append)
        heart.host.settle()
        assert answers == [None]
        assert out.read_bytes() == b""


def test_reopen_follows_a_log_that_was_moved_away(tmp_path: Path) -> None:
    """SIGUSR2: the old file is kept by whoever moved it, the new one has its name."""
    out = tmp_path / "out"
    with a_heart(a_process("web", stdout=log_at(out)), a_process("idle")) as heart:
        heart.start("web")
        says(heart, b"one\n")
        out.rename(tmp_path / "old")
        heart.supervisor.reopen_logs()
        heart.host.settle()
        says(heart, b"two\n")
        assert (tmp_path / "old").read_bytes() == b"one\n"
        assert out.read_bytes() == b"two\n"


def test_a_reopen_that_fails_is_said(tmp_path: Path) -> None:
    """The process writes on to the file it has."""
    out = tmp_path / "logs" / "out"
    out.parent.mkdir()
    with a_heart(a_process("web", stdout=log_at(out))) as heart:
        heart.start("web")
        out.parent.rename(tmp_path / "away")
        heart.supervisor.reopen_logs()
        heart.host.settle()
        assert len(heart.said("ERRO cannot reopen the logs of 'web'")) == 1


def test_output_as_events_and_debug_lines(tmp_path: Path) -> None:
    """One event and one line for what was read at once; control characters are escaped."""
    policy = OutputPolicy(kind=LogKind.NONE, events_enabled=True)
    with a_heart(a_process("web", stdout=policy), settings=settings_in(tmp_path)) as heart:
        heart.start("web")
        says(heart, b"a\nb\x1b[1m")
        logged = [event for event in heart.events if isinstance(event, ProcessLogged)]
        assert logged == [ProcessLogged("web", "web", 101, "stdout", b"a\nb\x1b[1m")]
        assert heart.said("output") == ["DEBG 'web' stdout output:\\na\\nb\\x1b[1m"]


def test_a_captured_message_is_an_event_and_not_a_log_line(tmp_path: Path) -> None:
    """Text around it is logged, and is no PROCESS_LOG event unless asked for (gotcha G24)."""
    out = tmp_path / "out"
    spec = a_process("web", stdout=log_at(out, capture_maxbytes=100))
    with a_heart(spec) as heart:
        heart.start("web")
        says(heart, b"x<!--XSUPERVISOR:BEGIN-->secret<!--XSUPERVISOR:END-->y")
        assert out.read_bytes() == b"xy"
        made = [e for e in heart.events if isinstance(e, ProcessCommunicated | ProcessLogged)]
        assert made == [ProcessCommunicated("web", "web", 101, "stdout", b"secret")]
        assert heart.said("comm") == ["DEBG 'web' stdout emitted a comm event"]


class Listeners:
    """A Dialogue of which only `catch_up` is used; each takes `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.heard_after: list[int] = []
        self.heart: Heart | None = None

    def converse(self, fd: int, sinks: Sequence[Sink], hear: Callable[[bytes], None]) -> Channel:
        """There is no listener."""
        raise AssertionError

    def catch_up(self) -> None:
        """Note how many messages were told before."""
        assert self.heart is not None
        self.heard_after.append(len(told(self.heart)))
        self.heart.host.time += self.seconds


def told(heart: Heart) -> list[bytes]:
    """The captured messages that became events."""
    return [event.data for event in heart.events if isinstance(event, ProcessCommunicated)]


@pytest.mark.parametrize(("seconds", "times"), [(0.0, 10), (0.002, 3)])
def test_many_messages_do_not_keep_listeners_waiting(seconds: float, times: int) -> None:
    """They are heard in between, but not for long: others wait too.  No message is lost."""
    listeners = Listeners(seconds)
    policy = OutputPolicy(kind=LogKind.NONE, capture_maxbytes=100)
    with a_heart(a_process("web", stdout=policy), dialogue=listeners) as heart:
        listeners.heart = heart
        heart.start("web")
        messages = [b"%d" % number for number in range(20)]
        says(heart, b"".join(BEGIN_TOKEN + message + END_TOKEN for message in messages))
        assert told(heart) == messages
        assert listeners.heard_after == [2 * n for n in range(1, times + 1)]


def test_a_bug_in_a_listener_costs_none_of_the_messages() -> None:
    """It is in the log; what was read with it becomes events all the same."""

    def stumble(data: bytes) -> None:
        raise ZeroDivisionError

    policy = OutputPolicy(kind=LogKind.NONE, capture_maxbytes=100)
    with a_heart(a_process("web", stdout=policy)) as heart:
        heart.process("web").listen("stdout", stumble)
        heart.start("web")
        says(heart, b"hello" + BEGIN_TOKEN + b"first" + END_TOKEN)
        assert told(heart) == [b"first"]
        assert heart.said("hear 'web'") == ["CRIT cannot hear 'web': ZeroDivisionError()"]


def test_clear_forgets_an_unfinished_message(tmp_path: Path) -> None:
    """The capture buffer is emptied with the log."""
    spec = a_process("web", stdout=log_at(tmp_path / "out", capture_maxbytes=100))
    with a_heart(spec) as heart:
        heart.start("web")
        says(heart, b"<!--XSUPERVISOR:BEGIN-->old")
        heart.process("web").clear_logs(lambda _: None)
        heart.host.settle()
        says(heart, b"new<!--XSUPERVISOR:END-->")
        (event,) = [e for e in heart.events if isinstance(e, ProcessCommunicated)]
        assert event.data == b"new"


def test_strip_ansi(tmp_path: Path) -> None:
    """Colours do not reach the file."""
    out = tmp_path / "out"
    spec = a_process("web", stdout=log_at(out))
    with a_heart(spec, settings=settings_in(tmp_path, strip_ansi=True)) as heart:
        heart.start("web")
        says(heart, b"\x1b[31mred\x1b[0m\n")
        assert out.read_bytes() == b"red\n"


def test_a_listener_hears_the_bytes() -> None:
    """Whoever was entered before the spawn."""
    with a_heart(a_process("web")) as heart:
        heard: list[bytes] = []
        heart.process("web").listen("stdout", heard.append)
        heart.start("web")
        says(heart, b"READY\n")
        assert heard == [b"READY\n"]


def test_nobody_looks_at_the_bytes_without_a_reason() -> None:
    """Then the fast path may take them."""
    with a_heart(a_process("web")) as heart:
        from proctor.daemon.activity_log import Level

        heart.log.level = Level.INFO
        heart.start("web")
        channel = heart.drain.of("web:web")
        assert channel.decoder is None
        assert channel.deliver is None


def test_auto_logs_are_made_with_the_group_and_go_with_it(tmp_path: Path) -> None:
    """Named after process, stream and instance; removed with the group (gotcha G60)."""
    spec = a_process("web", stdout=OutputPolicy(), stderr=OFF)
    with a_heart(spec, settings=settings_in(tmp_path)) as heart:
        (made,) = tmp_path.iterdir()
        assert made.name.startswith("web-stdout---supervisor-")
        assert heart.process("web").logfile("stdout") == str(made)
        heart.start("web")
        says(heart, b"x")
        assert made.read_bytes() == b"x"
        heart.stop("web")
        heart.supervisor.remove_group("web")
        heart.host.settle()
        assert list(tmp_path.iterdir()) == []


def test_a_childlogdir_that_is_not_there_is_said(tmp_path: Path) -> None:
    """The process can run all the same, without a log."""
    settings = settings_in(tmp_path / "missing")
    with a_heart(a_process("web", stdout=OutputPolicy(), startsecs=0), settings=settings) as heart:
        assert heart.process("web").logfile("stdout") is None
        assert len(heart.said("ERRO cannot make a stdout log for 'web'")) == 1
        heart.start("web")
        assert heart.process("web").pid == 101


def test_what_a_listener_says_on_stdout_is_for_its_pool(tmp_path: Path) -> None:
    """No events, no capture, no syslog, whatever is configured (gotcha G71); stderr has them."""
    loud = {"events_enabled": True, "capture_maxbytes": 100}
    spec = a_process(
        "web",
        kind=ProcessKind.LISTENER,
        stdout=log_at(tmp_path / "out", syslog=True, **loud),
        stderr=log_at(tmp_path / "err", **loud),
    )
    said = b"READY\n<!--XSUPERVISOR:BEGIN-->x<!--XSUPERVISOR:END-->"
    with a_heart(spec) as heart:
        heart.start("web")
        assert isinstance(heart.drain, FakeDrain)
        assert len(heart.drain.of("web:web").sinks) == 1
        says(heart, said)
        assert (tmp_path / "out").read_bytes() == said
        assert not [e for e in heart.events if isinstance(e, ProcessLogged | ProcessCommunicated)]
        says(heart, said, "stderr")
        kinds = {type(event) for event in heart.events}
        assert {ProcessLogged, ProcessCommunicated} <= kinds


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (SpawnFailure("pipe", errno.EMFILE), "too many open files to spawn 'web'"),
        (SpawnFailure("log", errno.EISDIR), "unknown error making dispatchers for 'web': EISDIR"),
        (SpawnFailure("fork", errno.ENOMEM), "unknown error during fork for 'web': ENOMEM"),
        (SpawnFailure("keeper", errno.EPIPE), "cannot spawn 'web': the keeper is gone"),
        (SpawnFailure("order", errno.EINVAL), "cannot spawn 'web': the keeper refused it: EINVAL"),
    ],
)
def test_why_there_is_no_child(failure: SpawnFailure, text: str) -> None:
    """The step that failed decides about the words (compat process.md, section 4.1)."""
    assert words.spawn_failure("web", failure) == text
