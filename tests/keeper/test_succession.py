"""A daemon stands aside for its successor, and returns when that one comes to nothing."""

from __future__ import annotations

import os
import signal

from keeper.keeping import KeeperProcess, Talk, read_all, until
from proctor.keeper.protocol import Message

SHELL = "/bin/sh"
LONG = 100.0


def a_child(talk: Talk) -> Message:
    """One that reads a line, says it and ends with status 4."""
    talk.spawn(1, SHELL, "-c", "read line; echo $line; exit 4")
    return talk.hear_one("spawned")


def test_the_successor_has_everything_and_the_old_one_goes(
    keeper: KeeperProcess, talk: Talk
) -> None:
    """The children are told to it as after a death, but nobody counts one."""
    assert talk.hello()[-1].fields["says_begun"]
    born = a_child(talk)
    old = keeper.stand_aside(talk)
    new = keeper.next_talk()
    assert old.hear().kind == "begun"
    assert new.pid != talk.pid
    held, welcome = new.hello()
    assert (held.fields["pid"], welcome.fields["restarts"]) == (born.fields["pid"], 0)
    assert welcome.fields["predecessor"] == "from 1"
    new.tell("healthy")
    old.hear_one("retire")
    old.vanish()
    until(lambda: talk.pid not in keeper.children())
    stdin, stdout, stderr = held.take()
    os.write(stdin, b"on\n")
    assert new.hear_one("exited").fields["status"] == 4 << 8
    assert read_all(stdout) == b"on\n"
    for fd in (stdin, stderr):
        os.close(fd)
    born.close()


def test_a_successor_that_dies_brings_the_old_one_back(keeper: KeeperProcess, talk: Talk) -> None:
    """With the reason; what was signalled meanwhile is for the one who returns."""
    born = a_child(talk)
    keeper.break_daemon()
    old = keeper.stand_aside(talk)
    returned = old.hear_one("return")
    assert returned.fields == {"reason": "it ended with exit status 3"}
    os.kill(keeper.pid, signal.SIGUSR2)
    held, welcome = old.hello()
    assert old.signalled() == signal.SIGUSR2
    assert (held.fields["pid"], welcome.fields["predecessor"]) == (born.fields["pid"], None)
    held.close()
    born.close()


def test_a_successor_that_hangs_is_killed(keeper: KeeperProcess, talk: Talk) -> None:
    """However far it has come in its time."""
    old = keeper.stand_aside(talk, seconds=0.3)
    assert old.hear_one("return").fields == {"reason": "it was not healthy within 0.3 seconds"}
    until(lambda: keeper.children() == [talk.pid])
    assert [message.kind for message in old.hello()] == ["welcome"]


def test_a_successor_that_cannot_begin_does_not_end_everything(
    keeper: KeeperProcess, talk: Talk
) -> None:
    """A first daemon that says bye(2) ends the keeper; this one has somebody behind it."""
    old = keeper.stand_aside(talk)
    new = keeper.next_talk()
    new.hello()
    new.tell("bye", code=2)
    new.vanish()
    old.hear_one("return")
    old.hello()
    old.tell("bye", code=5)
    old.vanish()
    assert keeper.process.wait(LONG) == 5


def test_a_shutdown_in_the_middle_is_a_shutdown(keeper: KeeperProcess, talk: Talk) -> None:
    """The successor was told to end and has done so."""
    old = keeper.stand_aside(talk)
    new = keeper.next_talk()
    new.hello()
    os.kill(keeper.pid, signal.SIGTERM)
    assert new.signalled() == signal.SIGTERM
    new.tell("bye", code=0)
    new.vanish()
    assert keeper.process.wait(LONG) == 0
    old.vanish()


def test_where_nobody_can_return_another_one_begins(keeper: KeeperProcess, talk: Talk) -> None:
    """The old one was killed while it waited: then the successor is a daemon like any other."""
    old = keeper.stand_aside(talk)
    new = keeper.next_talk()
    new.hello()
    old.vanish()
    until(lambda: old.pid not in keeper.children())
    new.vanish()
    third = keeper.next_talk()
    (welcome,) = third.hello()
    assert (welcome.fields["restarts"], welcome.fields["predecessor"]) == (1, None)


def test_one_that_dies_with_the_word_in_its_mouth(keeper: KeeperProcess, talk: Talk) -> None:
    """It is heard after its end: its successor is a daemon like any other, and nobody returns."""
    keeper.process.send_signal(signal.SIGSTOP)
    old = keeper.stand_aside(talk)
    old.vanish()
    keeper.process.send_signal(signal.SIGCONT)
    new = keeper.next_talk()
    (welcome,) = new.hello()
    assert welcome.fields["predecessor"] is None
    new.tell("healthy")
    assert new.hello()[-1].kind == "welcome"
    assert keeper.children() == [new.pid]
    new.vanish()
    third = keeper.next_talk()
    assert third.hello()[-1].fields["restarts"] == 1


def test_the_next_successor_too(keeper: KeeperProcess, talk: Talk) -> None:
    """One after the other, also when the last one dawdles on its way out."""
    first = keeper.stand_aside(talk)
    second = keeper.next_talk()
    second.hello()
    second.tell("healthy")
    first.hear_one("retire")
    aside = keeper.stand_aside(second)
    third = keeper.next_talk()
    third.hello()
    until(lambda: talk.pid not in keeper.children())
    third.vanish()
    aside.hear_one("return")
    aside.hello()
