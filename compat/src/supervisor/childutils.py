"""For event listeners: reading events, answering them, and asking the daemon back.

Source: compat plugins.md, section 5, tiers 1 and 2; gotchas G30, G93, G94.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import IO
from xmlrpc.client import ServerProxy

from supervisor.absent import absent
from supervisor.xmlrpc import SupervisorTransport

BEGIN_TOKEN = b"<!--XSUPERVISOR:BEGIN-->"
END_TOKEN = b"<!--XSUPERVISOR:END-->"
__getattr__ = absent(__name__)


def getRPCTransport(env: Mapping[str, str]) -> SupervisorTransport:
    """A transport to the daemon that started us.  Raises KeyError without SUPERVISOR_SERVER_URL."""
    username = env.get("SUPERVISOR_USERNAME", "")
    password = env.get("SUPERVISOR_PASSWORD", "")
    return SupervisorTransport(username, password, env["SUPERVISOR_SERVER_URL"])


def getRPCInterface(env: Mapping[str, str]) -> ServerProxy:
    """A proxy of the daemon that started us.  Raises KeyError without SUPERVISOR_SERVER_URL."""
    return ServerProxy("http://127.0.0.1", transport=getRPCTransport(env))


def get_headers(line: str) -> dict[str, str]:
    """`a:b c:d` as a dict."""
    headers = {}
    for word in line.split():
        key, value = word.split(":", 1)
        headers[key] = value
    return headers


def eventdata(payload: str) -> tuple[dict[str, str], str]:
    """The first line of a payload as a dict, and the rest.  Raises ValueError without a newline."""
    line, data = payload.split("\n", 1)
    return get_headers(line), data


def get_asctime(now: float | None = None) -> str:
    """Local time as `YYYY-MM-DD HH:MM:SS,mmm`; `now` in seconds since the epoch."""
    moment = time.time() if now is None else now
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
    return f"{stamp},{int(moment % 1 * 1000):03d}"


class EventListenerProtocol:
    """The listener's side: say READY, read an event, answer it."""

    def wait(
        self, stdin: IO[str] | None = None, stdout: IO[str] | None = None
    ) -> tuple[dict[str, str], str]:
        """Say that we are ready and wait for an event: (headers, payload).

        Raises KeyError when the daemon has closed our stdin.
        """
        source = sys.stdin if stdin is None else stdin
        self.ready(stdout)
        headers = get_headers(source.readline())
        return headers, source.read(int(headers["len"]))

    def ready(self, stdout: IO[str] | None = None) -> None:
        """Ask for the next event."""
        _write("READY\n", stdout)

    def ok(self, stdout: IO[str] | None = None) -> None:
        """The event was handled."""
        self.send("OK", stdout)

    def fail(self, stdout: IO[str] | None = None) -> None:
        """The event was not handled, send it again later."""
        self.send("FAIL", stdout)

    def send(self, resultdata: str, stdout: IO[str] | None = None) -> None:
        """Answer with any text; a result handler of the daemon has to understand it."""
        _write(f"RESULT {len(resultdata)}\n{resultdata}", stdout)


class ProcessCommunicationsProtocol:
    """For programs with capture mode: turn a message into an event instead of log text."""

    def send(self, msg: str | bytes, fp: IO[str] | None = None) -> None:
        """Write the message between its tokens."""
        body = msg.encode() if isinstance(msg, str) else msg
        stream = sys.stdout if fp is None else fp
        stream.flush()
        data = BEGIN_TOKEN + body + END_TOKEN
        binary = getattr(stream, "buffer", None)
        if binary is None:
            stream.write(data.decode(errors="surrogateescape"))
        else:
            binary.write(data)
        stream.flush()

    def stdout(self, msg: str | bytes) -> None:
        """Send it over stdout."""
        self.send(msg, sys.stdout)

    def stderr(self, msg: str | bytes) -> None:
        """Send it over stderr."""
        self.send(msg, sys.stderr)


def _write(text: str, stream: IO[str] | None) -> None:
    target = sys.stdout if stream is None else stream
    target.write(text)
    target.flush()


listener = EventListenerProtocol()
pcomm = ProcessCommunicationsProtocol()
