"""Which sink a path gets, and syslog (compat logging.md, sections 1 and 2)."""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from proctor.posix.logfile import LogFile
from proctor.posix.sinks import StreamSink, SyslogSink, aliased_fd, open_sink
from support.waiting import GENEROUS


@pytest.mark.parametrize(
    ("path", "fd"),
    [
        ("/dev/stdout", 1),
        ("/dev/stderr", 2),
        ("/dev/fd/7", 7),
        ("/proc/self/fd/12", 12),
        ("/dev/null", None),
        ("/dev/fd/", None),
        ("/tmp/dev/stdout", None),
    ],
)
def test_names_of_our_own_descriptors(path: str, fd: int | None) -> None:
    """They must not be opened like files."""
    assert aliased_fd(path) == fd


def test_a_path_gets_the_sink_it_needs(tmp_path: Path) -> None:
    """By what is there; nothing there makes a file."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "old").touch()
    kinds = {"old": LogFile, "new": LogFile, "fifo": StreamSink}
    for name, kind in kinds.items():
        with closing(open_sink(str(tmp_path / name), 0, 0)) as sink:
            assert type(sink) is kind
    with closing(open_sink("/dev/null", 50 << 20, 10)) as null:
        assert isinstance(null, StreamSink)
        assert null.note == ""
        assert null.write(b"x" * 100) == 100


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """A directory, a missing one, a socket (ENXIO as the original), a closed descriptor."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "socket"))
    cases = {
        str(tmp_path): errno.EISDIR,
        str(tmp_path / "no" / "log"): errno.ENOENT,
        str(tmp_path / "socket"): errno.ENXIO,
        "/dev/fd/9999": errno.EBADF,
    }
    for path, number in cases.items():
        with pytest.raises(OSError, match=re.escape(os.strerror(number))) as caught:
            open_sink(path, 0, 0)
        assert caught.value.errno == number
    listener.close()


@pytest.fixture
def syslog(tmp_path: Path) -> Iterator[socket.socket]:
    """A system log that can be read."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log"))
        server.settimeout(GENEROUS)
        yield server


def line(server: socket.socket) -> str:
    """The next line without its time, which is checked for its form."""
    text = server.recv(100_000).decode()
    match = re.fullmatch(r"<14>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (.*)", text)
    assert match, text
    return match[1]


def test_each_line_is_a_message(tmp_path: Path, syslog: socket.socket) -> None:
    """With the name of the process before it, however the lines were cut into reads."""
    sink = SyslogSink("supervisord", "web", str(tmp_path / "log"))
    assert sink.write(b"one\ntw") == 6
    assert sink.write(b"o\r\n\xe4\xb8\xad \xff\nunfinished") == 19
    assert line(syslog) == "supervisord: web one"
    assert line(syslog) == "supervisord: web two"
    assert line(syslog) == "supervisord: web 中 \ufffd"
    sink.close()
    assert line(syslog) == "supervisord: web unfinished"


def test_the_main_log_has_no_prefix(tmp_path: Path, syslog: socket.socket) -> None:
    """Its lines are complete."""
    sink = SyslogSink("supervisord", "", str(tmp_path / "log"))
    sink.write(b"2026-01-31 23:59:59,123 INFO text\n")
    assert line(syslog) == "supervisord: 2026-01-31 23:59:59,123 INFO text"
    sink.close()


def test_a_line_without_end_is_passed_on_in_parts(tmp_path: Path, syslog: socket.socket) -> None:
    """Memory is bounded."""
    sink = SyslogSink("x", "", str(tmp_path / "log"))
    for _ in range(9):
        sink.write(b"y" * 1000)
    assert line(syslog) == "x: " + "y" * 9000
    sink.close()


def test_a_syslog_that_was_restarted_is_found_again(tmp_path: Path, syslog: socket.socket) -> None:
    """At the next line; without one, lines are counted as lost."""
    sink = SyslogSink("x", "", str(tmp_path / "log"))
    sink.write(b"one\n")
    assert line(syslog) == "x: one"
    syslog.close()
    (tmp_path / "log").unlink()
    sink.write(b"lost\n")
    assert sink.lost == 1
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as again:
        again.bind(str(tmp_path / "log"))
        sink.write(b"two\n")
        assert line(again) == "x: two"
    sink.close()


def test_a_syslog_that_is_full_is_not_waited_for(tmp_path: Path, syslog: socket.socket) -> None:
    """It loses lines instead."""
    sink = SyslogSink("x", "", str(tmp_path / "log"))
    while not sink.lost:
        sink.write(b"line\n")
    sink.close()
