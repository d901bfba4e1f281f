"""The daemon dies; nothing else does.  kill -9 costs no child, no exit status and no pipe."""

from __future__ import annotations

import os
import random
import select
import signal
import time
from pathlib import Path

from keeper.keeping import PATIENCE, KeeperProcess, Talk, until
from proctor.keeper.daemon import Patience
from proctor.keeper.protocol import Message

SHELL = "/bin/sh"


def test_the_next_daemon_is_told_of_the_living(keeper: KeeperProcess, talk: Talk) -> None:
    """With pid, note, time and the very same pipes."""
    talk.spawn(1, SHELL, "-c", "read line; echo $line; exit 4", note='{"tries": 2}')
    born = talk.hear_one("spawned")
    talk.vanish()
    second = keeper.next_talk()
    held, welcome = second.hello()
    assert held.fields | {"ended": 0} == {
        "key": "test:1",
        "pid": born.fields["pid"],
        "note": '{"tries": 2}',
        "started": born.fields["at"],
        "status": None,
        "ended": 0,
        "usage": [],
        "streams": "ioe",
        "signalled": [],
        "birth": born.fields["birth"],
        "foreign": False,
    }
    assert welcome.fields["restarts"] == 1
    stdin, stdout, stderr = held.take()
    os.write(stdin, b"still here\n")
    assert second.hear_one("exited").fields["status"] == 4 << 8
    assert os.read(stdout, 100) == b"still here\n"
    for fd in (stdin, stdout, stderr):
        os.close(fd)
    born.close()


def test_the_next_daemon_is_told_what_the_child_was_sent(keeper: KeeperProcess, talk: Talk) -> None:
    """And when: so nobody is asked to end twice."""
    talk.spawn(1, SHELL, "-c", "trap '' TERM; echo; while :; do sleep 1; done")
    born = talk.hear_one("spawned")
    until(lambda: bool(select.select([born.fds[1]], [], [], 0)[0]))
    started = born.fields["at"]
    fields = {"key": "test:1", "pid": born.fields["pid"], "to_group": False}
    talk.tell("signal", signum=signal.SIGTERM, **fields)
    talk.vanish()
    born.close()
    held, _ = keeper.next_talk().hello()
    told = held.fields["signalled"]
    assert isinstance(told, list)
    assert [signum for signum, _ in told] == [signal.SIGTERM]
    assert all(started < at < time.monotonic() for _, at in told)
    held.close()


def test_an_end_without_a_daemon_is_kept(keeper: KeeperProcess, talk: Talk) -> None:
    """The status and the last words wait until somebody has written them down."""
    talk.spawn(1, SHELL, "-c", "read line; echo last words; exit 9")
    born = talk.hear_one("spawned")
    keeper.break_daemon()
    talk.vanish()
    os.write(born.fds[0], b"\n")
    born.close()
    until(lambda: keeper.has_failed() and keeper.children() == [])
    keeper.break_daemon(False)
    for _ in range(2):  # not acknowledged: told again
        after = keeper.next_talk()
        held, _ = after.hello()
        assert held.fields["status"] == 9 << 8
        after.vanish()
    last = keeper.next_talk()
    held, _ = last.hello()
    assert os.read(held.fds[1], 100) == b"last words\n"
    held.close()
    last.tell("acknowledge", key="test:1", pid=held.fields["pid"])
    last.vanish()
    assert len(keeper.next_talk().hello()) == 1, "and then it is forgotten"


def test_requests_of_a_dead_daemon_are_carried_out(keeper: KeeperProcess, talk: Talk) -> None:
    """What it asked for in its last moment it wanted; the next daemon finds the result."""
    talk.spawn(1, "/bin/sleep", "1000")
    talk.spawn(2, SHELL, "-c", "exit 2")
    talk.vanish()
    second = keeper.next_talk()
    until(lambda: len(keeper.children()) == 2)
    held = [message for message in second.hello() if message.kind == "held"]
    assert {message.fields["key"] for message in held} == {"test:1", "test:2"}
    for message in held:
        message.close()


def test_killed_again_and_again(keeper: KeeperProcess, talk: Talk) -> None:
    """30 kills while 30 children write numbered lines and end: every line, every status."""
    dice = random.Random(os.urandom(8))
    writer = "i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done; exit $1"
    for number in range(30):
        talk.spawn(number, SHELL, "-c", writer, "writer", str(number))
    story = _Story()
    generation = talk
    for _ in range(30):
        for _ in range(dice.randrange(60)):
            if story.done:
                break
            story.follow(generation, generation.hear())
        story.forget_descriptors()
        generation.vanish()
        generation = keeper.next_talk()
        for message in generation.hello():
            story.follow(generation, message)
    while not story.done:
        story.read_pipes()
        if len(story.ended) < 30:
            story.follow(generation, generation.hear())
    expected = b"".join(b"%d\n" % number for number in range(2000))
    assert all(text == expected for text in story.output.values())
    assert story.ended == {f"test:{number}": number << 8 for number in range(30)}
    story.forget_descriptors()


