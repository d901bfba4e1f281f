"""What must reach its channel, in a directory on disk, until it has.

1. A message is a file; it is complete before it has its name, and goes when it was delivered.  One
   that is put again under its number replaces the first, so an event that is heard twice because we
   died in between is still told once.
2. Each channel has at most `keep` messages; the oldest makes room, with a line in the log, and the
   next that gets through says how many are missing.
3. When the disk refuses, messages live on in memory; that is said once.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from proctor.core.values import dataclass

_STATE = "state.json"


@dataclass(frozen=True, slots=True)
class Message:
    """`channel` is the key of a channel, `when` seconds since the epoch; `good` is good news."""

    number: int
    channel: str
    title: str
    text: str
    when: float
    good: bool = False
    processes: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Its name in the directory; sorted by name is sorted by age."""
        return f"{self.number:012d}-{self.channel}.json"


class Queue:
    """Messages by channel.  For several threads, but one process: raises OSError if it is taken."""

    def __init__(self, directory: str, keep: int, say: Callable[[str], None]) -> None:
        self._directory = Path(directory)
        self._keep = keep
        self._say = say
        self._disk_works = True
        self._state = ""
        self._changed = threading.Condition()
        self._messages: dict[str, list[Message]] = {}
        self._missing: dict[str, int] = {}
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Held until the process ends.
        self._lock = os.open(self._directory, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise
        for path in sorted(self._directory.glob("*-*.json")):
            self._load(path)

    def _load(self, path: Path) -> None:
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            message = Message(**{**data, "processes": tuple(data["processes"])})
        except (ValueError, TypeError, KeyError) as error:
            self._say(f"cannot understand {path}: {error}; it stays where it is")
            return
        self._messages.setdefault(message.channel, []).append(message)

    @property
    def next_number(self) -> int:
        """One that no waiting message has, nor any before it."""
        numbers = [each.number for waiting in self._messages.values() for each in waiting]
        return max(numbers, default=-1) + 1

    def close(self) -> None:
        """Let another process have the directory."""
        os.close(self._lock)

    def state(self) -> dict[str, Any] | None:
        """What was saved last; None when there is nothing that can be read."""
        try:
            found = json.loads((self._directory / _STATE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            self._say(f"cannot understand {self._directory / _STATE}: {error}; starting afresh")
            return None
        return found if isinstance(found, dict) else None

    def save(self, state: dict[str, object]) -> None:
        """Keep what the rules must remember; costs nothing when it has not changed."""
        text = json.dumps(state)
        if text != self._state and self._write(_STATE, text):
            self._state = text

    def put(self, message: Message) -> None:
        """Keep a message until `done`."""
        with self._changed:
            waiting = self._messages.setdefault(message.channel, [])
            waiting[:] = [other for other in waiting if other.number != message.number]
            if len(waiting) >= self._keep:
                self._drop(waiting[0], "the queue is full")
            waiting.append(message)
            self._write(message.file, json.dumps(asdict(message), ensure_ascii=False))
            self._changed.notify_all()

    def wait(self, channel: str) -> tuple[Message, int]:
        """The oldest message of a channel, and how many before it were dropped; waits for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._messages.get(channel))
            return self._messages[channel][0], self._missing.get(channel, 0)

    def done(self, message: Message) -> None:
        """It was delivered."""
        with self._changed:
            self._missing.pop(message.channel, None)
            self._remove(message)

    def drop(self, message: Message, why: str) -> None:
        """It will never be delivered."""
        with self._changed:
            self._drop(message, why)

    def discard_all_but(self, channels: set[str]) -> None:
        """Messages for channels that are no longer configured can go nowhere."""
        for key in set(self._messages) - channels:
            for message in self._messages[key][:]:
                self.drop(message, "its channel is no longer configured")

    def _drop(self, message: Message, why: str) -> None:
        self._say(f"dropped {message.title!r}: {why}")
        self._missing[message.channel] = self._missing.get(message.channel, 0) + 1
        self._remove(message)

    def _remove(self, message: Message) -> None:
        waiting = self._messages.get(message.channel, [])
        waiting[:] = [other for other in waiting if other.number != message.number]
        with contextlib.suppress(OSError):
            (self._directory / message.file).unlink(missing_ok=True)

    def _write(self, name: str, text: str) -> bool:
        draft = self._directory / f".{name}"
        try:
            draft.write_text(text, encoding="utf-8")
            draft.replace(self._directory / name)
        except OSError as error:
            if self._disk_works:
                self._say(f"cannot write to {self._directory}: {error}; going on in memory")
            self._disk_works = False
            return False
        self._disk_works = True
        return True
