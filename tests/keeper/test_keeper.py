"""The keeper as a process: what a daemon may ask of it."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from pathlib import Path

from keeper.keeping import PATIENCE, KeeperProcess, Talk, read_all, until
from proctor.keeper.protocol import Message

SHELL = "/bin/sh"


def streams_of(message: object) -> dict[str, int]:
    fields = message.fields  # type: ignore[attr-defined]
    return dict(zip(fields["streams"], message.take(), strict=True))  # type: ignore[attr-defined]


def usage_of(message: Message) -> list[float]:
    usage = message.fields["usage"]
    assert isinstance(usage, list)
    return usage


def test_a_child_is_told_of_before_the_next_one_is_made(keeper: KeeperProcess, talk: Talk) -> None:
    """A keeper that is killed among a thousand starts leaves no child that nobody knows."""
    for number in range(50):
        talk.wire.queue("spawn", {"id": number, "order": an_order(number, "exec cat")})
    talk.wire.queue("spawn", {"id": 50, "order": an_order(50, "kill -9 $PPID; exec cat")})
    for number in range(51, 200):
        talk.wire.queue("spawn", {"id": number, "order": an_order(number, "exec cat")})
    assert talk.wire.flush()
    keeper.process.wait(PATIENCE)
    told: list[Message] = []
    try:
        told += (talk.hear_one("spawned") for _ in range(50))
        assert [message.fields["id"] for message in told] == list(range(50))
    finally:
        for message in told:
            message.close()  # and with its stdin it ends
        talk.vanish()


def an_order(number: int, script: str) -> dict[str, object]:
    argv = ["/bin/sh", "-c", script]
    return {"key": f"test:{number}", "filename": argv[0], "argv": argv}


def test_a_thousand_children_end_with_their_own_status(talk: Talk) -> None:
    """Every child is announced once with three streams and ends once, with the right status."""
    for number in range(1000):
        talk.spawn(number, SHELL, "-c", f"exit {number % 200}")
    pids: dict[int, int] = {}
    ended: dict[int, int] = {}
    while len(ended) < 1000:
        message = talk.hear()
        pid = message.fields["pid"]
        assert isinstance(pid, int)
        if message.kind == "spawned":
            assert len(message.fds) == 3
            pids[pid] = int(str(message.fields["id"]))
        else:
            assert message.kind == "exited"
            assert pid in pids, "no end before the beginning"
            ended[pids[pid]] = int(str(message.fields["status"]))
            talk.tell("acknowledge", key=message.fields["key"], pid=pid)
        message.close()
    assert ended == {number: (number % 200) << 8 for number in range(1000)}


def test_the_streams_belong_to_the_child(talk: Talk) -> None:
    """What goes into stdin and comes out of stdout and stderr goes through the right pipes."""
    talk.spawn(1, SHELL, "-c", "read line; echo out $line; echo err $line >&2")
    streams = streams_of(talk.hear_one("spawned"))
    os.write(streams["i"], b"hello\n")
    assert read_all(streams["o"]) == b"out hello\n"
    assert read_all(streams["e"]) == b"err hello\n"
    os.close(streams["i"])


def test_an_end_tells_what_the_run_took(talk: Talk) -> None:
    """CPU seconds of a busy child, and its size where it grew beyond the keeper's own."""
    busy = "x = bytearray(64 << 20)\nfor n in range(3_000_000): x[n] = 1"
    order = {"key": "b", "filename": sys.executable, "argv": ["python", "-c", busy]}
    talk.tell("spawn", id=1, order=order)
    talk.hear_one("spawned").close()
    user, system, peak = usage_of(talk.hear_one("exited"))
    assert user > 0
    assert system >= 0
    assert peak > 64 * 1024

    talk.spawn(2, "/bin/true")
    talk.hear_one("spawned").close()
    assert usage_of(talk.hear_one("exited"))[2] == 0


def test_stderr_can_join_stdout(talk: Talk) -> None:
    """With redirect_stderr there is one pipe for both."""
    talk.spawn(1, SHELL, "-c", "echo out; echo err >&2", redirect_stderr=True)
    streams = streams_of(talk.hear_one("spawned"))
    assert set(streams) == {"i", "o"}
    assert read_all(streams["o"]) == b"out\nerr\n"
    os.close(streams["i"])


