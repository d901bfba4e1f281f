"""The listener's side of the event protocol, and what a listener knows about where it runs.

1. Standard output carries READY and RESULT and nothing else; `say` writes to standard error.
2. A result is sent when the event has been dealt with, so whoever dies before gets it again.
3. The end of standard input is the end of supervisord: the listener ends too, with status 1.

Source: compat events.md, sections 2, 3 and 7; superlance.md, section 1.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

from proctor.client.connection import ProtocolError
from proctor.client.server import Server
from proctor.core.envelope import fields_of
from proctor.core.faults import Fault
from proctor.core.values import dataclass

# Whatever keeps the daemon from answering, or its answer from being a good one.
RPC_TROUBLE = (Fault, ProtocolError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it was received."""

    name: str
    payload: str

    @property
    def fields(self) -> dict[str, str]:
        """The first line of the payload, `processname` and so on."""
        return fields_of(self.payload.partition("\n")[0])

    @property
    def is_unexpected_exit(self) -> bool:
        """Whether a process exited in a way its configuration does not expect."""
        return self.name == "PROCESS_STATE_EXITED" and self.fields.get("expected") == "0"


def listen(handle: Callable[[Event], None]) -> NoReturn:
    """Give one event after the other to `handle`.  Raises SystemExit at the end of the stream."""
    # `len` counts characters, so newlines must not be translated; undecodable bytes count as one.
    stream = io.TextIOWrapper(
        sys.stdin.buffer, encoding="utf-8", errors="surrogateescape", newline="\n"
    )
    while True:
        _answer("READY\n")
        handle(_next(stream))
        _answer("RESULT 2\nOK")


def _next(stream: io.TextIOWrapper) -> Event:
    line = stream.readline()
    if line.endswith("\n"):
        headers = fields_of(line.rstrip("\n"))
        length = int(headers["len"])
        payload = stream.read(length)
        if len(payload) == length:
            return Event(headers["eventname"], payload)
    raise SystemExit("no more events: supervisord has closed our standard input")


def say(text: str, end: str = "\n") -> None:
    """A line for the listener's log."""
    sys.stderr.write(f"{text}{end}")
    sys.stderr.flush()


def asctime() -> str:
    """Local time as `YYYY-MM-DD HH:MM:SS,mmm`."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    return f"{stamp},{int(now % 1 * 1000):03d}"


def is_supervised(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether supervisord started us and can be asked."""
    return "SUPERVISOR_SERVER_URL" in environment


def daemon(environment: Mapping[str, str] = os.environ) -> Server:
    """The daemon that started us.  Raises KeyError when none did; a wrong URL shows in calls."""
    return Server(
        environment["SUPERVISOR_SERVER_URL"],
        environment.get("SUPERVISOR_USERNAME", ""),
        environment.get("SUPERVISOR_PASSWORD", ""),
    )


@contextmanager
def acting() -> Iterator[Server]:
    """Do something with the daemon that started us; when that cannot be, it is left, and said."""
    server = daemon()
    try:
        yield server
    except RPC_TROUBLE as trouble:
        say(f"Exception retrieving process info {shown(trouble)}, not acting")
    finally:
        server.close()


def is_ourselves(group: str, name: str) -> bool:
    """Whether that process is this one; a listener that stops itself starts nothing again (S6)."""
    ours = os.environ.get("SUPERVISOR_GROUP_NAME"), os.environ.get("SUPERVISOR_PROCESS_NAME")
    return ours == (group, name)


def is_among(wanted: Collection[str], group: str, name: str) -> bool:
    """Whether `-p` options name a process; a bare name means that process in any group."""
    return name in wanted or f"{group}:{name}" in wanted


def shown(trouble: Exception) -> str:
    """A refusal of the daemon, as the standard library's client spells it, or any other error."""
    if isinstance(trouble, Fault):
        return f"<Fault {trouble.code}: {trouble.text!r}>"
    return str(trouble)


def _answer(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
