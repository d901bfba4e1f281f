"""A real keeper whose daemon is the test: every generation of it hands us its socket (relay.py)."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from proctor.keeper.protocol import Message, Wire

PATIENCE = 100.0


class Talk:
    """The daemon's side of one generation: the wire to the keeper and the relay's own words."""

    def __init__(self, pid: int, sock: socket.socket, control: socket.socket) -> None:
        self.pid = pid
        self.sock = sock
        self.wire = Wire(sock)
        self.control = control
        self._heard: list[Message] = []

    def tell(self, kind: str, *fds: int, **fields: object) -> None:
        """Say it, all of it."""
        self.wire.queue(kind, fields, fds)
        while not self.wire.flush():
            self._wait(select.POLLOUT)

    def spawn(self, number: int, *argv: str, **order: object) -> None:
        """Ask for a child; the key is `test:<number>`."""
        wanted = {"key": f"test:{number}", "filename": argv[0], "argv": argv, **order}
        self.tell("spawn", id=number, order=wanted)

    def hear(self) -> Message:
        """The next message; waits for it."""
        while not self._heard:
            self._wait(select.POLLIN)
            self._heard += self.wire.receive()
        return self._heard.pop(0)

    def hear_one(self, kind: str) -> Message:
        """The next message of this kind; the ones before are forgotten."""
        while (message := self.hear()).kind != kind:
            message.close()
        return message

    def hello(self) -> list[Message]:
        """All that the keeper holds, the welcome last."""
        self.tell("hello", protocol=1)
        messages = [self.hear()]
        while messages[-1].kind != "welcome":
            messages.append(self.hear())
        return messages

    def signalled(self) -> int:
        """The next signal that reached the daemon."""
        self.control.settimeout(PATIENCE)
        line = b""
        while not line.endswith(b"\n"):
            line += self.control.recv(1)
        return int(line)

    def vanish(self) -> None:
        """kill -9, and not a word more is read."""
        os.kill(self.pid, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        for message in self._heard:
            message.close()
        self._heard = []
        self.wire.close()
        self.control.close()

    def _wait(self, events: int) -> None:
        poll = select.poll()
        poll.register(self.wire.sock, events)
        assert poll.poll(PATIENCE * 1000), "the keeper says nothing"


class KeeperProcess:
    """The keeper, as the process a user would have started.  `close` leaves nothing behind."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="keeper-")
        self.path = os.path.join(self._folder, "s")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        self._listener.settimeout(PATIENCE)
        self._talks: list[Talk] = []
        self._relays: list[int] = []  # pidfds
        relay = str(Path(__file__).with_name("relay.py"))
        self.process = subprocess.Popen([sys.executable, relay, self.path], stderr=subprocess.PIPE)

    @property
    def pid(self) -> int:
        return self.process.pid

    def next_talk(self) -> Talk:
        """Wait for the next generation of the daemon."""
        control, _ = self._listener.accept()
        data, fds, _, _ = socket.recv_fds(control, 100, 1)
        talk = Talk(int(data), socket.socket(fileno=fds[0]), control)
        with contextlib.suppress(ProcessLookupError):
            self._relays.append(os.pidfd_open(talk.pid))
        self._talks.append(talk)
        return talk

    def stand_aside(self, talk: Talk, seconds: float = PATIENCE) -> Talk:
        """Let this daemon say `succeed`; what it hears then, and can say when it returns."""
        ours, theirs = socket.socketpair()
        talk.tell("succeed", theirs.fileno(), note="from 1", seconds=seconds)
        theirs.close()
        talk.wire.close()
        aside = Talk(talk.pid, ours, talk.control)
        self._talks.append(aside)
        return aside

    def break_daemon(self, broken: bool = True) -> None:
        """From now on every new daemon fails at its start, or no more."""
        sign = Path(self.path + ".broken")
        if broken:
            sign.touch()
        else:
            sign.unlink()

    def has_failed(self) -> bool:
        """Whether a broken daemon was started."""
        return Path(self.path + ".failed").exists()

    def children(self) -> list[int]:
        """The pids of its children, the daemon among them; none when it is gone."""
        try:
            text = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        except FileNotFoundError:
            return []
        return [int(pid) for pid in text.split()]

    def close(self) -> None:
        # Stopped, it cannot start another daemon while we go through the list.
        self.process.send_signal(signal.SIGSTOP)
        for pid in self.children():
            for kill in (os.killpg, os.kill):  # it may not lead its group yet
                with contextlib.suppress(ProcessLookupError):
                    kill(pid, signal.SIGKILL)
        # Those of a keeper that was killed are nobody's children any more.
        for relay in self._relays:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(relay, signal.SIGKILL)
            os.close(relay)
        for talk in self._talks:
            talk.close()
        self.process.kill()
        self.process.communicate()
        self._listener.close()
        shutil.rmtree(self._folder)


def until(condition: Callable[[], bool]) -> None:
    """Wait for it, looking now and then."""
    for _ in range(int(PATIENCE / 0.01)):
        if condition():
            return
        select.select([], [], [], 0.01)
    raise AssertionError("waited in vain")


def read_all(fd: int) -> bytes:
    """Everything up to the end of the stream; closes it.  Works on non-blocking pipes."""
    text = b""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    while True:
        assert poll.poll(PATIENCE * 1000), "the stream does not end"
        piece = os.read(fd, 65536)
        text += piece
        if not piece:
            os.close(fd)
            return text
