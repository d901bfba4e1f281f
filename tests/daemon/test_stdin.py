"""Sending to a child's stdin, through a real pipe."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from builders import a_heart, a_process
from proctor.core.faults import Fault
from proctor.daemon.stdin import MAX_WAITING


def test_what_is_sent_arrives() -> None:
    """At once while the pipe has room."""
    with a_heart(a_process("web")) as heart:
        heart.start("web")
        heart.process("web").write_stdin(b"hello\n")
        assert heart.host.children["web:web"].read_stdin() == b"hello\n"


def test_a_full_pipe_is_waited_for() -> None:
    """Nothing is lost, doubled or reordered; nobody waits when it is all sent."""
    with a_heart(a_process("web")) as heart:
        heart.start("web")
        child = heart.host.children["web:web"]
        sent = b"".join(b"%07d\n" % n for n in range(50_000))
        heart.process("web").write_stdin(sent[:300_000])
        heart.process("web").write_stdin(sent[300_000:])
        received = b""
        while heart.host.writable:
            received += child.read_stdin()
            (go_on,) = heart.host.writable.values()
            go_on()
        received += child.read_stdin()
        assert received == sent


def test_a_child_that_reads_nothing_cannot_fill_our_memory() -> None:
    """From some point on it is refused."""
    with a_heart(a_process("web")) as heart:
        heart.start("web")
        with pytest.raises(Fault, match="FAILED"):
            heart.process("web").write_stdin(b"x" * (MAX_WAITING + 1))


def test_a_closed_stdin_is_no_file() -> None:
    """The child has closed its end."""
    with a_heart(a_process("web")) as heart:
        heart.start("web")
        child = heart.host.children["web:web"]
        assert child.stdin is not None
        os.close(child.stdin)
        child.stdin = None
        for _attempt in range(2):
            with pytest.raises(Fault, match="NO_FILE"):
                heart.process("web").write_stdin(b"x")


def test_a_reader_that_goes_while_bytes_wait() -> None:
    """Whoever waited for room is not called again."""
    with a_heart(a_process("web")) as heart:
        heart.start("web")
        heart.process("web").write_stdin(b"x" * 1_000_000)
        go_on: Callable[[], None]
        (go_on,) = heart.host.writable.values()
        heart.host.dies("web:web")
        assert heart.host.writable == {}
        go_on()


def test_stdin_of_a_process_that_does_not_run_or_is_being_stopped() -> None:
    """NOT_RUNNING in both cases."""
    with a_heart(a_process("web")) as heart:
        with pytest.raises(Fault, match="NOT_RUNNING"):
            heart.process("web").write_stdin(b"x")
        heart.host.behaviour("web:web").ignores = frozenset({15})
        heart.start("web")
        heart.stop("web")
        with pytest.raises(Fault, match="NOT_RUNNING"):
            heart.process("web").write_stdin(b"x")