def test_a_listening_socket_can_be_stdin(talk: Talk) -> None:
    """A FastCGI program gets its socket as fd 0, and no stdin pipe."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        program = "import socket; print(socket.socket(fileno=0).getsockname()[1])"
        order = {"key": "f", "filename": sys.executable, "argv": ["python", "-c", program]}
        talk.tell("spawn", listener.fileno(), id=1, order=order)
        streams = streams_of(talk.hear_one("spawned"))
        assert set(streams) == {"o", "e"}
        assert int(read_all(streams["o"])) == listener.getsockname()[1]
        assert read_all(streams["e"]) == b""


def test_a_signal_reaches_the_child(talk: Talk) -> None:
    """The status says which signal it was."""
    talk.spawn(1, "/bin/sleep", "1000")
    pid = talk.hear_one("spawned").fields["pid"]
    talk.tell("signal", key="test:1", pid=pid, signum=signal.SIGTERM, to_group=False)
    assert talk.hear_one("exited").fields["status"] == signal.SIGTERM


def test_a_group_signal_reaches_the_grandchildren(talk: Talk) -> None:
    """The group is the child's from the first moment, so nobody in it is missed."""
    talk.spawn(1, SHELL, "-c", "sleep 1000 & echo $!; wait")
    message = talk.hear_one("spawned")
    pid = message.fields["pid"]
    streams = streams_of(message)
    until(lambda: bool(pid_text(streams["o"])))
    talk.tell("signal", key="test:1", pid=pid, signum=signal.SIGKILL, to_group=True)
    # Both ends come: the child's, and that of the grandchild, whose parent is the keeper by then.
    assert {talk.hear_one("exited").fields["pid"]} == {pid}
    assert talk.hear_one("reaped_unknown").fields["status"] == signal.SIGKILL
    for fd in streams.values():
        os.close(fd)


def pid_text(fd: int) -> bytes:
    try:
        return os.read(fd, 100)
    except BlockingIOError:
        return b""


def test_a_refused_signal_is_reported(talk: Talk) -> None:
    """With its errno; a child that is gone or was never there is no failure."""
    talk.spawn(1, "/bin/sleep", "1000")
    pid = talk.hear_one("spawned").fields["pid"]
    talk.tell("signal", key="test:1", pid=pid, signum=999, to_group=False)
    failed = talk.hear_one("signal_failed").fields
    assert (failed["key"], failed["pid"], failed["errno"]) == ("test:1", pid, 22)
    talk.tell("signal", key="test:2", pid=pid, signum=9, to_group=False)
    talk.tell("signal", key="test:1", pid=1, signum=9, to_group=False)
    talk.tell("signal", key="test:1", pid=pid, signum=15, to_group=False)
    assert talk.hear().fields["status"] == 15, "the wrong key and the wrong pid killed nobody"


def test_orphans_are_reaped(keeper: KeeperProcess, talk: Talk) -> None:
    """A grandchild whose parent is gone becomes the keeper's and is told as an unknown one."""
    # They wait for the end of stdin, so none of them can end before its parent.
    script = "exec 3<&0; i=0; while [ $i -lt 100 ]; do (read x <&3; exit 7) & i=$((i+1)); done"
    talk.spawn(1, SHELL, "-c", script)
    streams = streams_of(talk.hear_one("spawned"))
    parent = talk.hear_one("exited").fields
    talk.tell("acknowledge", key=parent["key"], pid=parent["pid"])
    os.close(streams["i"])
    statuses = [talk.hear_one("reaped_unknown").fields["status"] for _ in range(100)]
    assert statuses == [7 << 8] * 100
    assert keeper.children() == [talk.pid], "and no zombie is left"


def test_nonsense_costs_a_complaint(talk: Talk) -> None:
    """The keeper goes on after messages that are unknown, wrong, or not even JSON objects."""
    for kind, fields in [
        ("dance", {}),
        ("signal", {"pid": "x"}),
        ("signal", {"key": [], "pid": {}, "signum": 9, "to_group": 1}),
        ("acknowledge", {"key": None, "more": 1}),
        ("spawn", {}),
        ("bye", {"code": "never"}),
        ("hold", {"name": "nothing"}),
    ]:
        talk.tell(kind, **fields)  # type: ignore[arg-type]
    talk.wire._out.clear()
    garbage = b'{"not": "a list"}'
    talk.wire.sock.send(len(garbage).to_bytes(4, "big") + b"\0" + garbage)
    talk.spawn(7, SHELL, "-c", "exit 7")
    heard = [talk.hear() for _ in range(8)]
    assert [message.kind for message in heard].count("complaint") >= 6
    assert talk.hear_one("exited").fields["status"] == 7 << 8


def test_an_impossible_order_is_answered(talk: Talk) -> None:
    """No order may stay without an answer, or the daemon would wait for ever."""
    talk.tell("spawn", id=1, order={"key": "a", "filename": "/bin/true", "argv": [1, 2]})
    talk.tell("spawn", id=2, order={"key": "a", "color": "red"})
    answers = [talk.hear_one("spawn_failed").fields for _ in range(2)]
    assert [(answer["id"], answer["errno"]) for answer in answers] == [(1, 22), (2, 22)]


