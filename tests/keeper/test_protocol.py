"""The wire: messages arrive whole, in order, with their own descriptors, and nobody waits."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proctor.keeper.protocol import BrokenWireError, Message, Wire


@pytest.fixture
def wires() -> Iterator[tuple[Wire, Wire]]:
    one, two = (Wire(sock) for sock in socket.socketpair())
    yield one, two
    one.close()
    two.close()


def everything(wire: Wire, sender: Wire | None = None) -> list[Message]:
    """All that arrives while `sender` sends what it has."""
    heard: list[Message] = []
    while True:
        done = sender is None or sender.flush()
        more = wire.receive(8)
        heard += more
        if done and not more:
            return heard


def inode(fd: int) -> int:
    return os.fstat(fd).st_ino


def test_messages_arrive_in_order(wires: tuple[Wire, Wire]) -> None:
    """Many small ones in few system calls."""
    one, two = wires
    for number in range(5000):
        one.queue("count", {"number": number})
    heard = everything(two, one)
    assert [message.fields["number"] for message in heard] == list(range(5000))
    assert one.backlog == 0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=5), st.integers(0, 3), st.integers(0, 70_000))))
def test_descriptors_stay_with_their_message(plan: list[tuple[str, int, int]]) -> None:
    """Whatever the sizes, and with many in the buffer at once."""
    one, two = (Wire(sock) for sock in socket.socketpair())
    sent = []
    for kind, count, size in plan:
        fds = [os.open("/", os.O_RDONLY) if n else os.memfd_create("x") for n in range(count)]
        sent.append((kind, "x" * size, [inode(fd) for fd in fds]))
        one.queue(kind, {"text": "x" * size}, fds)
        one.close_after(fds)
    heard = everything(two, one)
    assert [(m.kind, m.fields["text"], [inode(fd) for fd in m.fds]) for m in heard] == sent
    assert not any(message.cut for message in heard)
    for message in heard:
        message.close()
    one.close()
    two.close()


def test_a_cut_batch_does_not_shift_the_others(wires: tuple[Wire, Wire]) -> None:
    """When the receiver's table of open files is full, only that message loses its descriptors."""
    one, two = wires
    fds = [os.memfd_create("x") for _ in range(3)]
    one.queue("first", {}, fds)
    one.flush()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 1, hard))
    try:
        (first,) = two.receive()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    one.queue("second", {}, fds)
    one.flush()
    (second,) = two.receive()
    assert (first.cut, second.cut) == (True, False)
    assert [inode(fd) for fd in second.fds] == [inode(fd) for fd in fds]
    assert not os.get_inheritable(second.fds[0])
    first.close()
    second.close()
    for fd in fds:
        os.close(fd)


def test_nobody_waits_for_a_reader(wires: tuple[Wire, Wire]) -> None:
    """What does not fit stays in the buffer with its descriptors, which are closed once sent."""
    one, two = wires
    keep = os.memfd_create("x")
    for number in range(3000):
        fd = os.dup(keep)
        one.queue("fd", {"number": number}, [fd])
        one.close_after([fd])
        assert one.flush() or one.backlog
        if one.backlog:
            break
    backlog = one.backlog
    assert backlog > 0
    heard = everything(two, one)
    assert [message.fields["number"] for message in heard] == list(range(len(heard)))
    for message in heard:
        message.close()
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(fd)
    os.close(keep)


def test_the_end_is_an_error(wires: tuple[Wire, Wire]) -> None:
    """After the last message; sending into the void is harmless."""
    one, two = wires
    one.queue("last", {})
    one.flush()
    one.close()
    assert [message.kind for message in two.receive(8)] == ["last"]
    with pytest.raises(ConnectionError):
        two.receive()
    two.queue("x", {"x": "x" * 10})
    assert two.flush()


def test_nonsense_is_told_from_a_broken_stream(wires: tuple[Wire, Wire]) -> None:
    """What is framed can be skipped; an impossible length cannot."""
    one, two = wires
    for body in (b"", b"\xff", b"[]", b'["x"]', b'["x",[]]', b"[1,{}]", b"[" * 100_000):
        one.sock.send(len(body).to_bytes(4, "big") + b"\0" + body)
        (message,) = everything(two)
        assert (message.kind, message.fields) == ("", {})
    one.sock.send(b"\x00\x00\x00\x02\x03[]")
    (message,) = two.receive()
    assert message.cut
    one.sock.send(b"\xff\xff\xff\xff\x00")
    with pytest.raises(BrokenWireError):
        two.receive()


def test_what_is_too_long_is_not_sent(wires: tuple[Wire, Wire]) -> None:
    """The sender learns it, not the receiver."""
    with pytest.raises(ValueError, match="too long"):
        wires[0].queue("x", {"text": "x" * (17 * 1024 * 1024)})


def test_any_text_passes(wires: tuple[Wire, Wire]) -> None:
    """Also bytes that are no UTF-8, as the system hands them to us."""
    text = os.fsdecode(b"\xff\x00\xe4") + "日本"
    wires[0].queue("x", {"text": text})
    wires[0].flush()
    (message,) = wires[1].receive()
    assert message.fields["text"] == text
