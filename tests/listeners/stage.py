"""Everything a listener meets: events on its standard input, a daemon, a sendmail, a web server.

1. A command is fed a whole play of events at once and runs to its end, which the end of its
   standard input brings about.
2. The daemon is a double that keeps a list of processes, notes every call and can refuse.
3. Texts are compared after `plain` has taken clock times out.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from xmlrpc.client import Fault
from xmlrpc.server import SimpleXMLRPCDispatcher, SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

from support.implementations import Implementation
from support.waiting import GENEROUS

RUNNING = 20
STOPPED = 0
NOWHERE = "http://127.0.0.1:1"
TICK = ("TICK_60", "when:1700000040")


def exited(process: str = "cat", group: str = "pets", *, expected: int = 0) -> tuple[str, str]:
    """A PROCESS_STATE_EXITED as (name, payload)."""
    return (
        "PROCESS_STATE_EXITED",
        f"processname:{process} groupname:{group} from_state:RUNNING expected:{expected} pid:2766",
    )


def fatal(process: str = "cat", group: str = "pets") -> tuple[str, str]:
    """A PROCESS_STATE_FATAL as (name, payload)."""
    return ("PROCESS_STATE_FATAL", f"processname:{process} groupname:{group} from_state:BACKOFF")


def events(*play: tuple[str, str]) -> bytes:
    """What supervisord writes to a listener for these events."""
    lines = [
        f"ver:3.0 server:supervisor serial:{number} pool:p poolserial:{number} "
        f"eventname:{name} len:{len(payload)}\n{payload}"
        for number, (name, payload) in enumerate(play)
    ]
    return "".join(lines).encode("utf-8", "surrogateescape")


FAREWELL = "no more events: supervisord has closed our standard input\n"


def plain(text: str) -> str:
    """Without what differs from run to run, and without the way in which a listener ends."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", "<asctime>", text)
    text = re.sub(r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} \S+", "<ctime>", text)
    text = re.sub(r"Traceback \(most recent call last\):\n(?s:.*)", "", text)
    # The original ends "Mailed:" without a newline; ours does not glue the next line to it.
    text = text.replace("RUNNINGunexpected", "RUNNING\nunexpected")
    return text.removesuffix(FAREWELL).rstrip("\n")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended and what it left."""

    code: int
    out: str
    err: str
    mails: list[str]

    @property
    def told(self) -> tuple[int, str, str, list[str]]:
        """All of it, comparable with another run."""
        return self.code, self.out, plain(self.err), [plain(mail) for mail in self.mails]


@dataclass(slots=True)
class Theatre:
    """Runs commands in a scratch directory with a sendmail that keeps what it is given."""

    directory: Path

    def __post_init__(self) -> None:
        script = self.directory / "sendmail"
        script.write_text(
            f'#!/bin/sh\n{{ printf "%s\\n" "args: $*"; cat; printf "\\0"; }} >>{self._box}\n'
        )
        script.chmod(0o755)

    @property
    def sendmail(self) -> str:
        """The value for `-s`."""
        return str(self.directory / "sendmail")

    @property
    def _box(self) -> Path:
        return self.directory / "mails"

    def mails(self) -> list[str]:
        """What the sendmail was given, `args: ...` first; the box is empty afterwards."""
        text = self._box.read_text(encoding="utf-8") if self._box.exists() else ""
        if not text.endswith("\0"):
            return []  # nothing yet, or a mail that is being written
        self._box.unlink()
        return text.split("\0")[:-1]

    def run(
        self,
        implementation: Implementation,
        command: str,
        *arguments: str,
        play: tuple[tuple[str, str], ...] = (),
        url: str | None = NOWHERE,
        environment: Mapping[str, str] | None = None,
        written: bytes | None = None,
    ) -> Outcome:
        """Run `httpok` and so on over these events, or over what is `written`.

        `url` None means not under a supervisor.
        """
        env = {key: value for key, value in os.environ.items() if not key.startswith("SUPERVISOR_")}
        env |= {"COLUMNS": "80", **(environment or {})}
        if url is not None:
            env["SUPERVISOR_SERVER_URL"] = url
        done = subprocess.run(
            [implementation.program(command), *arguments],
            cwd=self.directory,
            env=env,
            input=events(*play) if written is None else written,
            capture_output=True,
            timeout=GENEROUS,
        )
        err = done.stderr.decode("utf-8", "replace")
        return Outcome(done.returncode, done.stdout.decode(), err, self.mails())


def answers(count: int) -> str:
    """What a listener has written after `count` events."""
    return "READY\nRESULT 2\nOK" * count + "READY\n"


class _Handler(SimpleXMLRPCRequestHandler):
    rpc_paths = ("/RPC2",)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Be quiet."""