def test_a_daemon_that_does_not_read_blocks_nobody(keeper: KeeperProcess, talk: Talk) -> None:
    """Children are reaped, signals passed on while thousands of answers lie unread; all come."""
    for number in range(2000):
        talk.wire.queue(
            "spawn",
            {"id": number, "order": {"key": f"k{number}", "filename": "/bin/true", "argv": ["t"]}},
        )
    ended: set[object] = set()
    while not talk.wire.flush():
        if talk.wire.backlog == 0:
            break
        until(lambda: True)
    until(lambda: keeper.children() == [talk.pid])
    os.kill(keeper.pid, signal.SIGHUP)
    assert talk.signalled() == signal.SIGHUP, "it is still awake"
    while len(ended) < 2000:
        message = talk.hear()
        if message.kind == "exited":
            ended.add(message.fields["key"])
            talk.tell("acknowledge", key=message.fields["key"], pid=message.fields["pid"])
        message.close()


def test_descriptors_are_held_by_name(keeper: KeeperProcess, talk: Talk) -> None:
    """A listening socket given to the keeper is handed to the next daemon, until it is released."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        talk.tell("hold", listener.fileno(), name="http")
        talk.tell("hold", listener.fileno(), name="other")
        talk.tell("release", name="other")
        talk.tell("release", name="never")
        talk.vanish()
    second = keeper.next_talk()
    held, welcome = second.hello()
    assert (held.kind, held.fields["name"]) == ("descriptor", "http")
    assert welcome.fields["last_status"] == signal.SIGKILL
    with socket.socket(fileno=held.take()[0]) as again:
        assert again.getsockname()[1] == port


def test_the_keeper_ends_with_the_code_of_bye(keeper: KeeperProcess, talk: Talk) -> None:
    """After the daemon is gone, not before."""
    talk.tell("bye", code=5)
    talk.spawn(1, "/bin/true", "true")
    talk.hear_one("spawned").close()
    assert keeper.process.poll() is None
    talk.vanish()
    assert keeper.process.wait(PATIENCE) == 5


def test_signals_are_passed_on(keeper: KeeperProcess, talk: Talk) -> None:
    """Those that users send to the pid they know."""
    for signum in (signal.SIGHUP, signal.SIGUSR2, signal.SIGINT, signal.SIGTERM):
        os.kill(keeper.pid, signum)
        assert talk.signalled() == signum


def test_children_see_nothing_of_the_keeper(talk: Talk) -> None:
    """No descriptor, no blocked signal, no variable of ours; a limit on files like ours here."""
    script = "ls /proc/self/fd | wc -l; grep -E 'SigBlk|SigIgn' /proc/self/status; env; ulimit -n"
    talk.spawn(1, SHELL, "-c", script, environment=[["FARBE", "grün"]])
    streams = streams_of(talk.hear_one("spawned"))
    text = read_all(streams["o"]).decode()
    lines = text.splitlines()
    assert lines[0].strip() == "4", "0, 1, 2 and the listing"
    assert lines[1].split() == ["SigBlk:", "0" * 16]
    # 32 and 33 belong to the C library: whoever started us may have ignored them, nobody can reset
    # them.
    ignored = {n for n in range(1, 65) if int(lines[2].split()[1], 16) >> (n - 1) & 1} - {32, 33}
    assert ignored == {signal.SIGPIPE, signal.SIGXFSZ}
    assert "FARBE=grün" in lines
    assert "PROCTOR" not in text
    os.close(streams["i"])
    os.close(streams["e"])


def test_an_idle_keeper_sleeps(keeper: KeeperProcess, talk: Talk) -> None:
    """Not one wake-up while nothing happens, with children and a daemon there."""
    talk.spawn(1, "/bin/sleep", "1000")
    talk.hear_one("spawned").close()
    talk.tell("release", name="x")
    until(lambda: switches(keeper.pid) == wait_and_count(keeper.pid))


def switches(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)


def wait_and_count(pid: int) -> int:
    signal.sigtimedwait([], 0.3)
    return switches(pid)


def test_the_keeper_stays_small(keeper: KeeperProcess, talk: Talk) -> None:
    """Less than 5 MiB of its own; what it may load is in tests/architecture."""
    lines = Path(f"/proc/{keeper.pid}/smaps_rollup").read_text().splitlines()
    private = sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
    assert private < 5 * 1024


def test_a_killed_keeper_is_cleared_away() -> None:
    """A relay that lives on, with the keeper's stderr, ends with the test."""
    keeper = KeeperProcess()
    relay = os.pidfd_open(keeper.next_talk().pid)
    keeper.process.kill()
    keeper.process.wait()
    keeper.close()
    poll = select.poll()
    poll.register(relay, select.POLLIN)
    assert poll.poll(PATIENCE * 1000)
    os.close(relay)
