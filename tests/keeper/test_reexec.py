"""The keeper becomes another program: same pid, same children, nothing lost."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from keeper.keeping import KeeperProcess, Talk, read_all, until
from proctor.keeper.identity import birth
from proctor.posix.keeper_launch import keeper_program

SHELL = "/bin/sh"
WRITER = "i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done; exit $1"
REEXECS = int(os.environ.get("PROCTOR_REEXECS", "5"))


def reexec(talk: Talk) -> None:
    """Ask for it and wait until the new program speaks."""
    talk.tell("reexec", command=keeper_program())
    message = talk.hear()
    assert message.kind == "reexeced", message.fields


def test_children_and_descriptors_stay(keeper: KeeperProcess, talk: Talk) -> None:
    """What was held is held, what ended is remembered, and the talk goes on."""
    talk.spawn(1, SHELL, "-c", "read line; echo out $line; exit 4", note="a note")
    born = talk.hear_one("spawned")
    talk.spawn(2, SHELL, "-c", "exit 7")
    talk.hear_one("exited").close()
    reader, writer = os.pipe()
    talk.tell("hold", reader, name="pipe")
    os.close(reader)
    before = os.stat(f"/proc/{keeper.pid}")
    reexec(talk)
    assert os.stat(f"/proc/{keeper.pid}").st_ino == before.st_ino, "it is the same process"
    talk.vanish()
    second = keeper.next_talk()
    held = second.hello()
    assert [(each.kind, each.fields.get("key"), each.fields.get("status")) for each in held] == [
        ("held", "test:2", 7 << 8),
        ("held", "test:1", None),
        ("descriptor", None, None),
        ("welcome", None, None),
    ]
    assert held[1].fields["note"] == "a note"
    assert held[1].fields["pid"] == born.fields["pid"]
    os.write(writer, b"x")
    assert os.read(held[2].fds[0], 1) == b"x"
    os.write(held[1].fds[0], b"back\n")
    assert second.hear_one("exited").fields["status"] == 4 << 8
    assert os.read(held[1].fds[1], 100) == b"out back\n"
    os.close(writer)
    for message in [*held, born]:
        message.close()


def test_again_and_again_under_load(keeper: KeeperProcess, talk: Talk) -> None:
    """Children write, end and are born meanwhile: every line, every status, once."""
    texts: dict[int, bytes] = {}
    pipes: dict[int, int] = {}
    ended: dict[int, int] = {}
    asked = done = 0
    while len(ended) < 3 * REEXECS:
        if asked == done < REEXECS:
            for number in range(3 * asked, 3 * asked + 3):
                talk.spawn(number, SHELL, "-c", WRITER, "writer", str(number))
            talk.tell("reexec", command=keeper_program())
            asked += 1
        message = talk.hear()
        if message.kind == "spawned":
            _, out, _ = fds = message.take()
            pipes[int(str(message.fields["id"]))] = out
            os.close(fds[0])
            os.close(fds[2])
        elif message.kind == "exited":
            key = str(message.fields["key"])
            number = int(key.partition(":")[2])
            assert number not in ended, "an end is told once"
            ended[number] = int(str(message.fields["status"]))
            talk.tell("acknowledge", key=key, pid=message.fields["pid"])
        else:
            assert message.kind == "reexeced", message.fields
            done += 1
        for number in [number for number in pipes if number not in ended]:
            texts[number] = texts.get(number, b"") + drain(pipes[number])
    assert ended == {number: number << 8 for number in range(3 * REEXECS)}
    expected = b"".join(b"%d\n" % number for number in range(3000))
    for number, fd in pipes.items():
        assert texts.get(number, b"") + read_all(fd) == expected
    until(lambda: len(keeper.children()) == 1)


def drain(fd: int) -> bytes:
    """Make room in the pipe."""
    try:
        return os.read(fd, 65536)
    except BlockingIOError:
        return b""


def test_signals_in_between_arrive(keeper: KeeperProcess, talk: Talk) -> None:
    """No signal finds the keeper without its handlers, and the last one is passed on."""
    poll = select.poll()
    poll.register(talk.wire.sock, select.POLLIN)
    for _ in range(REEXECS):
        talk.tell("reexec", command=keeper_program())
        while not poll.poll(1):
            os.kill(keeper.pid, signal.SIGHUP)
            talk.signalled()
        message = talk.hear()
        assert (message.kind, message.fields["says_begun"]) == ("reexeced", True)


def test_the_daemon_ends_over_it(keeper: KeeperProcess, talk: Talk) -> None:
    """The new program starts it again."""
    talk.spawn(1, "/bin/sleep", "1000")
    talk.hear_one("spawned").close()
    talk.tell("reexec", command=keeper_program())
    talk.vanish()
    second = keeper.next_talk()
    assert [message.kind for message in second.hello()] == ["held", "welcome"]
    # Refused if the first is still being tried, but then that one comes.
    second.tell("reexec", command=keeper_program())
    second.hear_one("reexeced")


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("print('I am no keeper'); raise SystemExit(3)", "I am no keeper"),
        ("raise SystemExit(3)", "wait status 768"),
        (None, "couldn't exec /nonexistent"),
    ],
)
def test_a_program_that_cannot_is_refused(
    talk: Talk, tmp_path: Path, program: str | None, reason: str
) -> None:
    """With its own words; everything goes on as it was."""
    path = tmp_path / "keeper.py"
    path.write_text(program or "")
    command = [sys.executable, str(path)] if program else ["/nonexistent"]
    talk.tell("reexec", command=command)
    refusal = talk.hear()
    assert refusal.kind == "reexec_refused"
    assert reason in str(refusal.fields["reason"])
    talk.spawn(1, SHELL, "-c", "exit 5")
    assert talk.hear_one("exited").fields["status"] == 5 << 8


def test_a_state_of_another_format_is_refused(tmp_path: Path) -> None:
    """The check reads what it is given as the real thing would."""
    for text in ('{"format": 999}', "nonsense", "{}"):
        done = subprocess.run(
            [*keeper_program(), "--check-state"], input=text.encode(), capture_output=True
        )
        assert done.returncode == 2
        assert b"cannot keep anything with --check-state" in done.stderr


def test_what_the_next_program_would_not_know_is_refused() -> None:
    """Found out by the trial, not when the old program is gone and has left all its children."""
    fields: dict[str, object] = dict.fromkeys(
        ("open_files", "last_status", "stop_signal", "goodbye", "daemon")
    )
    fields |= {name: [] for name in ("command", "undelivered", "children", "watched")}
    fields |= {"restarts": 0, "patience": 0.0, "first": False, "alone": False, "descriptors": {}}

    def check(timers: dict[str, float]) -> subprocess.CompletedProcess[bytes]:
        text = json.dumps(fields | {"timers": timers}).encode()
        command = [*keeper_program(), "--check-state"]
        return subprocess.run(command, input=text, capture_output=True)

    known = check({"_start_daemon": 1.0})
    assert known.returncode == 0, known.stderr
    unknown = check({"_start_daemon": 1.0, "_water_the_plants": 2.0})
    assert unknown.returncode == 2
    assert b"nobody here knows what _water_the_plants is" in unknown.stderr


def test_a_process_that_is_not_a_child(keeper: KeeperProcess, talk: Talk) -> None:
    """It can be handed over, watched and signalled, over a re-exec too; a stranger cannot."""
    pid = os.spawnv(os.P_NOWAIT, "/bin/sleep", ["sleep", "1000"])
    fields = {"key": "f:f", "pid": pid, "note": "", "started": 1.5, "tree": []}
    talk.tell("adopt", birth=birth(pid) + 1, **fields)
    assert talk.hear_one("exited").fields["status"] == -1, "it is not who it was"
    talk.tell("acknowledge", key="f:f", pid=pid)
    talk.tell("adopt", birth=birth(pid), **fields)
    reexec(talk)
    talk.tell("signal", key="f:f", pid=pid, signum=signal.SIGTERM, to_group=True)
    # Nobody has reaped it yet: its status can be read all the same.
    assert talk.hear_one("exited").fields["status"] == signal.SIGTERM
    assert os.waitpid(pid, 0) == (pid, signal.SIGTERM)