class _QuietServer(ThreadingMixIn, SimpleXMLRPCServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A listener that hangs up is part of the play."""


class DaemonDouble:
    """A supervisord as a listener sees it over XML-RPC."""

    def __init__(self) -> None:
        self.processes: list[dict[str, Any]] = []
        self.calls: list[tuple[Any, ...]] = []
        self.faults: dict[tuple[str, str], Fault] = {}
        self.logs: dict[tuple[str, str], str] = {}
        self.odd: object = None
        self.url = ""
        self._held = ""
        self._release = threading.Event()

    def add(
        self,
        name: str,
        group: str | None = None,
        *,
        pid: int = 0,
        state: int = RUNNING,
        up: int = 9,
    ) -> None:
        """A process; `up` is how long it has been up, in seconds."""
        now = int(time.time())
        self.processes.append(
            {"name": name, "group": group or name, "pid": pid, "state": state, "statename": "X"}
            | {"start": now - up, "stop": 0, "now": now, "spawnerr": "", "exitstatus": 0}
        )

    def rewind(self) -> None:
        """What has a pid runs again, and nobody has called."""
        self.calls.clear()
        for info in self.processes:
            info["state"] = RUNNING if info["pid"] else STOPPED

    def refuse(self, method: str, namespec: str, code: int, text: str) -> None:
        """Answer `method` for this name with a fault from now on."""
        self.faults[method, namespec] = Fault(code, text)

    def hold(self, method: str) -> None:
        """Answer `method` only when all is over."""
        self._held = method

    def _dispatch(self, method: str, parameters: tuple[Any, ...]) -> Any:
        verb = method.removeprefix("supervisor.")
        self.calls.append((verb, *parameters))
        if verb == self._held:
            self._release.wait(60)
        if verb == "getAllProcessInfo":
            return self.processes
        name = parameters[0]
        if (verb, name) in self.faults:
            raise self.faults[verb, name]
        if verb in ("tailProcessStdoutLog", "tailProcessStderrLog"):
            if self.odd is not None:
                return self.odd
            text = self.logs.get((verb[11:17].lower(), name), "")
            return [text.encode()[-parameters[2] :].decode(errors="replace"), len(text), False]
        found = [info for info in self.processes if name in _names(info)]
        if not found:
            raise Fault(10, f"BAD_NAME: {name}")
        if verb == "getProcessInfo":
            return found[0]
        found[0]["state"] = STOPPED if verb == "stopProcess" else RUNNING
        return True

    def changes(self) -> list[tuple[Any, ...]]:
        """The calls that stopped and started something."""
        return [call for call in self.calls if call[0] in ("stopProcess", "startProcess")]

    @contextlib.contextmanager
    def serving(self) -> Iterator[DaemonDouble]:
        """Listens on loopback meanwhile."""
        server = _QuietServer(("127.0.0.1", 0), _Handler, allow_none=False)
        dispatcher: SimpleXMLRPCDispatcher = server
        dispatcher.register_instance(self)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self._release.set()
            server.shutdown()
            thread.join()
            server.server_close()


def _names(info: Mapping[str, Any]) -> tuple[str, ...]:
    long = f"{info['group']}:{info['name']}"
    return (long, info["name"]) if info["group"] == info["name"] else (long,)