class _Story:
    """What a chain of daemons learns of 30 children.

    Whatever one daemon reads is written down at once.
    """

    def __init__(self) -> None:
        self.output: dict[str, bytes] = {}
        self.ended: dict[str, int] = {}
        self._stdout: dict[str, int] = {}
        self._closed: set[str] = set()

    @property
    def done(self) -> bool:
        return len(self.ended) == 30 and len(self._closed) == 30

    def follow(self, talk: Talk, message: Message) -> None:
        fields = message.fields
        key = str(fields.get("key") or f"test:{fields.get('id')}")
        if message.kind in ("held", "spawned"):
            stdin, stdout, stderr = message.take()
            os.close(stdin)
            os.close(stderr)
            if key in self._stdout:
                os.close(self._stdout[key])
            self._stdout[key] = stdout
            self.output.setdefault(key, b"")
        if message.kind in ("held", "exited") and fields["status"] is not None:
            assert self.ended.setdefault(key, int(str(fields["status"]))) == fields["status"]
            self._read(key)
            talk.tell("acknowledge", key=key, pid=fields["pid"])
        self.read_pipes()

    def read_pipes(self) -> None:
        for key in self._stdout:
            self._read(key)

    def _read(self, key: str) -> None:
        try:
            while key not in self._closed:
                piece = os.read(self._stdout[key], 65536)
                self.output[key] += piece
                if not piece:
                    self._closed.add(key)
        except BlockingIOError:
            return

    def forget_descriptors(self) -> None:
        for fd in self._stdout.values():
            os.close(fd)
        self._stdout = {}


def test_a_daemon_that_cannot_start_leaves_the_programs_alone(
    keeper: KeeperProcess, talk: Talk
) -> None:
    """It is tried again, and the one that comes up is told how often."""
    talk.spawn(1, "/bin/sleep", "1000")
    pid = talk.hear_one("spawned").fields["pid"]
    keeper.break_daemon()
    talk.vanish()
    until(keeper.has_failed)
    assert pid in keeper.children()
    keeper.break_daemon(False)
    held, welcome = keeper.next_talk().hello()
    assert held.fields["pid"] == pid
    assert int(str(welcome.fields["restarts"])) >= 2
    assert welcome.fields["last_status"] == 3 << 8


def test_the_first_daemon_may_fail_and_the_keeper_with_it(keeper: KeeperProcess) -> None:
    """Before hello nothing is held, so the user gets the exit code instead of a restart."""
    first = keeper.next_talk()
    os.kill(first.pid, signal.SIGKILL)
    assert keeper.process.wait(PATIENCE) == 128 + 9


def test_a_stop_survives_the_daemon(keeper: KeeperProcess, talk: Talk) -> None:
    """A daemon that was told to stop and died over it is followed by one that is told again."""
    os.kill(keeper.pid, signal.SIGTERM)
    assert talk.signalled() == signal.SIGTERM
    talk.vanish()
    second = keeper.next_talk()
    second.hello()
    assert second.signalled() == signal.SIGTERM


def test_signals_wait_for_the_daemon(keeper: KeeperProcess, talk: Talk) -> None:
    """What comes while there is none, or before it says hello, is delivered then."""
    keeper.break_daemon()
    talk.vanish()
    until(lambda: keeper.children() == [])
    os.kill(keeper.pid, signal.SIGHUP)
    keeper.break_daemon(False)
    second = keeper.next_talk()
    os.kill(keeper.pid, signal.SIGUSR2)
    until(lambda: not _pending(keeper.pid))
    second.hello()
    assert {second.signalled(), second.signalled()} == {signal.SIGHUP, signal.SIGUSR2}


def _pending(pid: int) -> bool:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return any(int(line.split()[1], 16) for line in lines if line.startswith(("SigPnd", "ShdPnd")))


def test_stopping_without_a_daemon(keeper: KeeperProcess, talk: Talk) -> None:
    """When no daemon comes up to do it properly, the keeper ends the programs, then itself."""
    talk.spawn(1, SHELL, "-c", "sleep 1000 & wait")
    talk.hear_one("spawned").close()
    keeper.break_daemon()
    talk.vanish()
    os.kill(keeper.pid, signal.SIGTERM)
    assert keeper.process.wait(PATIENCE) == 1


def test_a_garbled_wire_ends_the_daemon_not_the_keeper(keeper: KeeperProcess, talk: Talk) -> None:
    """A length that cannot be: nothing after it can be understood, so a new daemon has to come."""
    talk.spawn(1, "/bin/sleep", "1000")
    talk.hear_one("spawned").close()
    talk.wire.sock.send(b"\xff" * 5)
    os.kill(talk.pid, signal.SIGKILL)
    held, _ = keeper.next_talk().hello()
    assert held.fields["key"] == "test:1"


def test_patience_grows() -> None:
    """At once, then a tenth of a second, doubled each time, never more than half a minute."""
    patience = Patience()
    delays = [patience.next_delay() for _ in range(20)]
    assert delays[:4] == [0.0, 0.1, 0.2, 0.4]
    assert max(delays) == 30.0
    patience.restore()
    assert patience.next_delay() == 0.0
